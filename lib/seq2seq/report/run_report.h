#pragma once

#include <filesystem>
#include <string>

namespace seq2seq {

struct RunReportOptions {
  int64_t examples = 3;        ///< outputs to show, with heat maps where the model has attention
  std::string input = {};      ///< text, .tsv or .jsonl to take them from; empty = the run's validation files
  std::string device = "auto";  ///< where the model runs
};

/// A self-contained HTML page about a training run: its configuration, curves of loss, validation scores,
/// gradient norms, gradient flow, learning rate and speed, from config.json and train.jsonl, and what its
/// best checkpoint writes for a few examples. Throws Error when there is no run, or `input` cannot be read;
/// where the run's own validation files or its checkpoint are missing, the page says so in place of the
/// examples.
std::string run_report_html(const std::filesystem::path& run, const RunReportOptions& options = {});

/// The numbers that a run logged, as files that TensorBoard opens: `folder` gets one event file in place of
/// those that an earlier call left there. Returns its path.
std::filesystem::path write_tensorboard(const std::filesystem::path& run,
                                        const std::filesystem::path& folder);

}  // namespace seq2seq
