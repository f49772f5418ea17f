#include "seq2seq/train/validator.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <future>
#include <iterator>

#include "seq2seq/core/clock.h"
#include "seq2seq/core/error.h"
#include "seq2seq/decode/models.h"
#include "seq2seq/decode/output_formats.h"
#include "seq2seq/decode/pool.h"
#include "seq2seq/metrics/metrics.h"

namespace seq2seq {
namespace {

constexpr size_t batch_sentences = 64;

}  // namespace

Validator::Validator(const Corpus& corpus, const std::vector<uint64_t>& indices, const TextCodecs& text,
                     const ValidationOptions& options, int64_t maximum_length)
    : options_(options), text_(text) {
  std::vector<Example> examples;
  const auto limit = static_cast<size_t>(maximum_length);
  for (const uint64_t index : indices) {
    RawExample raw = corpus.at(index);
    NumberedSource source =
        number_source(*text.source, raw.source, raw.source_sentences, text.form, maximum_length);
    Example example{sources_.size(), source.ids, number_target(*text.target, raw.target, source, text.form)};
    if (example.source.empty() || example.target.empty()) {
      ++left_out_;
      continue;
    }
    if (example.target.size() > limit) example.target.resize(limit);
    sources_.push_back(std::move(raw.source));
    source_tokens_.push_back(std::move(source.tokens));
    references_.push_back({std::move(raw.target)});
    std::move(raw.references.begin(), raw.references.end(), std::back_inserter(references_.back()));
    examples.push_back(std::move(example));
  }
  if (examples.empty())
    throw Error(
        corpus.files().describe(),
        "has no usable validation example: a side of each is empty, as at " + corpus.place(indices.at(0)),
        "mend the files, or validate on others");
  if (const Metric& criterion = metric_named(options.criterion);
      criterion.applies &&
      !criterion.applies(criterion.statistics({sources_, references_, sources_, text.target}).sums()))
    throw Error("--valid-criterion", "'" + options.criterion + "': " + criterion.otherwise,
                "choose another criterion, or leave rare words out with --minimum-frequency");
  scoring_ = settled_scoring(options, references_, text.target->lowercases());
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

std::vector<std::string> Validator::translate(const Seq2Seq& model) const {
  std::vector<const Example*> examples(sources_.size());
  for (const auto& batch : batches_)
    for (const Example& example : batch) examples[example.index] = &example;
  DecodingPool pool(make_scorers(model));  // copies the current weights
  std::vector<std::future<std::vector<SentenceOutputs>>> answers;
  for (size_t i = 0; i < examples.size();) {
    SearchRequest request;
    request.search.beam_size = options_.beam_size;
    const size_t end = std::min(examples.size(), i + SearchRequest::window(request.batch_size));
    for (; i < end; ++i) request.sources.push_back(examples[i]->source);
    answers.push_back(pool.search(std::move(request)));
  }
  std::vector<std::string> texts;
  for (auto& answer : answers)
    for (const auto& outputs : answer.get())
      texts.push_back(
          written(outputs.best(), *text_.target, source_tokens_[texts.size()], UnknownWords::replace));
  return texts;
}

ValidationResult Validator::run(Seq2Seq& model) const {
  const at::NoGradGuard no_grad;
  const auto begin = Clock::now();
  ValidationResult result;
  result.scores = teacher_forced(model);
  if (options_.translates()) {
    const ScoredTexts texts(translate(model), references_, sources_, text_.target, scoring_.options);
    for (const Metric* metric : scoring_.metrics)
      if (metric->of_texts()) result.scores[metric->name] = score_of(*metric, texts);
  }
  result.criterion = result.scores.at(scoring_.decisive->name);
  if (scoring_.decisive->best == Best::nearest_to_one) result.criterion = std::abs(result.criterion - 1);
  result.seconds = seconds_since(begin);
  return result;
}

}  // namespace seq2seq
