#include "seq2seq/train/validator.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iterator>

#include "seq2seq/core/error.h"
#include "seq2seq/decode/translator.h"
#include "seq2seq/metrics/score.h"
#include "seq2seq/metrics/summary.h"

namespace seq2seq {
namespace {

constexpr size_t batch_sentences = 64;

std::vector<ValidationMetric> wanted_metrics(const ValidationOptions& options) {
  std::vector<ValidationMetric> result{options.criterion};
  const auto names = option_names(ValidationMetric{});
  for (size_t i = 0; i < names.size(); ++i) {
    const auto metric = static_cast<ValidationMetric>(i);
    const bool named =
        std::find(options.metrics.begin(), options.metrics.end(), names[i]) != options.metrics.end();
    if (named && metric != options.criterion) result.push_back(metric);
  }
  return result;
}

// The metrics of text follow in the same order in these lists.
template <class Metric>
Metric counted_from(ValidationMetric first, ValidationMetric metric) {
  return static_cast<Metric>(static_cast<int>(metric) - static_cast<int>(first));
}

}  // namespace

Validator::Validator(const Corpus& corpus, const std::vector<uint64_t>& indices, const TextCodecs& text,
                     const ValidationOptions& options, int64_t maximum_length)
    : options_(options), metrics_(wanted_metrics(options)), text_(text) {
  std::vector<Example> examples;
  const auto limit = static_cast<size_t>(maximum_length);
  for (const uint64_t index : indices) {
    RawExample raw = corpus.at(index);
    NumberedSource source =
        number_source(*text.source, raw.source, raw.source_sentences, text.form, maximum_length);
    Example example{sources_.size(), source.ids, number_target(*text.target, raw.target, source, text.form)};
    if (example.source.empty() || example.target.empty()) continue;
    if (example.target.size() > limit) example.target.resize(limit);
    sources_.push_back(std::move(raw.source));
    source_tokens_.push_back(std::move(source.tokens));
    references_.push_back({std::move(raw.target)});
    std::move(raw.references.begin(), raw.references.end(), std::back_inserter(references_.back()));
    examples.push_back(std::move(example));
  }
  if (examples.empty())
    throw Error(corpus.files().describe(), "has no usable validation example",
                "give --valid-source and --valid-target");
  if (options.criterion == ValidationMetric::recovered_words &&
      recovered_words(sources_, references_, sources_, *text.target).sums()[1] == 0)
    throw Error("--valid-criterion",
                "'recovered-words': the vocabulary holds every word of the validation targets",
                "choose another criterion, or leave rare words out with --minimum-frequency");
  std::stable_sort(examples.begin(), examples.end(),
                   [](auto& a, auto& b) { return a.target.size() < b.target.size(); });
  for (size_t begin = 0; begin < examples.size(); begin += batch_sentences)
    batches_.emplace_back(
        examples.begin() + static_cast<std::ptrdiff_t>(begin),
        examples.begin() + static_cast<std::ptrdiff_t>(std::min(examples.size(), begin + batch_sentences)));
}

std::vector<Example> Validator::sample() const {
  constexpr size_t most = 16;
  const auto& middle = batches_[batches_.size() / 2];
  return {middle.begin(), middle.begin() + static_cast<std::ptrdiff_t>(std::min(most, middle.size()))};
}

std::map<std::string, double> Validator::teacher_forced(Seq2Seq& model) const {
  double nll = 0, correct = 0, tokens = 0;
  for (const auto& examples : batches_) {
    const Batch batch = make_batch(examples);
    const TensorBatch tensors = to_tensors(batch, model->device());
    const Memory memory = model->encode(tensors.source);
    const StepSequence steps = model->decode(memory, tensors.target_input);
    Output& output = model->output();
    nll += output->loss(steps, memory, tensors.target_output, 0.0, tensors.target_places)
               .negative_log_likelihood.item<double>();
    correct += output->correct(steps, memory, tensors.target_output).sum().item<double>();
    tokens += static_cast<double>(batch.target_tokens);
  }
  return {
      {"loss", nll / tokens}, {"perplexity", std::exp(nll / tokens)}, {"accuracy", 100 * correct / tokens}};
}

std::vector<std::string> Validator::translate(Seq2Seq& model) const {
  SearchOptions search_options;
  search_options.beam_size = options_.beam_size;
  search_options.length_penalty = LengthPenalty::average;
  ModelScorer scorer(model);
  std::vector<std::string> result(sources_.size());
  for (const auto& examples : batches_) {
    const auto found =
        search(scorer, to_tensors(make_batch(examples), model->device()).source, search_options);
    for (size_t i = 0; i < examples.size(); ++i) {
      result[examples[i].index] =
          written(found[i].at(0), *text_.target, source_tokens_[examples[i].index], UnknownWords::replace);
    }
  }
  return result;
}

ValidationResult Validator::run(Seq2Seq& model) const {
  const at::NoGradGuard no_grad;
  const auto begin = std::chrono::steady_clock::now();
  ValidationResult result;
  result.scores = teacher_forced(model);
  if (std::any_of(metrics_.begin(), metrics_.end(), needs_translation)) {
    const auto translations = translate(model);
    for (const ValidationMetric metric : metrics_) {
      if (!needs_translation(metric)) continue;
      result.scores[option_name(metric)] =
          metric < ValidationMetric::repetition
              ? score_corpus(counted_from<MetricName>(ValidationMetric::bleu, metric), translations,
                             references_)
              : score_summaries(counted_from<SummaryMetric>(ValidationMetric::repetition, metric),
                                translations, references_, sources_, *text_.target);
    }
  }
  result.criterion = result.scores.at(option_name(options_.criterion));
  if (options_.criterion == ValidationMetric::length_ratio) result.criterion = std::abs(result.criterion - 1);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return result;
}

}  // namespace seq2seq
