#include <fmt/format.h>
#include <torch/version.h>

#include <CLI/CLI.hpp>
#include <ctime>
#include <fstream>
#include <memory>

#include "commands.h"
#include "flags.h"
#include "memory_blocks.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/folder_lock.h"
#include "seq2seq/core/json.h"
#include "seq2seq/core/log.h"
#include "seq2seq/core/processors.h"
#include "seq2seq/data/fingerprint.h"
#include "seq2seq/model/device.h"
#include "seq2seq/study/study.h"
#include "seq2seq/study/study_report.h"
#include "seq2seq/study/study_result.h"
#include "seq2seq/train/run_directory.h"
#include "stop_signal.h"
#include "training_jobs.h"

namespace seq2seq {
namespace fs = std::filesystem;
namespace {

struct StudyCommandOptions {
  std::string config, output;
  StudyText text;
  int64_t seeds = 1, jobs = 0;
  std::string device;
  bool quiet = false;
  static void fields(auto& o, auto& f) {
    f("config", o.config, "the study: what is compared, on which text (data/studies, docs/study.md)");
    f("output", o.output, "folder for the runs, report.html and report.json");
    f("seeds", o.seeds,
      "how often each architecture is trained, each time from another seed: with several, figures "
      "have error bars",
      in_range(1, 100));
    f("jobs", o.jobs, "runs trained at a time; 0 = as many as the cores allow for the study's threads a run",
      in_range(0, 1024));
    f("device", o.device,
      "cpu, cuda or cuda:N: where models are trained and measured; empty = where the study says");
    f("train-source", o.text.train.train_source, "your own text in place of the study's, source side");
    f("train-target", o.text.train.train_target, "its target side");
    f("train", o.text.train.train, "or both in one .tsv or .jsonl file");
    f("valid-source", o.text.train.valid_source,
      "validation text, source side; without any, some is held out");
    f("valid-target", o.text.train.valid_target, "validation text, target side");
    f("valid", o.text.train.valid, "or both in one .tsv or .jsonl file");
    f("test-source", o.text.test.source, "text that the report's scores are made of, source side");
    f("test-target", o.text.test.target, "its target side");
    f("test", o.text.test.combined, "or both in one .tsv or .jsonl file");
    f("quiet", o.quiet, "print warnings and errors only");
  }
};

/// One architecture with one seed.
struct SeededRun {
  const Study::Run* run;
  int64_t repetition;
  TrainOptions options;
  std::string name;  ///< "copying.1"
  fs::path directory, result, outputs;
};

std::vector<SeededRun> seeded_runs(const Study& study, const StudyCommandOptions& options) {
  const fs::path folder = fs::absolute(options.output);
  std::vector<SeededRun> all;
  for (int64_t repetition = 0; repetition < options.seeds; ++repetition)
    for (const Study::Run& run : study.runs) {
      SeededRun one{
          &run, repetition, run.options, fmt::format("{}.{}", run.name, run.options.run.seed + repetition),
          {},   {},         {}};
      one.options.run.seed += repetition;
      one.directory = folder / "runs" / one.name;
      one.result = folder / "results" / (one.name + ".json");
      one.outputs = folder / "outputs" / (one.name + ".txt");
      all.push_back(std::move(one));
    }
  return all;
}

Json fingerprints_json(const CorpusFiles& files) {
  Json all = Json::array();
  for (const FileFingerprint& file : fingerprints_of(files))
    all.push_back({{"name", file.name}, {"bytes", file.bytes}, {"crc32", file.crc32}});
  return all;
}

/// The text that all runs of a study share.
Json training_text(const Study& study) {
  const DataOptions& data = study.runs.front().options.data;
  return {{"train", fingerprints_json(data.train_files())}, {"valid", fingerprints_json(data.valid_files())}};
}

/// What training depends on: a run with another one is not gone on with.
Json training_basis(const SeededRun& run, const Json& text) {
  return {{"options", parse_json(options_to_json(run.options), "options")},
          {"train", text["train"]},
          {"valid", text["valid"]}};
}

/// What a result depends on: as long as it is the same, the run is not measured again.
Json result_basis(const Study& study, const SeededRun& run, const Json& training, const Json& test) {
  return {{"training", training},
          {"test", test},
          {"beam-size", study.beam_size},
          {"length-limits", study.length_limits},
          {"examples", run.repetition == 0 ? study.examples : 0},
          {"program", SEQ2SEQ_VERSION}};
}

/// As this version writes what an older one may have written with fewer options.
Json in_present_form(Json training) {
  if (!training.is_object() || !training.contains("options")) return training;
  try {
    const auto options = options_from_json<TrainOptions>(dump_json(training["options"], 0), "options");
    training["options"] = parse_json(options_to_json(options), "options");
  } catch (const UsageError&) {  // another program's: it stays different
  }
  return training;
}

/// What was measured before; nothing when it has to be measured (again).
std::optional<Json> earlier_result(const SeededRun& run, const Json& basis) {
  for (const fs::path& part : {run.result, run.outputs, run.directory})
    if (!fs::exists(part)) return std::nullopt;
  Json stored = read_json_file(run.result.string());
  if (!stored.is_object() || !stored.contains("result") || !stored.contains("basis")) return std::nullopt;
  if (stored["basis"].is_object() && stored["basis"].contains("training"))
    stored["basis"]["training"] = in_present_form(stored["basis"]["training"]);
  if (stored["basis"] != basis) return std::nullopt;
  return std::move(stored["result"]);
}

fs::path beside(const SeededRun& run, const char* ending) {
  return fs::path(run.directory).concat(ending);
}

/// What it is trained from, and whether it is trained to its end.
void write_basis(const SeededRun& run, const Json& basis, bool trained) {
  write_file(beside(run, ".basis.json"), dump_json({{"training", basis}, {"trained", trained}}, 1) + "\n");
}

/// Its training, from the beginning or from its last checkpoint; nothing when it is trained to its end. On
/// `device`, which a run does not depend on.
std::optional<TrainingJob> job_of(const SeededRun& run, const Json& basis, const std::string& device) {
  const bool resume = RunDirectory::can_resume(run.directory);
  Json before;
  if (const fs::path file = beside(run, ".basis.json"); fs::exists(file))
    before = read_json_file(file.string());
  if (resume &&
      (!before.is_object() || !before.contains("training") || in_present_form(before["training"]) != basis))
    throw Error(run.directory.string(), "was trained with other options or text",
                "name another --output, or remove this folder to train it again");
  if (resume && before.value("trained", Json()) == true) return std::nullopt;
  if (!resume) fs::remove_all(run.directory);  // killed before there was anything to keep
  write_basis(run, basis, false);
  const fs::path config = beside(run, ".json");
  write_file(config, options_to_json(run.options) + "\n");
  TrainingJob job{
      run.name,
      {"train", "--config", config.string(), "--run-directory", run.directory.string(), "--device", device},
      run.directory,
      beside(run, ".log"),
      run.options.limits};
  if (resume) job.arguments.emplace_back("--resume");
  return job;
}

/// After training: marks what is trained to its end. Throws Error when the text is no longer `text`, so that
/// nobody knows what a run has read.
void settle_training(const Study& study, const std::vector<const SeededRun*>& trained, const Json& text) {
  if (trained.empty()) return;
  if (training_text(study) != text) {
    for (const SeededRun* run : trained) fs::remove(beside(*run, ".basis.json"));  // none can be trusted
    throw Error(study.runs.front().options.data.train_files().describe(),
                "or its validation text changed during the study",
                "remove " + trained.front()->directory.parent_path().string() + " and begin again");
  }
  for (const SeededRun* run : trained) write_basis(*run, training_basis(*run, text), true);
}

std::string processor_name() {
  const std::string key = "model name\t: ";
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(key)) return line.substr(key.size());
  return "an unknown processor";
}

std::string conditions_now(const SeededRun& run, int64_t at_a_time, const std::string& device) {
  const std::time_t now = std::time(nullptr);
  char date[16];
  std::strftime(date, sizeof date, "%Y-%m-%d", std::gmtime(&now));
  const int64_t threads = run.options.run.threads;
  return fmt::format(
      "seq2seq {} with LibTorch {} on {} ({} cores){}, {}: trained {} at a time with {} {} each, so that "
      "speeds of training are those of runs beside one another; decoding alone, with all cores.",
      SEQ2SEQ_VERSION, TORCH_VERSION, processor_name(), usable_processors(),
      device == "cpu" ? "" : " with " + device, date, at_a_time,
      threads > 0 ? std::to_string(threads) : std::string("all"), threads == 1 ? "thread" : "threads");
}

/// Where it is trained and measured.
std::string device_of(const Study::Run& run, const StudyCommandOptions& options) {
  return options.device.empty() ? run.options.run.device : options.device;
}

int64_t runs_at_a_time(const Study& study, const StudyCommandOptions& options) {
  if (options.jobs > 0) return options.jobs;
  int64_t threads = 1;
  for (const auto& run : study.runs) {
    if (run.options.run.threads == 0 || device_of(run, options) != "cpu") return 1;
    threads = std::max(threads, run.options.run.threads);
  }
  return std::max<int64_t>(1, usable_processors() / threads);
}

void check(const StudyCommandOptions& options) {
  if (options.config.empty())
    throw UsageError("--config", "is missing", "for example data/studies/information-loss.json");
  if (options.output.empty()) throw UsageError("--output", "is missing", "name a folder for the study");
}

void make_folders(const fs::path& folder) {
  for (const char* part : {"runs", "results", "outputs", "figures"}) {
    std::error_code failure;
    fs::create_directories(folder / part, failure);
    if (failure)
      throw Error(folder.string(), "cannot hold a study (" + failure.message() + ")",
                  "name another --output");
  }
}

int stopped(const char* words) {
  clear_progress();
  log_info(words);
  return stop_exit_code();
}

StudyReport report_of(const Study& study, const StudyResults& results, const fs::path& folder) {
  try {
    return study_report(study, results);
  } catch (const Json::exception&) {
    throw Error((folder / "results").string(), "holds damaged results", "remove it: all is measured again");
  }
}

int run_study(const StudyCommandOptions& options) {
  check(options);
  keep_few_shapes();
  Study study = Study::load(options.config);
  replace_text(study, options.text);
  for (const Study::Run& run : study.runs) open_device(device_of(run, options));  // refused at once
  const TestText test(study.test);
  make_folders(options.output);
  const FolderLock lock(options.output, "study", "wait for its end or name another --output");
  const auto runs = seeded_runs(study, options);
  const Json text = training_text(study), test_text = fingerprints_json(study.test);
  std::vector<Json> bases;
  std::vector<std::optional<Json>> results;
  std::vector<TrainingJob> jobs;
  std::vector<const SeededRun*> in_training;
  for (const SeededRun& run : runs) {
    const Json training = training_basis(run, text);
    bases.push_back(result_basis(study, run, training, test_text));
    results.push_back(earlier_result(run, bases.back()));
    if (results.back()) continue;
    if (auto job = job_of(run, training, device_of(*run.run, options))) {
      jobs.push_back(std::move(*job));
      in_training.push_back(&run);
    }
  }
  const int64_t at_a_time = runs_at_a_time(study, options);
  watch_stop_signals();
  if (!run_training_jobs(jobs, at_a_time, [] { return stop_signal() != 0; }))
    return stopped("stopped and saved; the same command goes on");
  settle_training(study, in_training, text);
  use_threads(0);
  StudyResults by_run;
  for (size_t i = 0; i < runs.size(); ++i) {
    const SeededRun& run = runs[i];
    if (stop_signal() != 0) return stopped("stopped; the same command goes on");
    if (!results[i]) {
      show_progress(fmt::format("measuring {} ({} of {})", run.name, i + 1, runs.size()));
      std::vector<std::string> outputs;
      const std::string device = device_of(*run.run, options);
      Json result =
          measure_run(study, test, run.directory, open_device(device), run.repetition == 0, outputs);
      result["conditions"] = conditions_now(run, at_a_time, device);
      std::string lines;
      for (const auto& line : outputs) lines += line + "\n";
      write_file(run.outputs, lines);
      write_file(run.result, dump_json({{"basis", bases[i]}, {"result", std::move(result)}}, 1) + "\n");
      results[i] = earlier_result(run, bases[i]);  // as any later call will see it
    }
    by_run[run.run->name].push_back(std::move(results[i].value()));
  }
  clear_progress();
  const fs::path folder = options.output;
  const StudyReport report = report_of(study, by_run, folder);
  for (const auto& [name, svg] : report.figures) write_file(folder / "figures" / name, svg);
  write_file(folder / "report.json", dump_json(report.json, 1) + "\n");
  write_file(folder / "report.html", report.html);
  for (const Json& claim : report.json["claims"])
    log_info(claim["text"].get<std::string>() + " " + claim["verdict"].get<std::string>());
  log_info((folder / "report.html").string());
  return 0;
}

}  // namespace

void add_study(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("study",
                                     "Compares architectures on the same text.\n\n"
                                     "Trains each with the same budget, translates a test text and writes "
                                     "report.html: scores overall and by "
                                     "source length, copying of unseen words, repetition, gradient flow, "
                                     "speed, memory and heat maps. A study that "
                                     "was stopped or killed goes on when the same command is given again.");
  command->footer(
      "Examples:\n"
      "  seq2seq study --config data/studies/small.json --output study\n"
      "  seq2seq study --config data/studies/information-loss.json --output mine \\\n"
      "    --train my.jsonl --valid valid.jsonl --test test.jsonl");
  auto flags = std::make_shared<Flags<StudyCommandOptions>>(*command);
  command->callback([flags, &exit_code] {
    const StudyCommandOptions options = flags->resolve();
    if (options.quiet) set_log_level(LogLevel::quiet);
    exit_code = run_study(options);
  });
}

}  // namespace seq2seq
