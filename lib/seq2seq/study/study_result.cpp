#include "seq2seq/study/study_result.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <sstream>

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/decode/explanation.h"
#include "seq2seq/decode/translator.h"
#include "seq2seq/metrics/score.h"
#include "seq2seq/metrics/summary.h"
#include "seq2seq/study/explanation_page.h"
#include "seq2seq/study/gradient_flow_chart.h"
#include "seq2seq/study/run_log.h"

namespace seq2seq {
namespace fs = std::filesystem;
namespace {

constexpr size_t flow_sentences = 16;

struct TestText {
  explicit TestText(const CorpusFiles& files);
  Corpus corpus;
  std::vector<SourceLine> lines;
  std::vector<std::string> sources;
  std::vector<int64_t> lengths;  // in words
  ReferenceLists references;
};

int64_t word_count(const std::string& text) {
  std::istringstream words(text);
  int64_t count = 0;
  for (std::string word; words >> word;) ++count;
  return count;
}

TestText::TestText(const CorpusFiles& files) : corpus(files) {
  for (uint64_t i = 0; i < corpus.size(); ++i) {
    RawExample raw = corpus.at(i);
    sources.push_back(raw.source);
    lengths.push_back(word_count(raw.source));
    lines.push_back({raw.source, raw.source_sentences, corpus.place(i), ""});
    references.push_back({std::move(raw.target)});
    std::move(raw.references.begin(), raw.references.end(), std::back_inserter(references.back()));
  }
  if (sources.empty()) throw Error(files.describe(), "is empty", "give text to test on");
}

/// Examples from short to long: where they stand in the test text.
std::vector<size_t> by_length(const std::vector<int64_t>& lengths) {
  std::vector<size_t> order(lengths.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return lengths[a] < lengths[b]; });
  return order;
}

double share_of_first_words(const std::vector<Words>& texts, const WordReferences& references) {
  double right = 0;
  for (size_t i = 0; i < texts.size(); ++i)
    right += std::any_of(references[i].begin(), references[i].end(), [&](const Words& reference) {
      return !reference.empty() && !texts[i].empty() && texts[i].front() == reference.front();
    });
  return right / static_cast<double>(texts.size());
}

Json scores_of(const std::vector<std::string>& texts, const ReferenceLists& references,
               const std::vector<std::string>& sources, const TextCodec& codec) {
  Json scores = Json::object();
  for (const MetricName metric :
       {MetricName::bleu, MetricName::chrf, MetricName::rouge1, MetricName::rouge2, MetricName::rouge_l})
    scores[option_names(metric)[static_cast<size_t>(metric)]] = score_corpus(metric, texts, references);
  const auto words = words_of(texts);
  const WordReferences reference_words = words_of_references(references);
  const auto score = [](const SentenceStatistics& statistics) { return statistics.score(statistics.sums()); };
  scores["exact"] = score(exact_matches(words, reference_words));
  scores["first_word"] = share_of_first_words(words, reference_words);
  scores["repetition"] = score(repeated_ngrams(words, 4));
  scores["length_ratio"] = score(length_ratio(words, reference_words));
  const SentenceStatistics recovered = recovered_words(texts, references, sources, codec);
  scores["recovered_words"] = recovered.sums()[1] > 0 ? Json(score(recovered)) : Json();
  return scores;
}

template <class T>
std::vector<T> chosen(const std::vector<T>& all, const std::vector<size_t>& which) {
  std::vector<T> result;
  for (const size_t i : which) result.push_back(all[i]);
  return result;
}

Json scores_by_length(const Study& study, const TestText& text, const std::vector<std::string>& outputs,
                      const TextCodec& codec) {
  Json groups = Json::array();
  int64_t low = 1;
  for (size_t group = 0; group <= study.length_limits.size(); ++group) {
    const int64_t high = group < study.length_limits.size() ? study.length_limits[group] : INT64_MAX;
    std::vector<size_t> members;
    for (size_t i = 0; i < outputs.size(); ++i)
      if (text.lengths[i] >= low && text.lengths[i] <= high) members.push_back(i);
    if (!members.empty()) {
      double words = 0;
      for (const size_t i : members) words += static_cast<double>(text.lengths[i]);
      groups.push_back({{"from", low},
                        {"to", high == INT64_MAX ? Json() : Json(high)},
                        {"sentences", members.size()},
                        {"mean-length", words / static_cast<double>(members.size())},
                        {"scores", scores_of(chosen(outputs, members), chosen(text.references, members),
                                             chosen(text.sources, members), codec)}});
    }
    low = high == INT64_MAX ? high : high + 1;
  }
  return groups;
}

/// From train.jsonl.
void add_training(Json& result, const fs::path& run) {
  double tokens = 0, seconds = 0, memory = 0;
  int64_t updates = 0;
  Json curve = Json::array(), best;
  for (const Json& line : read_run_log(run)) {
    const std::string type = line.value("type", "");
    if (type == "update") {
      tokens += line.value("target_tokens", 0.0);
      seconds += line.value("target_tokens", 0.0) / line.value("target_tokens_per_second", 1.0);
    }
    if (type == "validation") {
      memory = std::max(memory, line.value("peak_memory_mib", 0.0));
      curve.push_back({{"update", line.value("update", int64_t{0})},
                       {"target-tokens", tokens},
                       {"perplexity", line.value("perplexity", 0.0)},
                       {"accuracy", line.value("accuracy", 0.0)}});
      if (line.value("best", false)) best = line.value("update", int64_t{0});
    }
    updates = std::max(updates, line.value("update", int64_t{0}));
  }
  result["updates"] = updates;
  result["best-update"] = best;
  result["target-tokens"] = tokens;
  result["training-seconds"] = seconds;
  result["training-tokens-per-second"] = seconds > 0 ? tokens / seconds : 0;
  result["peak-memory-mib"] = memory;
  result["validation"] = std::move(curve);
}

/// Of long sources, but not the longest.
Json flow_of(const TranslationModel& model, const TestText& text) {
  const std::vector<size_t> order = by_length(text.lengths);
  const size_t count = std::min(flow_sentences, order.size());
  const size_t begin = std::min(order.size() * 3 / 4, order.size() - count);
  const std::vector<uint64_t> indices(order.begin() + static_cast<std::ptrdiff_t>(begin),
                                      order.begin() + static_cast<std::ptrdiff_t>(begin + count));
  Seq2Seq network = model.model;
  const GradientFlow flow = gradient_flow(
      network, to_tensors(make_batch(numbered_pairs(model, text.corpus, indices)), network->device()));
  return {
      {"norms", flow.norms}, {"target-steps", flow.target_steps}, {"parameter-norm", flow.parameter_norm}};
}

Json examples_of(const Study& study, const TranslationModel& model, const TestText& text,
                 const std::vector<Translation>& translations) {
  Json examples = Json::array();
  const std::vector<size_t> order = by_length(text.lengths);
  for (int64_t k = 0; k < study.examples; ++k) {
    const size_t i =
        order[order.size() * static_cast<size_t>(k + 1) / static_cast<size_t>(study.examples + 1)];
    const Translation& translation = translations[i];
    const std::string title = fmt::format("line {}", i + 1);
    examples.push_back(
        {{"line", i + 1},
         {"source", text.sources[i]},
         {"reference", text.references[i].front()},
         {"output", translation.outputs[0].text},
         {"html", model.model->has_attention() && !translation.source.ids.empty()
                      ? explanation_html(explain(model, translation.source, translation.outputs[0]), title)
                      : std::string()}});
  }
  return examples;
}

}  // namespace

Json measure_run(const Study& study, const fs::path& run, bool with_examples,
                 std::vector<std::string>& outputs) {
  const TestText text(study.test);
  const TranslationModel model = load_model(run);
  Json result;
  result["parameters"] = parameter_count(*model.model);
  result["source-vocabulary"] = model.text.source->vocabulary().size();
  result["target-vocabulary"] = model.text.target->vocabulary().size();
  add_training(result, run);

  TranslatorOptions options;
  options.search.beam_size = study.beam_size;
  options.replace_unknown = model.model->has_attention();
  Translator translator = make_translator(model, options);
  const auto begin = std::chrono::steady_clock::now();
  const std::vector<Translation> translations = translator.translate(text.lines);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  outputs.clear();
  for (const Translation& translation : translations) outputs.push_back(translation.outputs[0].text);
  result["decoding-tokens-per-second"] = static_cast<double>(translator.counts().output_tokens) / seconds;
  result["test-sentences"] = outputs.size();
  result["scores"] = scores_of(outputs, text.references, text.sources, *model.text.target);
  result["by-length"] = scores_by_length(study, text, outputs, *model.text.target);
  result["gradient-flow"] = flow_of(model, text);
  if (with_examples) result["examples"] = examples_of(study, model, text, translations);
  return result;
}

std::optional<double> value_of_group(const Json& result, const std::string& metric, size_t group) {
  const Json& value = result.at("by-length").at(group).at("scores").at(metric);
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

std::optional<double> value_of(const Json& result, const std::string& metric, const std::string& where) {
  const size_t last = result.at("by-length").size() - 1;
  if (where == "shortest") return value_of_group(result, metric, 0);
  if (where == "longest") return value_of_group(result, metric, last);
  if (where == "drop") {
    const auto shortest = value_of_group(result, metric, 0), longest = value_of_group(result, metric, last);
    return shortest && longest ? std::optional(*shortest - *longest) : std::nullopt;
  }
  const Json& value = result.at("scores").at(metric);
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

Spread spread_of(const std::vector<double>& values) {
  Spread spread;
  spread.count = values.size();
  if (values.empty()) return spread;
  for (const double value : values) spread.mean += value / static_cast<double>(values.size());
  for (const double value : values) spread.deviation += std::pow(value - spread.mean, 2);
  spread.deviation =
      values.size() > 1 ? std::sqrt(spread.deviation / static_cast<double>(values.size() - 1)) : 0.0;
  return spread;
}

Verdict judge(const Study::Claim& claim, const std::vector<Json>& higher, const std::vector<Json>& lower) {
  Verdict verdict;
  for (size_t seed = 0; seed < std::min(higher.size(), lower.size()); ++seed) {
    const auto above = value_of(higher[seed], claim.metric, claim.where),
               below = value_of(lower[seed], claim.metric, claim.where);
    if (above && below) verdict.differences.push_back(*above - *below);
  }
  verdict.spread = spread_of(verdict.differences);
  const auto positive = std::count_if(verdict.differences.begin(), verdict.differences.end(),
                                      [](double difference) { return difference > 0; });
  verdict.text = verdict.differences.empty()                   ? "cannot be told from this text"
                 : positive == std::ssize(verdict.differences) ? "holds"
                 : positive == 0                               ? "does not hold"
                                                               : "unclear";
  return verdict;
}

}  // namespace seq2seq
