#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>

#include "commands.h"
#include "flags.h"
#include "memory_blocks.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/log.h"
#include "seq2seq/core/nearest_name.h"
#include "seq2seq/nn/engine/capabilities.h"
#include "seq2seq/train/trainer.h"
#include "stop_signal.h"

namespace seq2seq {
namespace {

const auto process_start = std::chrono::steady_clock::now();

// A run may be resumed from another folder: config.json names its text from the root.
TrainOptions with_absolute_paths(TrainOptions options) {
  for (std::string* file : options.data.paths())
    if (!file->empty()) *file = std::filesystem::absolute(*file).lexically_normal().string();
  return options;
}

TrainOptions resolve_resumed(const OptionPatch& patch, const std::string& directory) {
  const TrainOptions before = with_absolute_paths(RunDirectory::open(directory).options());
  TrainOptions options = before;
  apply(options, patch);
  options = with_absolute_paths(std::move(options));
  // The run goes on with what its own start measured, where that can be computed.
  if (options.optimization.precision == Precision::automatic)
    options.optimization.precision =
        options.run.device == "cpu" && options.run.kernels != Kernels::plain && has_onednn_bfloat16_products()
            ? before.optimization.precision
            : Precision::float32;
  TrainOptions unchanged = before;
  for (const auto& path : differing_paths(option_fields(unchanged), option_fields(options)))
    if (!may_change_on_resume(path) &&
        !(path == "optimization.precision" && options.optimization.precision == Precision::float32))
      throw UsageError(path, "cannot change when a run is resumed",
                       "leave it out, or begin a new run with --initialize-from");
  options.run.directory = directory;
  return options;
}

// Fine-tuning takes architecture and text from the checkpoint; only dropout may be chosen anew.
TrainOptions resolve_fine_tuning(const OptionPatch& patch, const std::string& from) {
  const TranslationModel model = load_model(from);
  TrainOptions options;
  options.model = model.model_options;
  options.text = model.text_options;
  options.filter.maximum_length = model.maximum_length;
  TrainOptions before = options;
  apply(options, patch);
  for (const auto& path : differing_paths(option_fields(before), option_fields(options)))
    if ((path.starts_with("model.") && path.find("dropout") == std::string::npos) ||
        path.starts_with("text."))
      throw UsageError(path, "differs from the model in " + from,
                       "leave it out: --initialize-from decides it");
  return options;
}

TrainOptions resolve(const Flags<TrainOptions>& flags, bool resume) {
  const OptionPatch patch = flags.patch();
  // A run or model to go on from decides which alternatives the other options belong to.
  OptionPatch rest = patch;
  const auto text_at = [&](const char* path) {
    const auto value = rest.take(path);
    if (!value) return std::string();
    if (const auto* text = std::get_if<std::string>(value.get())) return *text;
    const auto* words = std::get_if<std::vector<std::string>>(value.get());  // as typed
    return words && words->size() == 1 ? words->front() : std::string();
  };
  const std::string directory = text_at("run.run-directory"), from = text_at("run.initialize-from");
  if (text_at("optimization.precision") == "bfloat16") check_available(Precision::bfloat16);
  if (resume && directory.empty())
    throw UsageError("--run-directory", "is missing", "name the run to resume");
  if (resume) return resolve_resumed(patch, directory);
  if (!from.empty()) return resolve_fine_tuning(patch, from);
  TrainOptions given;
  apply(given, patch);
  return given;
}

int run_train(const TrainOptions& options, bool resume) {
  keep_large_blocks();
  watch_stop_signals();
  Trainer trainer(options, resume, process_start);
  const StopReason reason = trainer.run([] { return stop_signal() != 0; });
  const std::string again = "; go on with --resume --run-directory " + options.run.directory;
  switch (reason) {
    case StopReason::limit:
      log_info("limit reached" + again + " and a higher limit");
      break;
    case StopReason::patience:
      log_info("validation no longer improves: done");
      break;
    case StopReason::signal:
      log_info("stopped and saved" + again);
      break;
  }
  log_info("translate with: seq2seq translate --model " + options.run.directory);
  return reason == StopReason::signal ? stop_exit_code() : 0;
}

}  // namespace

void add_train(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("train", "Train a model from parallel text, TSV or JSON lines.");
  command->footer(
      "Example:\n  seq2seq train --train-source train.en --train-target train.de \\\n"
      "    --valid-source val.en --valid-target val.de --run-directory run\n"
      "Ctrl-C saves a checkpoint; --resume goes on exactly where it stopped.");
  auto flags = std::make_shared<Flags<TrainOptions>>(*command, ConfigFlag::offered);
  auto resume = std::make_shared<bool>(false), dump = std::make_shared<bool>(false),
       quiet = std::make_shared<bool>(false);
  command->add_flag("--resume", *resume, "go on with the run in --run-directory");
  command->add_flag("--dump-config", *dump, "print the resolved configuration as JSON and exit");
  command->add_flag("--quiet", *quiet, "print warnings and errors only");
  command->callback([=, &exit_code] {
    if (*quiet) set_log_level(LogLevel::quiet);
    const TrainOptions options = resolve(*flags, *resume);
    if (*dump) {
      std::cout << options_to_json(options) << "\n";
      return;
    }
    check(options);
    exit_code = run_train(with_absolute_paths(options), *resume);
  });
}

}  // namespace seq2seq
