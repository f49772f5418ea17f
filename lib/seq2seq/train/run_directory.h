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

/// The checkpoints that stay besides those that `best` and `last` point at.
struct KeptCheckpoints {
  int64_t newest = 2;  ///< so many
  int64_t best = -1;   ///< and that of this update, which `best` goes back to in a resumed run; -1: none
};

/// The folder of one training run: config.json, train.jsonl, checkpoints/step-N/{model.pt,state.pt}, and the
/// relative links `best` and `last`.
class RunDirectory {
 public:
  static constexpr const char* model_file = "model.pt";

  /// The folder for a new run, made if there is none. Throws Error if it is in use by another process or not
  /// empty; a run that ended before its first checkpoint may be overwritten, which `begin` does.
  static RunDirectory create(const TrainOptions& options);
  /// Writes the configuration into the folder that `create` has found.
  void begin(const TrainOptions& options);
  /// Removes the folders that `create` and a `begin` that failed have made: what was there before is left. Removes
  /// nothing of a run that has begun or was opened.
  void discard() const;
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
  /// That to resume from: where `last` leads, else the newest, else where `best` leads. `last` if none is whole.
  std::filesystem::path last_checkpoint() const;

  /// Writes checkpoint `update`: `fill` writes into its folder, then `last` and, if `best`, also `best` are
  /// pointed at it, and checkpoints that need not be `kept` are removed.
  void checkpoint(int64_t update, bool best, const KeptCheckpoints& kept,
                  const std::function<void(const std::filesystem::path&)>& fill);
  /// To be called before a run that was opened trains on: `best` and `last` become links again where the run
  /// is a copy that has folders in their place, `best` points at the checkpoint of update `kept.best`, and
  /// checkpoints that need not be kept are removed.
  void go_on(const KeptCheckpoints& kept);
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit RunDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  void lock();
  /// Makes the folder and those above it, for `discard` to remove.
  void make(const std::filesystem::path& folder);
  /// Where a copy has a folder in the place of this link: the folder becomes the checkpoint of its update, if
  /// there is none, and the link is one again.
  void link_again(const char* name) const;
  void remove_old(const KeptCheckpoints& kept) const;
  /// What to do instead of resuming, where there is no checkpoint.
  std::string remedy_without_checkpoint() const;
  /// Where neither a run can be resumed nor a new one may begin.
  std::string remedy_elsewhere() const;
  /// Where checkpoints may be, that to resume from first.
  std::vector<std::filesystem::path> checkpoint_folders() const;
  /// The folders of checkpoints by their updates, newest first.
  std::vector<std::pair<int64_t, std::filesystem::path>> steps() const;

  std::filesystem::path path_;
  std::vector<std::filesystem::path> made_;  // innermost first
  TrainOptions options_;
  std::shared_ptr<FolderLock> lock_;
};

}  // namespace seq2seq
