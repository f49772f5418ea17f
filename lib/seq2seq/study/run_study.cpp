#include "seq2seq/study/run_study.h"

#include <fmt/format.h>
#include <torch/version.h>

#include <algorithm>
#include <ctime>

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/folder_lock.h"
#include "seq2seq/core/log.h"
#include "seq2seq/core/processors.h"
#include "seq2seq/model/device.h"
#include "seq2seq/study/study_folder.h"
#include "seq2seq/study/study_report.h"
#include "seq2seq/study/study_result.h"

namespace seq2seq {
namespace fs = std::filesystem;
namespace {

/// One sentence of the report: where, when and how a run was trained and measured.
std::string conditions_now(const SeededRun& run, int64_t at_a_time, const std::string& version) {
  const std::time_t now = std::time(nullptr);
  char date[16];
  std::strftime(date, sizeof date, "%Y-%m-%d", std::gmtime(&now));
  const int64_t threads = run.options.run.threads;
  return fmt::format(
      "seq2seq {} with LibTorch {} on {} ({} cores){}, {}: trained {} at a time with {} {} each, so that "
      "speeds of training are those of runs beside one another; decoding alone, with all cores.",
      version, TORCH_VERSION, processor_name(), usable_processors(),
      means_cpu(run.device) ? "" : " with " + open_device(run.device).str(), date, at_a_time,
      threads > 0 ? std::to_string(threads) : std::string("all"), threads == 1 ? "thread" : "threads");
}

int64_t runs_at_a_time(const std::vector<SeededRun>& runs, int64_t jobs) {
  if (jobs > 0) return jobs;
  int64_t threads = 1;
  for (const SeededRun& run : runs) {
    if (run.options.run.threads == 0 || !means_cpu(run.device)) return 1;
    threads = std::max(threads, run.options.run.threads);
  }
  return std::max<int64_t>(1, usable_processors() / threads);
}

using StoredResults = std::vector<std::optional<Json>>;  // one per run, empty where there is none

/// Trains the runs without a result. Returns false if it was stopped.
bool train_runs(const std::vector<SeededRun>& runs, const StoredResults& results, const StudyBasis& basis,
                const TrainingProgram& program, int64_t at_a_time,
                const std::function<bool()>& stop_requested) {
  std::vector<TrainingJob> jobs;
  std::vector<const SeededRun*> in_training;
  for (size_t i = 0; i < runs.size(); ++i) {
    if (results[i]) continue;
    if (auto job = job_of(runs[i], basis)) {
      jobs.push_back(std::move(*job));
      in_training.push_back(&runs[i]);
    }
  }
  if (!run_training_jobs(jobs, program.path, at_a_time, stop_requested)) return false;
  settle_training(in_training, basis);
  return true;
}

StudyReport report_of(const Study& study, const StudyResults& results, const fs::path& folder) {
  try {
    return study_report(study, results);
  } catch (const Json::exception&) {
    throw Error((folder / "results").string(), "holds damaged results", "remove it: all is measured again");
  }
}

StudyOutcome write_report(const Study& study, const StudyResults& results, const fs::path& folder) {
  const StudyReport report = report_of(study, results, folder);
  for (const auto& [name, svg] : report.figures) write_file(folder / "figures" / name, svg);
  write_file(folder / "report.json", dump_json(report.json, 1) + "\n");
  StudyOutcome outcome{StudyEnd::finished, {}, folder / "report.html"};
  write_file(outcome.page, report.html);
  for (const Json& claim : report.json["claims"])
    outcome.claims.push_back(claim["text"].get<std::string>() + " " + claim["verdict"].get<std::string>());
  return outcome;
}

}  // namespace

StudyOutcome run_study(const Study& study, const StudyPlan& plan, const TrainingProgram& program,
                       const std::function<bool()>& stop_requested) {
  const std::vector<SeededRun> runs = seeded_runs(study, plan);
  for (const SeededRun& run : runs) open_device(run.device);  // throws before any training
  const TestText test(study.test_files());
  make_study_folder(plan.output);
  const FolderLock lock(plan.output, "study", "wait for its end or name another --output");
  const MetricOptions scoring = scoring_of(study, test);
  const StudyBasis basis(study, scoring, program.version);
  StoredResults results;
  for (const SeededRun& run : runs) results.push_back(stored_result(run, basis));
  const int64_t at_a_time = runs_at_a_time(runs, plan.jobs);
  if (!train_runs(runs, results, basis, program, at_a_time, stop_requested))
    return {StudyEnd::stopped_training, {}, {}};
  use_threads(0);
  StudyResults by_run;
  for (size_t i = 0; i < runs.size(); ++i) {
    const SeededRun& run = runs[i];
    if (stop_requested()) {
      clear_progress();
      return {StudyEnd::stopped_measuring, {}, {}};
    }
    if (!results[i]) {
      show_progress(fmt::format("measuring {} ({} of {})", run.name, i + 1, runs.size()));
      std::vector<std::string> outputs;
      Json result = measure_run(study, test, scoring, run.directory, open_device(run.device),
                                run.repetition == 0, outputs);
      result["conditions"] = conditions_now(run, at_a_time, program.version);
      store_result(run, basis, std::move(result), outputs);
      results[i] = stored_result(run, basis);  // as later calls will read it
    }
    by_run[run.run->name].push_back(std::move(results[i].value()));
  }
  clear_progress();
  return write_report(study, by_run, plan.output);
}

}  // namespace seq2seq
