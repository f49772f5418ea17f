#include "seq2seq/decode/self_test.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <stdexcept>

#include "seq2seq/core/error.h"
#include "seq2seq/core/json.h"
#include "seq2seq/core/random.h"
#include "seq2seq/data/batch.h"
#include "seq2seq/decode/search.h"
#include "seq2seq/decode/target_scores.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq {
namespace {

std::vector<std::vector<int64_t>> drawn_sources(const TranslationModel& model) {
  const int64_t vocabulary = model.text.source->vocabulary().size();
  Random random(1);
  std::vector<std::vector<int64_t>> sources;
  for (const int64_t length : {3, 7, 15}) {
    std::vector<int64_t>& source = sources.emplace_back();
    for (int64_t i = 0; i < std::min(length, model.maximum_length); ++i) {
      const auto word = static_cast<int64_t>(random.below(static_cast<uint64_t>(vocabulary)));
      source.push_back(std::max(word, Vocabulary::unknown));
      if (word == Vocabulary::begin || word == Vocabulary::end) source.back() = Vocabulary::unknown;
    }
    if (source.size() > 1) source[1] = model.text.form.copying ? vocabulary + 1 : Vocabulary::unknown;
    if (model.text.form.sentences && source.size() > 5) source[4] = Vocabulary::begin;
    source.push_back(Vocabulary::end);
  }
  return sources;
}

/// Throws std::runtime_error for an unknown one.
WeightFormat recorded_format(const Json& one) {
  const std::string name = one.value("weights", option_name(WeightFormat::float32));
  for (const WeightFormat format : {WeightFormat::float32, WeightFormat::bfloat16, WeightFormat::int8})
    if (option_name(format) == name) return format;
  throw std::runtime_error("unknown format");
}

SourceBatch batch_of(std::span<const std::vector<int64_t>> sources) {
  std::vector<Example> examples;
  for (const auto& source : sources)  // make_batch appends </s> to each
    examples.push_back({examples.size(), {source.begin(), source.end() - 1}, {}});
  return to_tensors(make_batch(examples)).source;
}

}  // namespace

SelfTest self_test(const std::vector<std::vector<int64_t>>& sources, Scorer& scorer, int64_t batch_size) {
  SearchOptions greedy;
  greedy.beam_size = 1;
  greedy.max_length = self_test_length;
  SelfTest test;
  for (size_t begin = 0; begin < sources.size(); begin += static_cast<size_t>(batch_size)) {
    const size_t end = std::min(sources.size(), begin + static_cast<size_t>(batch_size));
    const auto found = search(scorer, batch_of(std::span(sources).subspan(begin, end - begin)), greedy);
    for (size_t i = begin; i < end; ++i) {
      const Hypothesis& best = found[i - begin].best();
      test.push_back({sources[i], best.tokens, best.log_probability});
    }
  }
  return test;
}

SelfTest self_test(const TranslationModel& model) {
  const WeightFormat format = model.quantized.format;
  ModelScorer scorer(model.model, format == WeightFormat::float32
                                      ? nullptr
                                      : weight_store(model.model, model.quantized, format));
  SelfTest test = self_test(drawn_sources(model), scorer);
  for (SelfTestCase& one : test) one.weights = format;
  return test;
}

std::string to_json(const SelfTest& test) {
  Json cases = Json::array();
  for (const SelfTestCase& one : test) {
    cases.push_back(
        {{"source", one.source}, {"target", one.target}, {"log-probability", one.log_probability}});
    if (one.weights != WeightFormat::float32) cases.back()["weights"] = option_name(one.weights);
  }
  return dump_json(cases);
}

SelfTest self_test_from_json(const std::string& json, const std::string& origin, int64_t source_vocabulary) {
  SelfTest test;
  bool good = true;
  try {
    const Json cases = parse_json(json, origin);
    good = cases.is_array() && !cases.empty();
    for (const Json& one : cases)
      test.push_back({whole_numbers(one.at("source")), whole_numbers(one.at("target")),
                      one.at("log-probability").get<double>(), recorded_format(one)});
  } catch (const std::exception&) {
    good = false;
  }
  for (const SelfTestCase& one : test) {
    good = good && !one.source.empty() && one.source.back() == Vocabulary::end;
    for (const int64_t id : one.source)
      good = good && id >= 0 && id < source_vocabulary + std::ssize(one.source);
  }
  if (!good)
    throw Error(origin, "its self-test is damaged", "give a model.pt written by seq2seq train, whole");
  return test;
}

SelfTestReport replay(const SelfTest& expected, Scorer& scorer, int64_t batch_size, double allowed) {
  SelfTestReport report;
  std::vector<std::vector<int64_t>> sources;
  for (const SelfTestCase& one : expected) sources.push_back(one.source);
  const SelfTest greedy = self_test(sources, scorer, batch_size);
  for (size_t begin = 0; begin < expected.size(); begin += static_cast<size_t>(batch_size)) {
    const size_t end = std::min(expected.size(), begin + static_cast<size_t>(batch_size));
    std::vector<std::vector<int64_t>> targets;
    for (size_t i = begin; i < end; ++i) targets.push_back(expected[i].target);
    const auto found =
        score_targets(scorer, batch_of(std::span(sources).subspan(begin, end - begin)), targets);
    for (size_t i = begin; i < end; ++i) {
      ++report.cases;
      report.differing += greedy[i].target != expected[i].target;
      const double difference = std::abs(found[i - begin].log_probability - expected[i].log_probability);
      const double limit = 1e-3 + allowed * static_cast<double>(expected[i].target.size() + 1);
      // NaN must not count as agreement.
      report.beyond += !(difference < limit);
      report.difference = std::isnan(difference) ? std::numeric_limits<double>::infinity()
                                                 : std::max(report.difference, difference);
    }
  }
  return report;
}

}  // namespace seq2seq
