#include "seq2seq/train/run_directory.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/json.h"
#include "seq2seq/train/run_log.h"
#include "seq2seq/train/training_state.h"

namespace seq2seq {
namespace fs = std::filesystem;
namespace {

constexpr const char *config_file = "config.json", *checkpoints_folder = "checkpoints";
constexpr int64_t config_format = 1;

std::string step_name(int64_t update) {
  return "step-" + std::to_string(update);
}

/// The update of a folder written by `checkpoint`; no other folder may be removed.
std::optional<int64_t> update_of(const std::string& name) {
  int64_t update = 0;
  if (!name.starts_with("step-")) return std::nullopt;
  std::from_chars(name.data() + 5, name.data() + name.size(), update);
  return name == step_name(update) ? std::optional(update) : std::nullopt;
}

/// Whether a file is the configuration of a run that was killed while it wrote that.
bool is_unfinished_config(const std::string& name) {
  return name.starts_with(std::string(".") + config_file + ".tmp-");
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code failure;
  fs::directory_iterator at(folder, failure);
  for (; !failure && at != fs::directory_iterator(); at.increment(failure)) entries.push_back(at->path());
  if (failure)
    throw Error(folder.string(), "cannot be read (" + failure.message() + ")",
                "check the folder and its permissions");
  return entries;
}

/// Whether the run ended before its first checkpoint, so that it contains nothing worth keeping.
bool is_abandoned(const fs::path& run) {
  for (const fs::path& entry : entries_of(run)) {
    const std::string name = entry.filename().string();
    if (name != config_file && name != RunLog::file_name && name != checkpoints_folder &&
        !is_unfinished_config(name))
      return false;
  }
  if (!fs::is_directory(run / checkpoints_folder)) return false;
  // The folder of checkpoints is made first, then the configuration; the log begins with training.
  if (!fs::exists(run / config_file) && fs::exists(run / RunLog::file_name)) return false;
  for (const fs::path& entry : entries_of(run / checkpoints_folder))
    if (!entry.filename().string().starts_with(".step-")) return false;
  return true;
}

/// Whether a new run may begin there.
bool is_free(const fs::path& folder) {
  std::error_code unknown;
  if (!fs::exists(folder, unknown)) return true;
  return fs::is_directory(folder, unknown) && (entries_of(folder).empty() || is_abandoned(folder));
}

bool has_model(const fs::path& checkpoint) {
  std::error_code unknown;
  return fs::exists(checkpoint / RunDirectory::model_file, unknown);
}

bool is_whole(const fs::path& checkpoint) {
  std::error_code unknown;
  return has_model(checkpoint) && fs::exists(checkpoint / state_file, unknown);
}

void refuse_dangling_link(const fs::path& path) {
  std::error_code unknown;
  for (fs::path at = path; !at.empty() && !fs::exists(at, unknown); at = at.parent_path())
    if (fs::is_symlink(at, unknown))
      throw Error(at.string(), "is a link to '" + fs::read_symlink(at).string() + "', which does not exist",
                  "create that folder, or remove the link");
}

Error not_created(const fs::path& path, const std::string& reason) {
  return {path.string(), "cannot be created (" + reason + ")", "check the path and the folder's permissions"};
}

void move_folder(const fs::path& from, const fs::path& to) {
  std::error_code failure;
  fs::rename(from, to, failure);
  if (failure) throw not_created(to, failure.message());
}

}  // namespace

RunDirectory RunDirectory::create(const TrainOptions& options) {
  RunDirectory run{options.run.directory};
  run.options_ = options;
  std::error_code failure;
  refuse_dangling_link(run.path_);
  if (fs::exists(run.path_, failure) && !fs::is_directory(run.path_, failure))
    throw Error(run.path_.string(), "is a file", "name another --run-directory");
  run.make(run.path_);
  run.lock();
  if (::access(run.path_.c_str(), R_OK | W_OK | X_OK) != 0)
    throw Error(run.path_.string(), "cannot be used (" + system_reason() + ")",
                "check the folder's permissions");
  if (!is_free(run.path_))
    throw Error(run.path_.string(), "is not empty",
                can_resume(run.path_) ? "add --resume to go on with that run, or name another --run-directory"
                                      : run.remedy_elsewhere());
  return run;
}

void RunDirectory::make(const fs::path& folder) {
  std::error_code failure;
  std::vector<fs::path> missing;
  for (fs::path at = folder; !at.empty() && !fs::exists(at, failure); at = at.parent_path())
    missing.push_back(at);
  made_.insert(made_.begin(), missing.begin(), missing.end());
  fs::create_directories(folder, failure);
  if (!failure) return;
  discard();
  throw not_created(folder, failure.message());
}

void RunDirectory::begin(const TrainOptions& options) {
  make(path_ / checkpoints_folder);
  set_options(options);
  // Of a run that ended before its first checkpoint.
  std::error_code failure;
  fs::remove(path_ / RunLog::file_name, failure);
  for (const fs::path& entry : entries_of(path_))
    if (is_unfinished_config(entry.filename().string())) fs::remove(entry, failure);
  made_.clear();
}

void RunDirectory::discard() const {
  std::error_code ignored;
  for (const fs::path& folder : made_) fs::remove(folder, ignored);
}

RunDirectory RunDirectory::open(const std::string& path) {
  RunDirectory run{path};
  std::error_code unknown;
  refuse_dangling_link(run.path_);
  if (!fs::exists(run.path_ / config_file, unknown))
    throw Error(path, "is not a run directory (no config.json)", run.remedy_without_checkpoint());
  run.lock();
  if (!is_whole(run.last_checkpoint()))
    throw Error(path, "has no checkpoint to resume from", run.remedy_without_checkpoint());
  run.options_ = options_of(path);
  return run;
}

void RunDirectory::set_options(const TrainOptions& options) {
  Json config = Json::object();
  config["format"] = config_format;
  config.update(parse_json(options_to_json(options), config_file));
  write_file(path_ / config_file, dump_json(config, 2) + "\n");
  options_ = options;
}

void RunDirectory::lock() {
  lock_ = std::make_shared<FolderLock>(path_, "training process", "wait for its end or name another folder");
}

TrainOptions RunDirectory::options_of(const fs::path& run) {
  const std::string origin = (run / config_file).string();
  Json config = read_json_file(origin);
  if (!config.is_object()) throw Error(origin, "is not a configuration", "give a run of seq2seq train");
  if (whole_number_at(config, "format", 0) > config_format)
    throw Error(origin, "was written by a newer seq2seq (format " + config["format"].dump() + ")",
                "update seq2seq");
  config.erase("format");
  return options_from_json<TrainOptions>(config.dump(), origin);
}

bool RunDirectory::can_resume(const fs::path& run) {
  return fs::exists(run / config_file) && is_whole(RunDirectory{run}.last_checkpoint());
}

std::string RunDirectory::remedy_without_checkpoint() const {
  return is_free(path_) ? "leave out --resume to begin a new run there"
                        : "leave out --resume and " + remedy_elsewhere();
}

std::string RunDirectory::remedy_elsewhere() const {
  const std::vector<fs::path> folders = checkpoint_folders();
  const auto found = std::find_if(folders.begin(), folders.end(), has_model);
  return "name another --run-directory" +
         (found == folders.end() ? std::string()
                                 : " (with --initialize-from " + (*found / model_file).string() +
                                       " the new run begins with that model)");
}

fs::path RunDirectory::last_checkpoint() const {
  const std::vector<fs::path> folders = checkpoint_folders();
  const auto whole = std::find_if(folders.begin(), folders.end(), is_whole);
  return whole == folders.end() ? folders.front() : *whole;
}

std::vector<fs::path> RunDirectory::checkpoint_folders() const {
  std::vector<fs::path> folders{path_ / "last"};
  for (const auto& [update, step] : steps()) folders.push_back(step);
  folders.push_back(path_ / "best");
  return folders;
}

std::vector<std::pair<int64_t, fs::path>> RunDirectory::steps() const {
  std::vector<std::pair<int64_t, fs::path>> steps;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(path_ / checkpoints_folder, missing))
    if (const auto update = update_of(entry.path().filename().string()))
      steps.emplace_back(*update, entry.path());
  std::sort(steps.rbegin(), steps.rend());
  return steps;
}

void RunDirectory::checkpoint(int64_t update, bool best, const KeptCheckpoints& kept,
                              const std::function<void(const fs::path&)>& fill) {
  const fs::path relative = fs::path(checkpoints_folder) / step_name(update);
  // Left by a run that was then resumed from an earlier checkpoint.
  remove_folder(path_ / relative);
  write_directory(path_ / relative, fill);
  if (!is_whole(path_ / relative)) {
    remove_folder(path_ / relative);
    throw Error((path_ / relative).string(), "lost a file while it was written",
                "let nothing clean the run directory meanwhile, and go on with --resume");
  }
  // In this order: a run killed in between resumes from the previous checkpoint and finds the same best.
  if (best) replace_symlink(path_ / "best", relative);
  replace_symlink(path_ / "last", relative);
  remove_old(kept);
}

void RunDirectory::go_on(const KeptCheckpoints& kept) {
  std::error_code failure;
  fs::create_directory(path_ / checkpoints_folder, failure);
  remove_old(kept);  // first: the disk may be full
  for (const char* name : {"best", "last"}) link_again(name);
  const fs::path best = path_ / "best", relative = fs::path(checkpoints_folder) / step_name(kept.best);
  if (kept.best < 0)
    fs::remove(best, failure);
  else if (is_whole(path_ / relative) && fs::read_symlink(best, failure) != relative)
    replace_symlink(best, relative);
}

void RunDirectory::link_again(const char* name) const {
  const fs::path link = path_ / name;
  if (fs::is_symlink(link) || !fs::is_directory(link)) return;
  const auto no_checkpoint = [&] {
    return Error(link.string(), "is a folder, not a link, and holds no whole checkpoint",
                 "move it out of the run, which goes on without it");
  };
  int64_t update = 0;
  try {
    update = load_training_state(link / state_file).progress.updates;
  } catch (const Error&) {
    throw no_checkpoint();
  }
  const fs::path relative = fs::path(checkpoints_folder) / step_name(update), step = path_ / relative;
  if (!is_whole(step) && !is_whole(link)) throw no_checkpoint();
  // Removed with what killed runs left, if this one is killed here.
  const fs::path aside = path_ / checkpoints_folder / fmt::format(".{}.{}", step_name(update), name);
  if (is_whole(step)) {
    move_folder(link, aside);
  } else {
    remove_folder(step);
    move_folder(link, step);
  }
  replace_symlink(link, relative);
  remove_folder(aside);
}

void RunDirectory::remove_old(const KeptCheckpoints& kept) const {
  const auto target = [&](const char* link) {
    return fs::is_symlink(path_ / link) ? fs::read_symlink(path_ / link).filename().string() : std::string();
  };
  // Left by a run that was killed while writing.
  for (const fs::path& entry : entries_of(path_ / checkpoints_folder))
    if (entry.filename().string().starts_with(".step-")) remove_folder(entry);
  int64_t newer = 0;  // one that is not whole was damaged by others, and takes no place
  for (const auto& [update, step] : steps()) {
    if (!is_whole(step) || newer++ < kept.newest) continue;
    const std::string name = step.filename().string();
    if (update != kept.best && name != target("best") && name != target("last")) remove_folder(step);
  }
}

}  // namespace seq2seq
