#include "seq2seq/model/output.h"

#include <ATen/ATen.h>

#include <limits>
#include <tuple>

#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/engine/weight_store.h"
#include "seq2seq/nn/layers/initializer.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq {
namespace {

/// The best of logits [N, W]; overwrites them.
Candidates best_candidates(const Tensor& logits, const Step& step, const Memory& memory, int64_t k,
                           const std::vector<int64_t>& banned, const Adjustments& adjustments) {
  TopK best;
  if (step.copy_gate.defined()) {
    // With hypotheses viewed as [B, K, .], the slots need not be copied for each of them.
    const auto by_sentence = [&](const Tensor& rows) {
      return rows.view({memory.count(), -1, rows.size(1)});
    };
    const CopyShares shares =
        copy_shares({{}, by_sentence(step.attention), by_sentence(step.copy_gate)}, memory);
    best = top_k_mixture(logits, {shares.generated.flatten(0, 1), shares.copied.flatten(0, 1)},
                         memory.copy_slots(), k, banned, Vocabulary::end, adjustments);
  } else {
    best = top_k_log_softmax(logits, k, banned, Vocabulary::end, adjustments);
  }
  return {std::move(best.log_probabilities), std::move(best.indices), std::move(best.watched),
          std::move(best.adjusted), std::move(best.likeliest)};
}

/// One product with the words of all sentences, of which each row [N, E] keeps those of its own: [N, W].
Tensor sentence_logits(const Tensor& features, const OutputWords& words) {
  const ComputeScope packed(&Compute::weights, words.packed.get());
  const Tensor all = linear(features, words.weight, words.bias);  // [N, U]
  const Tensor by_sentence = all.view({words.places.size(0), -1, all.size(1)});
  const Tensor places = words.places.unsqueeze(1).expand({-1, by_sentence.size(1), -1});
  return by_sentence.gather(2, places)
      .masked_fill_(words.padding.unsqueeze(1), -std::numeric_limits<double>::infinity())
      .flatten(0, 1);
}

}  // namespace

CopyShares copy_shares(const StepSequence& steps, const Memory& memory) {
  return copy_shares(steps.copy_gate, steps.attention, memory.copy_slots().unsqueeze(1));
}

OutputImpl::OutputImpl(int64_t feature_size, int64_t vocabulary, const Tensor& tied) : tied_(tied.defined()) {
  if (tied_) {
    weight_ = tied;  // registered by its owner
    if (tied.size(1) != feature_size)
      reduce_ = register_module("reduce", Linear(feature_size, tied.size(1), false));
  } else {
    weight_ = register_parameter("weight", at::empty({vocabulary, feature_size}));
  }
  bias_ = register_parameter("bias", at::empty({vocabulary}));
}

Tensor OutputImpl::projected(const Tensor& features) {
  return reduce_ ? reduce_->forward(features) : features;
}

Tensor OutputImpl::log_probabilities(const Tensor& features) {
  return linear(projected(features), weight_, bias_).log_softmax(-1);
}

Tensor OutputImpl::log_probabilities(const Step& step, const Memory& memory) {
  const Tensor words = log_probabilities(step.features);
  if (!step.copy_gate.defined()) return words;
  const int64_t hypotheses = step.features.size(0) / memory.count();
  const Tensor slots = memory.copy_slots().repeat_interleave(hypotheses, 0);  // [N, S]
  return mixed_log_probabilities(words, copy_shares(step.copy_gate, step.attention, slots), slots);
}

OutputWords OutputWords::select(const Tensor& rows) const {
  OutputWords selected = *this;
  selected.places = places.index_select(0, rows);
  selected.padding = padding.index_select(0, rows);
  return selected;
}

OutputWords OutputImpl::words(const Tensor& ids) const {
  const Tensor padding = ids.lt(0);
  const Tensor all = std::get<0>(at::_unique(ids.masked_select(padding.logical_not())));  // ascending
  OutputWords words{.weight = weight_.index_select(0, all),
                    .bias = bias_.index_select(0, all),
                    .places = at::searchsorted(all, ids),
                    .padding = padding,
                    .packed = nullptr};
  WeightStore* store = Compute::now().weights;
  if (store == nullptr) return words;
  words.packed = std::make_shared<WeightStore>(std::vector<Tensor>{words.weight}, store->format());
  if (const QuantizedWeight* rows = store->rows(weight_)) words.packed->keep(words.weight, rows->select(all));
  return words;
}

Candidates OutputImpl::top_k(const Step& step, const Memory& memory, int64_t k,
                             const std::vector<int64_t>& banned, const Adjustments& adjustments) {
  return best_candidates(linear(projected(step.features), weight_, bias_), step, memory, k, banned,
                         adjustments);
}

Candidates OutputImpl::top_k(const Step& step, const Memory& memory, int64_t k,
                             const std::vector<int64_t>& banned, const Adjustments& adjustments,
                             const OutputWords& words) {
  return best_candidates(sentence_logits(projected(step.features), words), step, memory, k, banned,
                         adjustments);
}

LossSums OutputImpl::loss(const StepSequence& steps, const Memory& memory, const Tensor& targets,
                          double smoothing, const Tensor& places) {
  const Tensor flat = targets.reshape(-1);                                                            // [B*T]
  const Tensor real = places.defined() ? places : flat.ne(Vocabulary::padding).nonzero().squeeze(1);  // [R]
  const Tensor rows = steps.features.reshape({-1, steps.features.size(2)}).index_select(0, real);  // [R, F]
  CopyMixture mixture;
  if (steps.copy_gate.defined()) {
    const CopyShares shares = copy_shares(steps, memory);
    mixture.generated = shares.generated.reshape(-1).index_select(0, real);
    mixture.copied =
        copied_probability(shares.copied, memory.copy_slots(), targets).reshape(-1).index_select(0, real);
  }
  return projected_cross_entropy(projected(rows), weight_, bias_, flat.index_select(0, real), smoothing,
                                 mixture);
}

Tensor OutputImpl::correct(const StepSequence& steps, const Memory& memory, const Tensor& targets) {
  Tensor best;
  if (steps.copy_gate.defined()) {
    best = log_probabilities(steps.as_hypotheses(), memory).argmax(-1).view(targets.sizes());
  } else {
    best = linear(projected(steps.features), weight_, bias_).argmax(-1);  // [B, T]
  }
  return best.eq(targets).logical_and(targets.ne(Vocabulary::padding));
}

void OutputImpl::initialize(Initializer& initializer) {
  if (!tied_) initializer.matrix(weight_);
  initializer.constant(bias_, 0);
  if (reduce_) reduce_->initialize(initializer);
}

}  // namespace seq2seq
