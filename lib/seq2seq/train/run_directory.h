#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "seq2seq/core/folder_lock.h"
#include "seq2seq/train/options.h"

namespace seq2seq {

/// The folder of one training run: config.json, train.jsonl, checkpoints/step-N/{model.pt,state.pt}, and the
/// relative links `best` and `last`.
class RunDirectory {
 public:
  /// A new run. Throws Error if the folder is in use by another process or not empty; a run that ended before
  /// its first checkpoint is overwritten.
  static RunDirectory create(const TrainOptions& options);
  /// An existing run. Throws Error if it is in use by another process, has no checkpoint to resume from or
  /// was written by a newer version.
  static RunDirectory open(const std::string& path);

  /// The configuration as last written.
  const TrainOptions& options() const { return options_; }
  void set_options(const TrainOptions& options);
  /// The configuration of a run, which may be in use. Throws Error.
  static TrainOptions options_of(const std::filesystem::path& run);
  /// Whether `run` is a run directory with a checkpoint to resume from.
  static bool can_resume(const std::filesystem::path& run);
  std::filesystem::path last_checkpoint() const;

  /// Writes checkpoint `update`: `fill` writes into its folder, then `last` and, if `best`, also `best` are
  /// pointed at it, and the oldest checkpoints beyond `keep` are removed.
  void checkpoint(int64_t update, bool best, int64_t keep,
                  const std::function<void(const std::filesystem::path&)>& fill);
  /// Removes what `create` made, for a run that could not start.
  void discard() const;
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit RunDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  void lock();
  void remove_old(int64_t keep) const;
  /// The complete checkpoints, newest first.
  std::vector<std::pair<int64_t, std::filesystem::path>> whole_steps() const;

  std::filesystem::path path_;
  TrainOptions options_;
  std::shared_ptr<FolderLock> lock_;
};

}  // namespace seq2seq
