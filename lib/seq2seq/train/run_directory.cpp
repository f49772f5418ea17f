#include "seq2seq/train/run_directory.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/json.h"
#include "seq2seq/train/run_log.h"

namespace seq2seq {
namespace fs = std::filesystem;
namespace {

constexpr const char* config_file = "config.json";
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

/// Whether the run ended before its first checkpoint, so that it contains nothing worth keeping.
bool is_abandoned(const fs::path& run) {
  for (const auto& entry : fs::directory_iterator(run)) {
    const std::string name = entry.path().filename().string();
    if (name != config_file && name != RunLog::file_name && name != "checkpoints") return false;
  }
  if (!fs::exists(run / config_file) || !fs::is_directory(run / "checkpoints")) return false;
  for (const auto& entry : fs::directory_iterator(run / "checkpoints"))
    if (!entry.path().filename().string().starts_with(".step-")) return false;
  return true;
}

}  // namespace

RunDirectory RunDirectory::create(const TrainOptions& options) {
  RunDirectory run{options.run.directory};
  std::error_code failure;
  if (fs::exists(run.path_, failure) && !fs::is_directory(run.path_, failure))
    throw Error(run.path_.string(), "is a file", "name another --run-directory");
  fs::create_directories(run.path_, failure);
  if (failure)
    throw Error(run.path_.string(), "cannot be created (" + failure.message() + ")",
                "check the folder's permissions");
  run.lock();
  if (!fs::is_empty(run.path_, failure) && !is_abandoned(run.path_))
    throw Error(run.path_.string(), "is not empty",
                "add --resume to go on with that run, or name another --run-directory");
  fs::remove(run.path_ / RunLog::file_name, failure);
  fs::create_directories(run.path_ / "checkpoints", failure);
  if (failure)
    throw Error(run.path_.string(), "cannot be created (" + failure.message() + ")",
                "check the folder's permissions");
  run.set_options(options);
  return run;
}

RunDirectory RunDirectory::open(const std::string& path) {
  RunDirectory run{path};
  std::error_code unknown;
  if (!fs::exists(run.path_ / config_file, unknown))
    throw Error(path, "is not a run directory (no config.json)",
                "leave out --resume to begin a new run there");
  run.lock();
  if (!fs::exists(run.last_checkpoint() / "state.pt"))
    throw Error(path, "has no checkpoint to resume from", "begin again without --resume");
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
  if (config.value("format", int64_t{0}) > config_format)
    throw Error(origin, "was written by a newer seq2seq (format " + config["format"].dump() + ")",
                "update seq2seq");
  config.erase("format");
  return options_from_json<TrainOptions>(config.dump(), origin);
}

bool RunDirectory::can_resume(const fs::path& run) {
  return fs::exists(run / config_file) && fs::exists(RunDirectory{run}.last_checkpoint() / "state.pt");
}

fs::path RunDirectory::last_checkpoint() const {
  if (fs::exists(path_ / "last" / "state.pt")) return path_ / "last";
  const auto steps = whole_steps();
  return steps.empty() ? path_ / "last" : steps.front().second;
}

std::vector<std::pair<int64_t, fs::path>> RunDirectory::whole_steps() const {
  std::vector<std::pair<int64_t, fs::path>> steps;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(path_ / "checkpoints", missing))
    if (const auto update = update_of(entry.path().filename().string()))
      steps.emplace_back(*update, entry.path());
  std::sort(steps.rbegin(), steps.rend());
  return steps;
}

void RunDirectory::checkpoint(int64_t update, bool best, int64_t keep,
                              const std::function<void(const fs::path&)>& fill) {
  const fs::path relative = fs::path("checkpoints") / step_name(update);
  // Left by a run that was then resumed from an earlier checkpoint.
  fs::remove_all(path_ / relative);
  write_directory(path_ / relative, fill);
  // In this order: a run killed in between resumes from the previous checkpoint and finds the same best.
  if (best) replace_symlink(path_ / "best", relative);
  replace_symlink(path_ / "last", relative);
  remove_old(keep);
}

void RunDirectory::discard() const {
  std::error_code ignored;
  for (const auto& made : {path_ / config_file, path_ / "checkpoints", path_}) fs::remove(made, ignored);
}

void RunDirectory::remove_old(int64_t keep) const {
  const auto target = [&](const char* link) {
    return fs::is_symlink(path_ / link) ? fs::read_symlink(path_ / link).filename().string() : std::string();
  };
  std::vector<fs::path> unfinished;  // left by a run that was killed while writing
  for (const auto& entry : fs::directory_iterator(path_ / "checkpoints"))
    if (entry.path().filename().string().starts_with(".step-")) unfinished.push_back(entry.path());
  for (const auto& path : unfinished) fs::remove_all(path);
  const auto steps = whole_steps();
  for (size_t i = static_cast<size_t>(keep); i < steps.size(); ++i) {
    const std::string name = steps[i].second.filename().string();
    if (name != target("best") && name != target("last")) fs::remove_all(steps[i].second);
  }
}

}  // namespace seq2seq
