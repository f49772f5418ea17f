#include "seq2seq/decode/scorer.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "seq2seq/model/model_steps.h"
#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/engine/part_clock.h"
#include "seq2seq/nn/ops/top_k.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq {
namespace {

/// The adjustments of those words that are among `ids`, ascending, by their places there.
struct ListedAdjustments {
  Adjustments own;
  std::vector<int64_t> places;  // of `own` among all that were given

  ListedAdjustments(const Adjustments& given, const std::vector<int64_t>& ids, int64_t vocabulary) {
    const auto count = std::ssize(ids);
    for (size_t row = 0; row + 1 < given.begins.size(); ++row) {
      own.begins.push_back(std::ssize(own.all));
      for (int64_t i = given.begins[row]; i < given.begins[row + 1]; ++i) {
        Adjustment one = given.all[static_cast<size_t>(i)];
        if (one.index < vocabulary) {
          const auto found = std::lower_bound(ids.begin(), ids.end(), one.index);
          if (found == ids.end() || *found != one.index) continue;
          one.index = found - ids.begin();
        } else {
          one.index += count - vocabulary;  // a copy slot
        }
        own.all.push_back(one);
        places.push_back(i);
      }
    }
    if (!given.empty()) own.begins.push_back(std::ssize(own.all));
  }
};

}  // namespace

void Scorer::begin_with(const SourceBatch& source, const std::vector<int64_t>& /*demanded*/) {
  begin(source);
}

Expansion Scorer::expand(const Tensor& tokens, State& state, int64_t k, const std::vector<int64_t>& banned,
                         const Adjustments& adjustments) {
  Distribution next = distribution(tokens, state);
  const PartScope timed(Part::vocabulary);
  const auto type = next.log_probabilities.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  TopK top =
      top_k_log_softmax(next.log_probabilities.to(type, /*non_blocking=*/false, /*copy=*/true).contiguous(),
                        k, banned, Vocabulary::end, adjustments);
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

void ModelScorer::begin_with(const SourceBatch& source, const std::vector<int64_t>& demanded) {
  const ComputeScope packed(&Compute::weights, weights_.get());
  {
    const PartScope timed(Part::encoder);
    memory_ = model_->encode(source.to(device_));
  }
  find_steps();
  if (!shortlist_) return;
  const PartScope timed(Part::vocabulary);
  const int64_t vocabulary = model_->target_vocabulary_size();
  std::vector<int64_t> words = demanded;
  std::erase_if(words, [&](int64_t token) { return token >= vocabulary; });  // copy slots
  Tensor ids = shortlist_->words(source.ids, words).to(device_);
  if (memory_->has_copy_slots()) {
    // Positions that cannot be copied have slot -1.
    const Tensor& slots = memory_->copy_slots();
    const Tensor known = slots.ge(0).logical_and(slots.lt(vocabulary));
    ids = std::get<0>(at::_unique(at::cat({ids, slots.masked_select(known)})));
    const Tensor beyond = at::where(slots.lt(0), slots, slots - vocabulary + ids.size(0));
    memory_->replace_copy_slots(at::where(known, at::searchsorted(ids, slots), beyond));
  }
  words_ = model_->output()->words(ids);
  const Tensor plain = ids.to(at::kCPU).contiguous();
  ids_.assign(plain.const_data_ptr<int64_t>(), plain.const_data_ptr<int64_t>() + plain.numel());
}

void ModelScorer::find_steps() {
  const PartScope timed(Part::framework);
  if (weights_ && (!steps_ || steps_->outdated())) steps_ = ModelSteps::of(model_, *weights_);
}

bool ModelScorer::batch_invariant() {
  find_steps();
  return steps_ != nullptr && !shortlist_;
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
  if (!words_.ids.defined()) return model_->output()->top_k(step, *memory_, k, banned, adjustments);
  const int64_t vocabulary = model_->target_vocabulary_size(), count = words_.ids.size(0);
  const ListedAdjustments listed(adjustments, ids_, vocabulary);
  Candidates best = model_->output()->top_k(step, *memory_, k, banned, listed.own, words_);
  if (!adjustments.empty()) {  // words that are not listed have no probability
    const Tensor all = at::full({std::ssize(adjustments.all)}, -std::numeric_limits<double>::infinity(),
                                best.adjusted.options());
    best.adjusted = all.index_copy(0, at::tensor(listed.places, at::kLong).to(device_), best.adjusted);
  }
  const Tensor known =
      words_.ids.index_select(0, best.tokens.clamp_max(count - 1).flatten()).view_as(best.tokens);
  best.tokens = at::where(best.tokens.lt(count), known, best.tokens - count + vocabulary);
  return best;
}

}  // namespace seq2seq
