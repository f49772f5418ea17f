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
  /// A new run. Throws Error when the folder holds something already, other than a run that ended before its
  /// first checkpoint. A run in use by another process is refused, here and by `open`.
  static RunDirectory create(const TrainOptions& options);
  /// An existing run. Throws Error when it has no checkpoint to go on from, or a newer version wrote it.
  static RunDirectory open(const std::string& path);

  /// The configuration written by `create` or since.
  const TrainOptions& options() const { return options_; }
  void set_options(const TrainOptions& options);
  /// That of a run that may be in use. Throws Error.
  static TrainOptions options_of(const std::filesystem::path& run);
  /// Whether `run` is a folder with something to go on from.
  static bool can_resume(const std::filesystem::path& run);
  std::filesystem::path last_checkpoint() const;

  /// Writes checkpoint `update` through `fill` (into its folder), moves `last` there and, when `best`, that
  /// as well; removes the oldest ones beyond `keep`.
  void checkpoint(int64_t update, bool best, int64_t keep,
                  const std::function<void(const std::filesystem::path&)>& fill);
  /// Takes back what `create` made, for a run that could not begin.
  void discard() const;
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit RunDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  void lock();
  void remove_old(int64_t keep) const;
  /// Newest first.
  std::vector<std::pair<int64_t, std::filesystem::path>> whole_steps() const;

  std::filesystem::path path_;
  TrainOptions options_;
  std::shared_ptr<FolderLock> lock_;
};

}  // namespace seq2seq
