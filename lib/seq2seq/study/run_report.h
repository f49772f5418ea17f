#pragma once

#include <filesystem>
#include <string>

namespace seq2seq {

/// A self-contained HTML page about a training run: its configuration, curves of loss, validation scores,
/// gradient norms, learning rate and speed, from config.json and train.jsonl. Throws Error when there is no
/// run.
std::string run_report_html(const std::filesystem::path& run);

}  // namespace seq2seq
