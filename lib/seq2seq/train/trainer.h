#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "seq2seq/data/loader.h"
#include "seq2seq/train/optimizer.h"
#include "seq2seq/train/run_directory.h"
#include "seq2seq/train/training_state.h"
#include "seq2seq/train/validator.h"

namespace seq2seq {

/// Why a training run ended.
enum class StopReason { limit, patience, signal };

/// Sums over the micro-batches of one update; `loss` has been differentiated after division by the update's
/// target tokens.
struct UpdateSums {
  double loss = 0, negative_log_likelihood = 0, coverage_loss = 0;
  int64_t target_tokens = 0, source_tokens = 0;
};

/// The same as they are made, on the model's device: whoever reads a number waits for all that the device has
/// been asked before.
struct DeviceSums {
  Tensor losses;  ///< [3] double, in the order of UpdateSums
  int64_t target_tokens = 0, source_tokens = 0;
  UpdateSums read() const;
};

/// Adds the gradients of one update (one or several micro-batches) to the model's parameters. The update's
/// loss is the sum over its target tokens divided by their number, so that accumulation changes nothing but
/// memory. Dropout is drawn from (seed, update, micro-batch).
DeviceSums accumulate_gradients(Seq2Seq& model, const std::vector<Batch>& batches,
                                const OptimizationOptions& options, uint64_t seed, int64_t update);

/// What an update was like.
struct UpdateResult {
  UpdateSums sums;
  double gradient_norm = 0;  ///< before clipping
};

/// One update of the weights, counted from 1: new gradients, clipped to options.clip_norm, and a step.
/// Waits for the device once, between gradients and step. Throws Error in place of the step when loss or norm
/// is not finite, or the norm is above options.divergence_norm.
UpdateResult update_weights(Seq2Seq& model, Optimizer& optimizer, const std::vector<Batch>& batches,
                            const OptimizationOptions& options, uint64_t seed, int64_t update,
                            double learning_rate);

/// A model that has learned nothing: vocabularies made or read for `corpus`, weights drawn from `seed`.
TranslationModel new_model(const TrainOptions& options, const Corpus& corpus, uint64_t seed);

/// Trains one model in one run directory until a limit, patience or a signal ends it.
class Trainer {
 public:
  /// Begins (`resume` false) or goes on with a run. `started` is when the process began: what --max-minutes
  /// counts from. Reads the corpora and makes or loads the vocabularies. Throws Error.
  Trainer(const TrainOptions& options, bool resume, std::chrono::steady_clock::time_point started);
  ~Trainer();

  /// Returns when training has ended and its last checkpoint is written. `stop_requested` is asked after each
  /// update.
  StopReason run(const std::function<bool()>& stop_requested);

 private:
  StopReason train(const std::function<bool()>& stop_requested);
  void open_data();
  void open_model();
  void restore(const std::filesystem::path& checkpoint);
  void report_new_precision();
  UpdateResult update();
  void log_update(double gradient_norm, const UpdateSums& sums, double seconds);
  void write_log_line();
  void log_gradient_flow();
  void validate();
  void report_filter();
  void save_checkpoint(bool best);
  std::optional<StopReason> limit_reached() const;
  bool validation_due() const;
  void show(double gradient_norm, const UpdateSums& sums) const;
  double elapsed() const;

  TrainOptions options_;
  std::chrono::steady_clock::time_point started_;
  RunDirectory run_;
  Precision begun_precision_;  // of the updates before
  bool resumed_;
  std::unique_ptr<Corpus> train_corpus_, valid_corpus_;
  std::string fingerprints_;  // of all text files, as JSON
  uint64_t held_out_ = 0;
  TranslationModel model_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<WeightAverage> average_;
  std::unique_ptr<Schedule> schedule_;
  std::unique_ptr<Validator> validator_;
  std::unique_ptr<Loader> loader_;
  Progress progress_;
  std::map<std::string, double> last_scores_;
  bool new_best_ = false;
  bool filter_reported_ = false;
  bool epoch_ended_ = false;         // within the last update
  const char* doing_ = "beginning";  // for messages
  double tokens_per_second_ = 0;
};

}  // namespace seq2seq
