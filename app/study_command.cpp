#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <torch/version.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <ctime>
#include <fstream>
#include <memory>
#include <thread>

#include "commands.h"
#include "flags.h"
#include "memory_blocks.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/json.h"
#include "seq2seq/core/log.h"
#include "seq2seq/data/fingerprint.h"
#include "seq2seq/study/study.h"
#include "seq2seq/study/study_report.h"
#include "seq2seq/study/study_result.h"
#include "training_jobs.h"

namespace seq2seq {
namespace fs = std::filesystem;
namespace {

volatile std::sig_atomic_t received_signal = 0;

// The first signal lets runs save; the second has its usual effect.
void on_signal(int signal) {
  received_signal = signal;
  std::signal(signal, SIG_DFL);
}

struct StudyCommandOptions {
  std::string config, output;
  StudyText text;
  int64_t seeds = 1, jobs = 0;
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

/// What a result depends on: as long as it is the same, the run is not measured again.
Json basis_of(const Study& study, const SeededRun& run) {
  Json test = Json::array();
  for (const FileFingerprint& file : fingerprints_of(study.test))
    test.push_back({{"name", file.name}, {"bytes", file.bytes}, {"crc32", file.crc32}});
  return {{"options", parse_json(options_to_json(run.options), "options")},
          {"test", std::move(test)},
          {"beam-size", study.beam_size},
          {"length-limits", study.length_limits},
          {"examples", study.examples},
          {"program", SEQ2SEQ_VERSION}};
}

/// What was measured before; nothing when it has to be measured (again).
std::optional<Json> earlier_result(const SeededRun& run, const Json& basis) {
  if (!fs::exists(run.result)) return std::nullopt;
  Json stored = read_json_file(run.result.string());
  if (!stored.contains("basis") || stored["basis"] != basis) return std::nullopt;
  return std::move(stored["result"]);
}

TrainingJob job_of(const SeededRun& run) {
  const fs::path log = fs::path(run.directory).concat(".log"),
                 config = fs::path(run.directory).concat(".json");
  write_file(config, options_to_json(run.options) + "\n");
  TrainingJob job{run.name,
                  {"train", "--config", config.string(), "--run-directory", run.directory.string()},
                  run.directory,
                  log,
                  run.options.limits.max_updates};
  if (fs::exists(run.directory / "last")) job.arguments.emplace_back("--resume");
  return job;
}

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "an unknown processor";
}

std::string conditions_of(const Study& study, const StudyCommandOptions& options, int64_t at_a_time) {
  const std::time_t now = std::time(nullptr);
  char date[16];
  std::strftime(date, sizeof date, "%Y-%m-%d", std::gmtime(&now));
  const int64_t threads = study.runs.front().options.run.threads;
  return fmt::format(
      "seq2seq {} with LibTorch {} on {} ({} cores), {}. {} architectures, {} {} each, trained {} at a time "
      "with {} "
      "thread{} each; decoding with beam {} and all cores. Speeds of training are those of runs beside one "
      "another.",
      SEQ2SEQ_VERSION, TORCH_VERSION, processor_name(), std::thread::hardware_concurrency(), date,
      study.runs.size(), options.seeds, options.seeds == 1 ? "seed" : "seeds", at_a_time,
      threads > 0 ? std::to_string(threads) : std::string("all"), threads == 1 ? "" : "s", study.beam_size);
}

int64_t runs_at_a_time(const Study& study, int64_t wanted) {
  if (wanted > 0) return wanted;
  int64_t threads = 1;
  for (const auto& run : study.runs) {
    if (run.options.run.threads == 0 || run.options.run.device != "cpu") return 1;
    threads = std::max(threads, run.options.run.threads);
  }
  return std::max<int64_t>(1, std::thread::hardware_concurrency() / threads);
}

void check(const StudyCommandOptions& options) {
  if (options.config.empty())
    throw UsageError("--config", "is missing", "for example data/studies/information-loss.json");
  if (options.output.empty()) throw UsageError("--output", "is missing", "name a folder for the study");
}

int run_study(const StudyCommandOptions& options) {
  check(options);
  keep_few_shapes();
  Study study = Study::load(options.config);
  replace_text(study, options.text);
  Corpus(study.test);  // says at once what is wrong with it
  for (const char* part : {"runs", "results", "outputs", "figures"})
    fs::create_directories(fs::path(options.output) / part);
  const auto runs = seeded_runs(study, options);
  std::vector<std::optional<Json>> results;
  std::vector<TrainingJob> jobs;
  for (const SeededRun& run : runs) {
    results.push_back(earlier_result(run, basis_of(study, run)));
    if (!results.back()) jobs.push_back(job_of(run));
  }
  const int64_t at_a_time = runs_at_a_time(study, options.jobs);
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  if (!run_training_jobs(jobs, at_a_time, [] { return received_signal != 0; })) {
    log_info("stopped and saved; the same command goes on");
    return 0;
  }
  StudyResults by_run;
  for (size_t i = 0; i < runs.size(); ++i) {
    if (received_signal != 0) {
      clear_progress();
      log_info("stopped; the same command goes on");
      return 0;
    }
    if (!results[i]) {
      show_progress(fmt::format("measuring {} ({} of {})", runs[i].name, i + 1, runs.size()));
      std::vector<std::string> outputs;
      results[i] = measure_run(study, runs[i].directory, runs[i].repetition == 0, outputs);
      std::string text;
      for (const auto& line : outputs) text += line + "\n";
      write_file(runs[i].outputs, text);
      write_file(runs[i].result,
                 dump_json({{"basis", basis_of(study, runs[i])}, {"result", *results[i]}}, 1) + "\n");
    }
    by_run[runs[i].run->name].push_back(std::move(*results[i]));
  }
  clear_progress();
  const StudyReport report = study_report(study, by_run, conditions_of(study, options, at_a_time));
  const fs::path folder = options.output;
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
      "  seq2seq study --config data/studies/information-loss.json --output study\n"
      "  seq2seq study --config data/studies/information-loss.json --output mine --seeds 3 \\\n"
      "    --train my.jsonl --valid valid.jsonl --test test.jsonl");
  auto flags = std::make_shared<Flags<StudyCommandOptions>>(*command);
  command->callback([flags, &exit_code] {
    const StudyCommandOptions options = flags->resolve();
    if (options.quiet) set_log_level(LogLevel::quiet);
    exit_code = run_study(options);
  });
}

}  // namespace seq2seq
