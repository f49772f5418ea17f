#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>

#include "commands.h"
#include "flags.h"
#include "memory_blocks.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/join.h"
#include "seq2seq/core/log.h"
#include "seq2seq/model/device.h"
#include "seq2seq/train/trainer.h"
#include "stop_signal.h"

namespace seq2seq {
namespace {

const auto process_start = Clock::now();

/// Options of this invocation, not of the run.
struct TrainCallOptions {
  bool resume = false, accept_changed_text = false, dump_config = false, quiet = false;
  static void fields(auto& o, auto& f) {
    f("resume", o.resume, "continue the run in --run-directory", everyday);
    f("accept-changed-text", o.accept_changed_text,
      "go on although the text is another than the run was trained on: the present epoch begins again, and "
      "held-out pairs are drawn anew",
      only_if(o.resume, "add --resume"));
    f("dump-config", o.dump_config, "print the resolved configuration as JSON and exit");
    quiet_field(o, f);
  }
};

// A run may be resumed from another folder, so config.json has absolute paths.
void make_paths_absolute(TrainOptions& options) {
  resolve_paths(options, std::filesystem::current_path());
}

/// Throws UsageError if `fixed` options differ, naming those among them that were given, or else all.
void refuse_changes(TrainOptions& before, TrainOptions& options, const OptionPatch& given,
                    bool (*fixed)(const OptionField&), const std::string& problem,
                    const std::string& otherwise) {
  std::vector<std::string> named, others;
  for (const OptionField& field : differing_fields(before, options))
    if (fixed(field)) (given.contains(field.path) ? named : others).push_back(given.place_of(field));
  const std::vector<std::string>& places = named.empty() ? others : named;
  if (places.empty()) return;
  throw UsageError(joined(places), problem,
                   (places.size() == 1 ? "leave it out" : "leave them out") + otherwise);
}

TrainOptions resolve_resumed(const OptionPatch& given, const std::string& directory,
                             const RunDirectory& resumed) {
  TrainOptions before = resumed.options();
  before.validation.settle_resumed(before.validation);
  make_paths_absolute(before);
  TrainOptions options = before;
  apply(options, given);
  make_paths_absolute(options);
  options.validation.settle_resumed(before.validation);
  // Keep the precision that was measured when the run began, if it is available here.
  if (options.optimization.precision == Precision::automatic)
    options.optimization.precision = is_available(before.optimization.precision, options.run)
                                         ? before.optimization.precision
                                         : Precision::float32;
  // A run may always change to float32, which is available everywhere.
  if (options.optimization.precision == Precision::float32)
    before.optimization.precision = Precision::float32;
  refuse_changes(
      before, options, given, [](const OptionField& field) { return !field.is(on_resume_free); },
      "cannot change when a run is resumed", ", or begin a new run with --initialize-from");
  const int64_t* end = updates_of(options.optimization.schedule);
  if (end == nullptr || *end == 0 || !given.contains(path_of(options, end)))
    check_stays_within_schedule(options, before);
  options.run.directory = directory;
  return options;
}

// Fine-tuning takes architecture and text options from the checkpoint; only dropout may differ.
TrainOptions resolve_fine_tuning(const OptionPatch& given, const std::string& from) {
  const TranslationModel model = load_model(from);
  require_float32_weights(model, from);
  TrainOptions before;
  before.model = model.model_options;
  before.text = model.text_options;
  before.filter.maximum_length = model.maximum_length;
  if (!are_usual(model.keys)) {  // others are found again
    before.data.source_key = model.keys.source;
    before.data.target_key = model.keys.target;
  }
  TrainOptions options = before;
  apply(options, given);
  refuse_changes(
      before, options, given,
      [](const OptionField& field) { return field.is(fixed_by_model) && !field.is(only_in_training); },
      "differs from the model in " + from, ": --initialize-from decides it");
  return options;
}

/// All options of the run; with --resume, opens it into `resumed`.
TrainOptions resolve(const OptionPatch& given, const TrainCallOptions& call,
                     std::optional<RunDirectory>& resumed) {
  // A resumed run or an initial model decides which alternatives the other options belong to.
  OptionPatch rest = given;
  TrainOptions names;
  const auto text_of = [&](const void* member) {
    const auto value = rest.take(path_of(names, member));
    if (!value) return std::string();
    if (const auto* text = std::get_if<std::string>(value.get())) return *text;
    const auto* words = std::get_if<std::vector<std::string>>(value.get());  // as typed
    return words && words->size() == 1 ? words->front() : std::string();
  };
  const std::string directory = text_of(&names.run.directory), from = text_of(&names.run.initialize_from);
  const std::string device = text_of(&names.run.device), precision = text_of(&names.optimization.precision);
  // Of a run that is resumed, the configuration may name the device.
  for (const Precision wanted : {Precision::tf32, Precision::bfloat16})
    if (precision == option_name(wanted) && !(call.resume && device.empty()))
      check_available(wanted, device.empty() ? names.run.device : device);
  if (call.resume && directory.empty())
    throw UsageError("--run-directory", "is missing", "name the run to resume");
  if (call.resume) {
    resumed = RunDirectory::open(directory);
    return resolve_resumed(given, directory, *resumed);
  }
  if (!from.empty()) {
    if (!call.dump_config)
      open_device(device.empty() ? names.run.device : device);  // before LibTorch is used
    return resolve_fine_tuning(given, from);
  }
  TrainOptions options;
  apply(options, given);
  return options;
}

void tell_end(StopReason reason, const TrainOptions& options, bool trained) {
  const std::string again = "; go on with --resume --run-directory " + options.run.directory;
  const auto tell = [&](const std::string& end) {
    if (trained)
      log_info(end);
    else
      log_warning("nothing was trained: " + end);
  };
  switch (reason) {
    case StopReason::limit:
      return tell("limit reached" + again + " and a higher limit");
    case StopReason::patience:
      return tell("validation no longer improves: done" + again + " and a higher --patience than " +
                  std::to_string(options.validation.patience));
    case StopReason::signal:
      return tell("stopped and saved" + again);
  }
}

int train(const TrainOptions& options, std::optional<RunDirectory> resumed, const TrainCallOptions& call) {
  keep_large_blocks();
  watch_stop_signals(call.quiet ? ""
                                : "stopping: the run is saved after its next update; a second signal ends it "
                                  "at once");
  Trainer trainer(options, std::move(resumed), process_start,
                  call.accept_changed_text ? OtherText::accepted : OtherText::refused);
  const int64_t begin = trainer.updates();
  const StopReason reason = trainer.run([] { return stop_signal() != 0; });
  tell_end(reason, options, trainer.updates() > begin);
  log_info("translate with: seq2seq translate --model " + options.run.directory);
  return reason == StopReason::signal ? stop_exit_code() : 0;
}

int run_train(const TrainCallOptions& call, const OptionPatch& given) {
  std::optional<RunDirectory> resumed;
  TrainOptions options = resolve(given, call, resumed);
  if (call.dump_config) {
    std::cout << options_to_json(options) << "\n";
    return 0;
  }
  check_as_given(options, given, [&] { check(options, resumed ? &resumed->options() : nullptr); });
  for (const std::string& line : idle_options(options, given)) log_info(line);
  open_device(options.run.device);  // refused before anything is read
  make_paths_absolute(options);
  return train(options, std::move(resumed), call);
}

}  // namespace

RunCommand add_train(CLI::App& command) {
  describe(command, "",
           "Example:\n"
           "  seq2seq train --train-source train.en --train-target train.de \\\n"
           "    --valid-source val.en --valid-target val.de --run-directory run\n"
           "Ctrl-C saves a checkpoint; --resume goes on exactly where it stopped.");
  const auto call = std::make_shared<Flags<TrainCallOptions>>(command);
  const auto flags = std::make_shared<Flags<TrainOptions>>(command, ConfigFlag::offered);
  return [call, flags] { return run_train(call->resolve(), flags->patch()); };
}

}  // namespace seq2seq
