#include "seq2seq/train/training_text.h"

#include <fmt/format.h>

#include <iterator>
#include <numeric>
#include <utility>

#include "seq2seq/core/error.h"
#include "seq2seq/core/json.h"
#include "seq2seq/core/log.h"
#include "seq2seq/core/random.h"
#include "seq2seq/data/fingerprint.h"
#include "seq2seq/data/numbered_corpus.h"
#include "seq2seq/train/random_streams.h"

namespace seq2seq {
namespace {

constexpr const char *training_key = "train", *validation_key = "valid";

Json content_json(const FileFingerprint& file) {
  return {{"bytes", file.bytes}, {"crc32", fmt::format("{:08x}", file.crc32)}};
}

Json fingerprints_json(const Corpus& corpus) {
  const std::vector<FileFingerprint> files = corpus.fingerprints(), texts = corpus.text_fingerprints();
  Json result = Json::array();
  for (size_t i = 0; i < files.size(); ++i) {
    Json file{{"name", files[i].name}};
    file.update(content_json(files[i]));
    if (!texts[i].same_content(files[i])) file["text"] = content_json(texts[i]);
    result.push_back(std::move(file));
  }
  return result;
}

bool same_bytes(const Json& a, const Json& b) {
  return a.value("bytes", Json()) == b.value("bytes", Json()) &&
         a.value("crc32", Json()) == b.value("crc32", Json());
}

/// Also where one is packed, or both are, but otherwise.
bool same_content(const Json& a, const Json& b) {
  return same_bytes(a, b) || same_bytes(a.value("text", a), b.value("text", b));
}

/// The files of `corpus` (null: none) that differ from `before`; of files that are no longer there, the names.
std::vector<std::string> files_other_than(const Json& before, const Corpus* corpus) {
  const Json now = corpus ? fingerprints_json(*corpus) : Json::array();
  const std::vector<std::string> paths = corpus ? corpus->files().paths() : std::vector<std::string>();
  std::vector<std::string> result;
  for (size_t i = 0; i < std::max(now.size(), before.size()); ++i)
    if (i >= now.size())
      result.push_back(before[i].value("name", "a file"));
    else if (i >= before.size() || !same_content(now[i], before[i]))
      result.push_back(paths[i]);
  return result;
}

}  // namespace

TrainingText::TrainingText(const DataOptions& data, uint64_t seed)
    : training_(data.train_files()),
      seed_(mix_seed({seed, data_stream})),
      wanted_(static_cast<uint64_t>(data.held_out)) {
  if (data.valid_files().empty())
    check_can_hold_out(training_);
  else
    validation_.emplace(data.valid_files());
}

void TrainingText::hold_out(HeldOutRule rule, const FilterOptions& filter, const TextCodecs& text) {
  if (validation_) return;
  const PairNumbering number{*text.source, *text.target, filter, text.form};
  const auto judge = [&](uint64_t index, const RawExample& raw) { return number(index, raw).verdict; };
  held_out_ = rule == HeldOutRule::any ? draw_any_held_out(training_, wanted_, seed_)
                                       : draw_held_out(training_, wanted_, seed_, filter, judge);
  log_info(fmt::format("no validation files: {} of {} training pairs held out for validation",
                       format_count(std::ssize(held_out_.examples)), format_count(pairs())));
  if (held_out_.copies > 0)
    log_warning(fmt::format(
        "too few training pairs occur once: {} {} of held-out pairs are not trained on; "
        "give validation files to train on all",
        format_count(static_cast<int64_t>(held_out_.copies)), held_out_.copies == 1 ? "copy" : "copies"));
}

void TrainingText::require_same() const {
  training_.require_same();
  if (validation_) validation_->require_same();
}

std::string TrainingText::fingerprints() const {
  Json result = Json::object();
  result[training_key] = fingerprints_json(training_);
  if (validation_) result[validation_key] = fingerprints_json(*validation_);
  return dump_json(result);
}

TrainingText::OtherFiles TrainingText::other_files(const std::string& fingerprints) const {
  const Json before = parse_json(fingerprints, "fingerprints");
  const auto files_before = [&](const char* key) { return before.value(key, Json::array()); };
  OtherFiles result{files_other_than(files_before(training_key), &training_),
                    files_other_than(files_before(validation_key), validation_ ? &*validation_ : nullptr)};
  result.other_validation = !result.validation.empty() || (!validation_ && !result.training.empty());
  return result;
}

std::vector<std::string> TrainingText::OtherFiles::paths() const {
  std::vector<std::string> all = training;
  all.insert(all.end(), validation.begin(), validation.end());
  return all;
}

std::string TrainingText::OtherFiles::problem() const {
  const char* use = validation.empty() ? "trained" : training.empty() ? "validated" : "trained and validated";
  return fmt::format("{} that the run was {} on",
                     paths().size() == 1 ? "is not the text" : "are not the texts", use);
}

void TrainingText::expect_pairs(int64_t expected) const {
  if (pairs() == expected) return;
  throw Error(
      training_.files().describe(),
      fmt::format("has {} pairs, {} when the run began", format_count(pairs()), format_count(expected)),
      "give the run its text back, or begin a new one with --initialize-from");
}

std::vector<uint64_t> TrainingText::validation_examples() const {
  if (!validation_) return held_out_.examples;
  std::vector<uint64_t> all(validation_->size());
  std::iota(all.begin(), all.end(), uint64_t{0});
  return all;
}

std::unique_ptr<Loader> TrainingText::loader(const TrainOptions& options, const TextCodecs& text,
                                             const Progress& progress) const {
  Loader::Settings settings;
  settings.batch = options.batch;
  settings.filter = options.filter;
  settings.threads = loader_threads(options);
  settings.cache_bytes = options.loader.cache_bytes();
  settings.form = text.form;
  settings.seed = seed_;
  settings.held_out = held_out_.examples;
  settings.start = progress.position;
  settings.counted = progress.counted.value_or(FilterCounts{});
  return std::make_unique<Loader>(training_, *text.source, *text.target, settings);
}

}  // namespace seq2seq
