#include "seq2seq/study/study_result.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>

#include "seq2seq/core/clock.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/log.h"
#include "seq2seq/data/numbered_text.h"
#include "seq2seq/decode/explanation.h"
#include "seq2seq/decode/models.h"
#include "seq2seq/decode/translator.h"
#include "seq2seq/metrics/reference_check.h"
#include "seq2seq/report/explanation_page.h"
#include "seq2seq/report/gradient_flow_chart.h"
#include "seq2seq/study/study_metrics.h"
#include "seq2seq/text/utf8.h"
#include "seq2seq/train/run_log.h"

namespace seq2seq {
namespace fs = std::filesystem;
namespace {

constexpr size_t flow_sentences = 16;

int64_t word_count(const std::string& text) {
  std::istringstream words(text);
  int64_t count = 0;
  for (std::string word; words >> word;) ++count;
  return count;
}

/// Indices of the examples, by increasing length.
std::vector<size_t> by_length(const std::vector<int64_t>& lengths) {
  std::vector<size_t> order(lengths.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return lengths[a] < lengths[b]; });
  return order;
}

std::string masked_text(const std::vector<int64_t>& ids, const TextCodec& target) {
  const int64_t vocabulary = target.vocabulary().size();
  std::vector<int64_t> known;
  for (const int64_t id : ids) known.push_back(id < vocabulary ? id : Vocabulary::unknown);
  return fmt::format("{}", fmt::join(known, " "));
}

/// A model's outputs for the test text, with sources and references, line by line.
struct Outputs {
  std::vector<std::string> texts, sources;
  ReferenceLists references;
  // Outputs and first references as token ids, with all tokens outside the vocabulary as <unk>.
  std::vector<std::string> masked, masked_references;

  Outputs at(const std::vector<size_t>& lines) const;
};

template <class T>
std::vector<T> chosen(const std::vector<T>& all, const std::vector<size_t>& which) {
  std::vector<T> result;
  for (const size_t i : which) result.push_back(all[i]);
  return result;
}

Outputs Outputs::at(const std::vector<size_t>& lines) const {
  return {chosen(texts, lines), chosen(sources, lines), chosen(references, lines), chosen(masked, lines),
          chosen(masked_references, lines)};
}

std::vector<const Metric*> metrics_of_texts() {
  std::vector<const Metric*> all;
  for (const StudyMetric& one : study_metrics())
    if (!one.of_numbers) all.push_back(one.metric);
  return all;
}

ScoredTexts scored(const Outputs& outputs, const std::shared_ptr<const TextCodec>& codec,
                   const MetricOptions& scoring) {
  return {outputs.texts, outputs.references, outputs.sources, codec, scoring};
}

Json scores_of(const Outputs& outputs, const std::shared_ptr<const TextCodec>& codec,
               const MetricOptions& scoring) {
  const ScoredTexts texts = scored(outputs, codec, scoring);
  const ScoredTexts numbers(outputs.masked, single_references(outputs.masked_references));
  Json scores = Json::object();
  for (const StudyMetric& wanted : study_metrics()) {
    const auto statistics = wanted.metric->statistics(wanted.of_numbers ? numbers : texts);
    const auto sums = statistics.sums();
    const bool applies = !wanted.metric->applies || wanted.metric->applies(sums);
    scores[wanted.name] = applies ? Json(statistics.score(sums)) : Json();
  }
  return scores;
}

Json scores_by_length(const Study& study, const std::vector<int64_t>& lengths, const Outputs& outputs,
                      const std::shared_ptr<const TextCodec>& codec, const MetricOptions& scoring) {
  Json groups = Json::array();
  int64_t low = 1;
  for (size_t group = 0; group <= study.length_limits.size(); ++group) {
    const int64_t high = group < study.length_limits.size() ? study.length_limits[group] : INT64_MAX;
    std::vector<size_t> members;
    for (size_t i = 0; i < lengths.size(); ++i)
      if (lengths[i] >= low && lengths[i] <= high) members.push_back(i);
    if (!members.empty()) {
      double words = 0;
      for (const size_t i : members) words += static_cast<double>(lengths[i]);
      groups.push_back({{"from", low},
                        {"to", high == INT64_MAX ? Json() : Json(high)},
                        {"sentences", members.size()},
                        {"mean-length", words / static_cast<double>(members.size())},
                        {"scores", scores_of(outputs.at(members), codec, scoring)}});
    }
    low = high == INT64_MAX ? high : high + 1;
  }
  return groups;
}

/// Nothing if the metric does not apply to the text, or the result is of a version without it.
std::optional<double> score_in(const Json& result, const std::string& metric) {
  const Json& scores = result.at("scores");
  const auto found = scores.find(metric);
  return found != scores.end() && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
}

/// From train.jsonl.
void add_training(Json& result, const fs::path& run) {
  double logged = 0, seconds = 0, memory = 0;
  int64_t updates = 0;
  Json curve = Json::array(), best;
  for (const RunLogLine& line : RunLog::read(run)) {
    if (const auto* update = std::get_if<UpdateLine>(&line)) {
      const auto tokens = static_cast<double>(update->target_tokens);
      logged += tokens;
      seconds += tokens / update->target_tokens_per_second;
    }
    if (const auto* validation = std::get_if<ValidationLine>(&line)) {
      memory = std::fmax(memory, validation->peak_memory_mib);
      curve.push_back({{"update", validation->update},
                       {"target-tokens", static_cast<double>(validation->target_tokens)},
                       {"perplexity", validation->score("perplexity")},
                       {"accuracy", validation->score("accuracy")}});
      if (validation->best) best = validation->update;
    }
    updates = std::max(updates, logged_update(line));
  }
  result["best-update"] = best;
  result["updates"] = updates;
  result["target-tokens"] = curve.empty() ? 0.0 : curve.back().at("target-tokens").get<double>();
  result["training-seconds"] = seconds;
  result["training-tokens-per-second"] = seconds > 0 ? logged / seconds : 0;
  result["peak-memory-mib"] = memory;
  result["validation"] = std::move(curve);
}

/// Gradient flow on long sources, but not the longest.
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

TestText::TestText(const CorpusFiles& files) : corpus(files) {
  bool usable = false;
  for (uint64_t i = 0; i < corpus.size(); ++i) {
    RawExample raw = corpus.at(i);
    usable |= !is_blank(raw.source) && !is_blank(raw.target);
    sources.push_back(raw.source);
    lengths.push_back(word_count(raw.source));
    lines.push_back({raw.source, raw.source_sentences, corpus.place(i), ""});
    references.push_back({std::move(raw.target)});
    std::move(raw.references.begin(), raw.references.end(), std::back_inserter(references.back()));
  }
  if (!usable) throw Error(files.describe(), "has no pair with words on both sides", "give text to test on");
}

MetricOptions scoring_of(const Study& study, const TestText& text) {
  MetricOptions scoring;
  scoring.tokenizer = BleuTokenizer::named(study.bleu_tokenizer);
  scoring.rouge_tokenizer = settled(study.rouge_tokenizer, text.references);
  // In all runs alike, so that they can be compared.
  scoring.lowercase = std::any_of(study.runs.begin(), study.runs.end(), [](const Study::Run& run) {
    return run.options.text.normalization.lowercase;
  });
  if (study.rouge_tokenizer == RougeTokenizer::automatic)
    if (const std::string remark = remark_on_automatic(text.references, "--"); !remark.empty())
      log_warning(remark);
  for (const std::string& remark : remarks_on(metrics_of_texts(), text.references, scoring, "--"))
    log_warning(remark);
  return scoring;
}

Json measure_run(const Study& study, const TestText& text, const MetricOptions& scoring, const fs::path& run,
                 const c10::Device& device, bool with_examples, std::vector<std::string>& outputs) {
  const TranslationModel model = load_model(run, device);
  const TextCodec& target = *model.text.target;
  Json result;
  result["parameters"] = parameter_count(*model.model);
  result["source-vocabulary"] = model.text.source->vocabulary().size();
  result["target-vocabulary"] = model.text.target->vocabulary().size();
  add_training(result, run);

  TranslatorOptions options;
  options.search.beam_size = study.beam_size;
  options.replace_unknown = model.model->has_attention();
  const DecodingModels models(model);
  DecodingPool pool(models.scorers());
  Translator translator(models, pool, options);
  const auto begin = Clock::now();
  const std::vector<Translation> translations = translator.translate(text.lines);
  const double seconds = seconds_since(begin);
  Outputs all{{}, text.sources, text.references, {}, {}};
  for (size_t i = 0; i < translations.size(); ++i) {
    const Translation& translation = translations[i];
    all.texts.push_back(translation.outputs[0].text);
    all.masked.push_back(masked_text(translation.outputs[0].tokens, target));
    all.masked_references.push_back(masked_text(
        number_target(target, text.references[i].front(), translation.source, model.text.form), target));
  }
  result["decoding-tokens-per-second"] = static_cast<double>(translator.counts().output_tokens) / seconds;
  result["test-sentences"] = all.texts.size();
  result["scores"] = scores_of(all, model.text.target, scoring);
  result["signatures"] = signatures_of(metrics_of_texts(), scored(all, model.text.target, scoring));
  result["by-length"] = scores_by_length(study, text.lengths, all, model.text.target, scoring);
  outputs = std::move(all.texts);
  result["gradient-flow"] = flow_of(model, text);
  if (with_examples) result["examples"] = examples_of(study, model, text, translations);
  return result;
}

std::optional<double> value_of_group(const Json& result, const std::string& metric, size_t group) {
  return score_in(result.at("by-length").at(group), metric);
}

std::optional<double> value_of(const Json& result, const std::string& metric, const std::string& where) {
  if (where == "all") return score_in(result, metric);
  const size_t groups = result.at("by-length").size();
  if (groups < 2) return std::nullopt;  // no short and long sources
  const auto shortest = value_of_group(result, metric, 0),
             longest = value_of_group(result, metric, groups - 1);
  if (where == "shortest") return shortest;
  if (where == "longest") return longest;
  if (!shortest || !longest) return std::nullopt;
  if (where == "drop") return *shortest - *longest;
  return *shortest > 0 ? std::optional(*longest / *shortest) : std::nullopt;  // kept
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
