#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "seq2seq/model/gradient_flow.h"

namespace seq2seq {

// The lines of train.jsonl (docs/formats.md). As with options, `fields` lists the keys of a line in their
// order; writing and reading follow from it.

/// The value of a number that was not finite, or that a line of an older version lacks.
inline constexpr double not_logged = std::numeric_limits<double>::quiet_NaN();

/// Means over the updates since the last such line.
struct UpdateLine {
  static constexpr const char* type = "update";
  int64_t update = 0, epoch = 0;
  double loss = not_logged, perplexity = not_logged;
  std::optional<double> coverage_loss = {};  ///< of runs with a coverage loss
  double gradient_norm = not_logged, learning_rate = not_logged;
  int64_t target_tokens = 0;
  double target_tokens_per_second = not_logged;
  std::optional<double> data_wait_share = {};  ///< of training's time, 0 to 1; older versions have none
  double seconds = not_logged;
  static void fields(auto& line, auto& f) {
    f("update", line.update);
    f("epoch", line.epoch);
    f("loss", line.loss);
    f("perplexity", line.perplexity);
    f("coverage_loss", line.coverage_loss);
    f("gradient_norm", line.gradient_norm);
    f("learning_rate", line.learning_rate);
    f("target_tokens", line.target_tokens);
    f("target_tokens_per_second", line.target_tokens_per_second);
    f("data_wait_share", line.data_wait_share);
    f("seconds", line.seconds);
  }
};

struct ValidationLine {
  static constexpr const char* type = "validation";
  int64_t update = 0, epoch = 0, target_tokens = 0;
  std::map<std::string, double> scores = {};   ///< by metric: all numbers without a key of their own
  std::optional<std::string> signatures = {};  ///< of metrics of texts; older versions have none
  bool best = false;
  std::optional<bool> extra = {};  ///< true: not due, but made because the run ended here
  double validation_seconds = not_logged, peak_memory_mib = not_logged, seconds = not_logged;
  static void fields(auto& line, auto& f) {
    f("update", line.update);
    f("epoch", line.epoch);
    f("target_tokens", line.target_tokens);
    f.scores(line.scores);
    f("signatures", line.signatures);
    f("best", line.best);
    f("extra", line.extra);
    f("validation_seconds", line.validation_seconds);
    f("peak_memory_mib", line.peak_memory_mib);
    f("seconds", line.seconds);
  }
  double score(const std::string& metric) const {
    const auto found = scores.find(metric);
    return found == scores.end() ? not_logged : found->second;
  }
};

struct GradientFlowLine {
  static constexpr const char* type = "gradient_flow";
  int64_t update = 0;
  GradientFlow flow = {};
  double seconds = not_logged;
  static void fields(auto& line, auto& f) {
    f("update", line.update);
    f("norms", line.flow.norms);
    f("target_steps", line.flow.target_steps);
    f("parameter_norm", line.flow.parameter_norm);
    f("seconds", line.seconds);
  }
};

/// From `update` on, products are computed in another number format.
struct PrecisionLine {
  static constexpr const char* type = "precision";
  int64_t update = 0;
  std::string precision = {};
  static void fields(auto& line, auto& f) {
    f("update", line.update);
    f("precision", line.precision);
  }
};

/// What has become of the training pairs: once the first epoch has ended, or the run before that. All but
/// `waiting` add up to `read`.
struct PairsLine {
  static constexpr const char* type = "pairs";
  int64_t update = 0;
  bool whole_epoch = false;
  int64_t read = 0, trained_on = 0, waiting = 0, held_out = 0, held_out_copies = 0, empty = 0, too_long = 0,
          unlike_lengths = 0, duplicates = 0;
  static void fields(auto& line, auto& f) {
    f("update", line.update);
    f("whole_epoch", line.whole_epoch);
    f("read", line.read);
    f("trained_on", line.trained_on);
    f("waiting", line.waiting);
    f("held_out", line.held_out);
    f("held_out_copies", line.held_out_copies);
    f("empty", line.empty);
    f("too_long", line.too_long);
    f("unlike_lengths", line.unlike_lengths);
    f("duplicates", line.duplicates);
  }
};

/// From `update` on, the run is trained on another text.
struct ChangedTextLine {
  static constexpr const char* type = "changed_text";
  int64_t update = 0;
  int64_t epoch = 0;            ///< completed: the one behind them begins again
  std::string files = {};       ///< the paths of those that are others, separated by commas
  int64_t held_out = 0;         ///< pairs that are held out, drawn anew; 0 with validation files
  bool best_forgotten = false;  ///< scores before and after are of other validation texts
  static void fields(auto& line, auto& f) {
    f("update", line.update);
    f("epoch", line.epoch);
    f("files", line.files);
    f("held_out", line.held_out);
    f("best_forgotten", line.best_forgotten);
  }
};

using RunLogLine =
    std::variant<UpdateLine, ValidationLine, GradientFlowLine, PrecisionLine, PairsLine, ChangedTextLine>;

/// The update at which a line was written.
int64_t logged_update(const RunLogLine& line);
/// Seconds since training began; not_logged if the line has none.
double logged_seconds(const RunLogLine& line);
/// The finite scalars of a line by their keys, in the order of the file.
std::vector<std::pair<std::string, double>> logged_numbers(const RunLogLine& line);

/// The lines of one kind.
template <class Line>
std::vector<Line> lines_of(const std::vector<RunLogLine>& lines) {
  std::vector<Line> result;
  for (const RunLogLine& line : lines)
    if (const auto* one = std::get_if<Line>(&line)) result.push_back(*one);
  return result;
}

/// A run's train.jsonl.
class RunLog {
 public:
  static constexpr const char* file_name = "train.jsonl";

  explicit RunLog(const std::filesystem::path& run) : path_(run / file_name) {}
  /// Appends a line and flushes it. Throws Error.
  void write(const RunLogLine& line);
  /// Drops what a resumed run will log again: the lines after `update`, and pairs counted when the run ended. An
  /// extra validation is no longer the best.
  void cut(int64_t update);
  /// The scores of all validations so far, as a JSON array of objects.
  std::string history() const;

  /// Reads the log of a run, which may be in use. `seconds` continue where the run was resumed; lines of
  /// unknown types and an incomplete last line are left out. Throws Error if `run` is no run directory.
  static std::vector<RunLogLine> read(const std::filesystem::path& run);

 private:
  std::filesystem::path path_;
  std::ofstream file_;
};

}  // namespace seq2seq
