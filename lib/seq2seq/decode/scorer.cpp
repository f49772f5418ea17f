#include "seq2seq/decode/scorer.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

#include "seq2seq/model/model_steps.h"
#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/engine/part_clock.h"
#include "seq2seq/nn/ops/top_k.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq {
void Scorer::begin_with(const SourceBatch& source, const std::vector<std::vector<int64_t>>& /*demanded*/) {
  begin(source);
}

Expansion Scorer::expand(const Tensor& tokens, State& state, int64_t k, const std::vector<int64_t>& banned,
                         const Adjustments& adjustments) {
  Distribution next = distribution(tokens, state);
  const PartScope timed(Part::vocabulary);
  const auto type = next.log_probabilities.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const int64_t width =
      next.log_probabilities.size(1);  // which varies with the longest source, for its copy slots
  const Tensor rows = at::constant_pad_nd(next.log_probabilities.to(type), {0, padded_columns(width) - width},
                                          -std::numeric_limits<double>::infinity())
                          .contiguous();
  TopK top = top_k_log_softmax(rows, k, banned, Vocabulary::end, adjustments);
  return {{std::move(top.log_probabilities), std::move(top.indices), std::move(top.watched),
           std::move(top.adjusted), std::move(top.likeliest)},
          std::move(next.attention)};
}

TargetScores Scorer::score_targets(const Tensor& inputs, const Tensor& outputs) {
  std::vector<Tensor> log_probabilities, attention;
  State state = start();
  for (int64_t t = 0; t < inputs.size(1); ++t) {
    Distribution next = distribution(inputs.select(1, t).to(device()), state);
    for (size_t row = 0; row < sums().size(); ++row)  // such a score is not a number
      if (!(std::abs(sums()[row] - 1) <= renormalized_within))
        next.log_probabilities[static_cast<int64_t>(row)].fill_(std::numeric_limits<double>::quiet_NaN());
    log_probabilities.push_back(
        next.log_probabilities.gather(1, outputs.select(1, t).to(device()).unsqueeze(1)));
    attention.push_back(std::move(next.attention));
  }
  return {at::cat(log_probabilities, 1), at::stack(attention, 1)};
}

ModelScorer::ModelScorer(Seq2Seq model, std::shared_ptr<WeightStore> weights,
                         std::shared_ptr<const Shortlist> shortlist)
    : model_(std::move(model)), weights_(std::move(weights)), shortlist_(std::move(shortlist)) {}

ModelScorer::~ModelScorer() = default;

void ModelScorer::begin_with(const SourceBatch& source, const std::vector<std::vector<int64_t>>& demanded) {
  const ComputeScope packed(&Compute::weights, weights_.get());
  {
    const PartScope timed(Part::encoder);
    memory_ = model_->encode(source.to(device_));
  }
  find_steps();
  if (!shortlist_) return;
  const PartScope timed(Part::vocabulary);
  list_words(source, demanded);
}

void ModelScorer::list_words(const SourceBatch& source, const std::vector<std::vector<int64_t>>& demanded) {
  const bool copying = memory_->has_copy_slots();
  const Tensor ids = source.ids.to(at::kCPU).contiguous(), lengths = source.lengths.to(at::kCPU).contiguous(),
               slots = copying ? memory_->copy_slots().to(at::kCPU).contiguous() : ids;
  const int64_t vocabulary = model_->target_vocabulary_size(), width = ids.size(1);
  std::vector<std::vector<int64_t>> words;
  for (int64_t i = 0; i < ids.size(0); ++i) {
    std::vector<int64_t> more = demanded.empty() ? std::vector<int64_t>{} : demanded[static_cast<size_t>(i)];
    const int64_t *own = ids.const_data_ptr<int64_t>() + i * width,
                  *slot = slots.const_data_ptr<int64_t>() + i * width;
    if (copying) more.insert(more.end(), slot, slot + width);
    std::erase_if(more, [&](int64_t token) { return token < 0 || token >= vocabulary; });
    const auto length = static_cast<size_t>(lengths.const_data_ptr<int64_t>()[i]);
    words.push_back(shortlist_->words({own, length}, std::move(more)));
  }
  words_.emplace(std::move(words), vocabulary, device_);
  if (copying) memory_->replace_copy_slots(words_->indices(slots));
  output_words_ = model_->output()->words(words_->ids());
}

void ModelScorer::find_steps() {
  const PartScope timed(Part::framework);
  if (weights_ && (!steps_ || steps_->outdated())) steps_ = ModelSteps::of(model_, *weights_);
}

bool ModelScorer::batch_invariant() {
  find_steps();
  return steps_ != nullptr;
}

std::string ModelScorer::why_no_steps() {
  return weights_ ? ModelSteps::why_none(model_) : "its weights are not packed";
}

State ModelScorer::start() {
  const PartScope timed(Part::framework);
  const ComputeScope packed(&Compute::weights, weights_.get());
  if (!steps_) return model_->start(*memory_);
  steps_->begin(*memory_);
  return State({at::arange(memory_->count())});
}

void ModelScorer::keep_sentences(const Tensor& rows) {
  const PartScope timed(Part::framework);
  if (steps_) {
    steps_->keep_sentences(rows);
    memory_ = memory_->slots_alone();
  }
  memory_ = memory_->select(rows);
  if (!words_) return;
  words_->keep_sentences(rows);
  output_words_ = output_words_.select(rows);
}

Step ModelScorer::advance(const Tensor& tokens, State& state) {
  const PartScope timed(Part::framework);
  if (steps_) {
    Step step = steps_->advance(tokens, state.tensors.front());
    state = State({at::arange(tokens.size(0))});
    return step;
  }
  Step step = model_->advance(*memory_, tokens, state);
  state = std::move(step.next);
  return step;
}

Distribution ModelScorer::distribution(const Tensor& tokens, State& state) {
  TORCH_CHECK(!shortlist_, "a shortlist leaves words out");
  const ComputeScope packed(&Compute::weights, weights_.get());
  Step step = advance(tokens, state);
  const PartScope timed(Part::vocabulary);
  return {model_->output()->log_probabilities(step, *memory_), std::move(step.attention)};
}

TargetScores ModelScorer::score_targets(const Tensor& inputs, const Tensor& outputs) {
  TORCH_CHECK(!shortlist_, "a shortlist leaves words out");
  const ComputeScope packed(&Compute::weights, weights_.get());
  const PartScope timed(Part::framework);
  const StepSequence steps = model_->decode(*memory_, inputs.to(device_));
  const PartScope timed_output(Part::vocabulary);
  // A part of the steps at a time: the distributions of all steps would need too much memory.
  const int64_t part = std::max<int64_t>(1, 1024 / inputs.size(0));
  std::vector<Tensor> found;
  for (int64_t t = 0; t < inputs.size(1); t += part) {
    const int64_t count = std::min(part, inputs.size(1) - t);
    const Tensor all =
        model_->output()->log_probabilities(steps.as_hypotheses(t, count), *memory_);  // [B * count, W]
    const Tensor wanted = outputs.narrow(1, t, count).to(device_);
    found.push_back(all.gather(1, wanted.reshape({-1, 1})).view(wanted.sizes()));
  }
  return {at::cat(found, 1), steps.attention};
}

Expansion ModelScorer::expand(const Tensor& tokens, State& state, int64_t k,
                              const std::vector<int64_t>& banned, const Adjustments& adjustments) {
  const ComputeScope packed(&Compute::weights, weights_.get());
  Step step = advance(tokens, state);
  return {top_k(step, k, banned, adjustments), std::move(step.attention)};
}

Candidates ModelScorer::top_k(const Step& step, int64_t k, const std::vector<int64_t>& banned,
                              const Adjustments& adjustments) {
  const PartScope timed(Part::vocabulary);
  if (!words_) return model_->output()->top_k(step, *memory_, k, banned, adjustments);
  const SentenceWords::Own listed = words_->own(adjustments);
  Candidates best = model_->output()->top_k(step, *memory_, k, banned, listed.adjustments, output_words_);
  if (!adjustments.empty()) {  // words that are not listed have no probability
    const Tensor all = at::full({std::ssize(adjustments.all)}, -std::numeric_limits<double>::infinity(),
                                best.adjusted.options());
    best.adjusted = all.index_copy(0, at::tensor(listed.places, at::kLong).to(device_), best.adjusted);
  }
  best.tokens = words_->tokens(best.tokens);
  return best;
}

}  // namespace seq2seq
