#include "seq2seq/study/study_folder.h"

#include <fmt/format.h>

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/data/fingerprint.h"
#include "seq2seq/train/run_directory.h"

namespace seq2seq {
namespace fs = std::filesystem;
namespace {

Json fingerprints_of_files(const CorpusFiles& files) {
  Json all = Json::array();
  for (const FileFingerprint& file : fingerprints_of(files))
    all.push_back({{"name", file.name}, {"bytes", file.bytes}, {"crc32", file.crc32}});
  return all;
}

/// Fingerprints of the text that all runs of a study share.
Json training_text(const Study& study) {
  const DataOptions& data = study.runs.front().options.data;
  return {{"train", fingerprints_of_files(data.train_files())},
          {"valid", fingerprints_of_files(data.valid_files())}};
}

/// The options that a result depends on: all but the device, which may change when a run is resumed.
Json options_of_training(TrainOptions options) {
  options.run.device = RunOptions().device;
  return parse_json(options_to_json(options), "options");
}

/// Null for the defaults.
Json json_of_scoring(const MetricOptions& scoring) {
  const Json json = {{"tokenize", scoring.tokenizer.signature()},
                     {"rouge-tokenize", option_name(scoring.rouge_tokenizer)},
                     {"lowercase", scoring.lowercase}};
  const Json usual = {{"tokenize", "13a"}, {"rouge-tokenize", "rouge-score"}, {"lowercase", false}};
  return json == usual ? Json() : json;
}

/// `training` as this version writes it; an older version may have written fewer options.
Json in_present_form(Json training) {
  if (!training.is_object() || !training.contains("options")) return training;
  try {
    training["options"] =
        options_of_training(options_from_json<TrainOptions>(dump_json(training["options"], 0), "options"));
  } catch (const UsageError&) {  // unknown options: it stays different
  }
  return training;
}

fs::path beside(const SeededRun& run, const char* ending) {
  return fs::path(run.directory).concat(ending);
}

/// Records what the run is trained from and whether its training is complete.
void write_basis(const SeededRun& run, const Json& training, bool trained) {
  write_file(beside(run, ".basis.json"), dump_json({{"training", training}, {"trained", trained}}, 1) + "\n");
}

}  // namespace

std::vector<SeededRun> seeded_runs(const Study& study, const StudyPlan& plan) {
  const fs::path folder = fs::absolute(plan.output);
  std::vector<SeededRun> all;
  for (int64_t repetition = 0; repetition < plan.seeds; ++repetition)
    for (const Study::Run& run : study.runs) {
      SeededRun one;
      one.run = &run;
      one.repetition = repetition;
      one.options = run.options;
      one.options.run.seed += repetition;
      one.name = fmt::format("{}.{}", run.name, one.options.run.seed);
      one.device = plan.device.empty() ? run.options.run.device : plan.device;
      one.directory = folder / "runs" / one.name;
      one.result = folder / "results" / (one.name + ".json");
      one.outputs = folder / "outputs" / (one.name + ".txt");
      all.push_back(std::move(one));
    }
  return all;
}

void make_study_folder(const fs::path& folder) {
  for (const char* part : {"runs", "results", "outputs", "figures"}) {
    std::error_code failure;
    fs::create_directories(folder / part, failure);
    if (failure)
      throw Error(folder.string(), "cannot hold a study (" + failure.message() + ")",
                  "name another --output");
  }
}

StudyBasis::StudyBasis(const Study& study, const MetricOptions& scoring, std::string version)
    : study_(study),
      training_text_(training_text(study)),
      test_text_(fingerprints_of_files(study.test)),
      scoring_(json_of_scoring(scoring)),
      version_(std::move(version)) {}

Json StudyBasis::of_training(const SeededRun& run) const {
  return {{"options", options_of_training(run.options)},
          {"train", training_text_["train"]},
          {"valid", training_text_["valid"]}};
}

Json StudyBasis::of_result(const SeededRun& run) const {
  Json basis = {{"training", of_training(run)},
                {"test", test_text_},
                {"beam-size", study_.beam_size},
                {"length-limits", study_.length_limits},
                {"examples", run.repetition == 0 ? study_.examples : 0},
                {"program", version_}};
  if (!scoring_.is_null()) basis["scoring"] = scoring_;
  return basis;
}

bool StudyBasis::text_is_unchanged() const {
  return training_text(study_) == training_text_;
}

std::optional<Json> stored_result(const SeededRun& run, const StudyBasis& basis) {
  for (const fs::path& part : {run.result, run.outputs, run.directory})
    if (!fs::exists(part)) return std::nullopt;
  Json stored = read_json_file(run.result.string());
  if (!stored.is_object() || !stored.contains("result") || !stored.contains("basis")) return std::nullopt;
  if (stored["basis"].is_object() && stored["basis"].contains("training"))
    stored["basis"]["training"] = in_present_form(stored["basis"]["training"]);
  if (stored["basis"] != basis.of_result(run)) return std::nullopt;
  return std::move(stored["result"]);
}

void store_result(const SeededRun& run, const StudyBasis& basis, Json result,
                  const std::vector<std::string>& outputs) {
  std::string lines;
  for (const std::string& line : outputs) lines += line + "\n";
  write_file(run.outputs, lines);
  write_file(run.result,
             dump_json({{"basis", basis.of_result(run)}, {"result", std::move(result)}}, 1) + "\n");
}

std::optional<TrainingJob> job_of(const SeededRun& run, const StudyBasis& basis) {
  const Json training = basis.of_training(run);
  const bool resume = RunDirectory::can_resume(run.directory);
  Json before;
  if (const fs::path file = beside(run, ".basis.json"); fs::exists(file))
    before = read_json_file(file.string());
  if (resume && (!before.is_object() || !before.contains("training") ||
                 in_present_form(before["training"]) != training))
    throw Error(run.directory.string(), "was trained with other options or text",
                "name another --output, or remove this folder to train it again");
  if (resume && before.value("trained", Json()) == true) return std::nullopt;
  if (!resume) remove_folder(run.directory);  // killed before its first checkpoint
  write_basis(run, training, false);
  const fs::path config = beside(run, ".json");
  write_file(config, options_to_json(run.options) + "\n");
  TrainingJob job{run.name,
                  {"train", "--config", config.string(), "--run-directory", run.directory.string(),
                   "--device", run.device},
                  run.directory,
                  beside(run, ".log"),
                  run.options.limits};
  if (resume) job.arguments.emplace_back("--resume");
  return job;
}

void settle_training(const std::vector<const SeededRun*>& trained, const StudyBasis& basis) {
  if (trained.empty()) return;
  if (!basis.text_is_unchanged()) {
    for (const SeededRun* run : trained) fs::remove(beside(*run, ".basis.json"));  // none can be trusted
    const SeededRun& first = *trained.front();
    throw Error(first.options.data.train_files().describe(),
                "or its validation text changed during the study",
                "remove " + first.directory.parent_path().string() + " and begin again");
  }
  for (const SeededRun* run : trained) write_basis(*run, basis.of_training(*run), true);
}

}  // namespace seq2seq
