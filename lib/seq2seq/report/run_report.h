#pragma once

#include <filesystem>
#include <string>

namespace seq2seq {

struct RunReportOptions {
  int64_t examples = 3;    ///< outputs to show, with heat maps if the model has attention
  std::string input = {};  ///< text, .tsv or .jsonl to take them from; empty = the run's validation files
  std::string device = "auto";  ///< where the model runs
};

/// A self-contained HTML page about a training run: its configuration, curves of perplexity, validation
/// scores, gradient norms, gradient flow, learning rate and speed, from config.json and train.jsonl, and the
/// outputs of its best checkpoint for a few examples. Throws Error if there is no run, or `input` cannot be
/// read. If the run's own validation files or its checkpoint are missing, the page says so instead.
std::string run_report_html(const std::filesystem::path& run, const RunReportOptions& options = {});

/// Writes the values that a run logged as a TensorBoard event file in `folder`, which replaces those of
/// earlier calls. Returns its path.
std::filesystem::path write_tensorboard(const std::filesystem::path& run,
                                        const std::filesystem::path& folder);

}  // namespace seq2seq
