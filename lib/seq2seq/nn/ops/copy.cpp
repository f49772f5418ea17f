#include "seq2seq/nn/ops/copy.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/functions/utils.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "seq2seq/nn/engine/compute.h"

namespace seq2seq {
namespace {

/// Whether to compute row by row, which makes each row independent of the others, bit for bit: what LibTorch's vectorized
/// loops leave over has other bits.
bool by_rows(const Tensor& x) {
  return x.is_cpu() && x.scalar_type() == at::kFloat && !plain_now() &&
         !torch::autograd::compute_requires_grad(x);
}

float sigmoid_of(float x) {
  return 1 / (1 + std::exp(-x));
}

CopyShares shares_by_rows(const Tensor& gate, const Tensor& attention, const Tensor& slots) {
  const Tensor gates = gate.contiguous(), weights = attention.contiguous(),
               places = slots.expand_as(attention).contiguous();
  const CopyShares shares{at::empty_like(gates.narrow(-1, 0, 1), at::MemoryFormat::Contiguous),
                          at::empty_like(weights)};
  const int64_t columns = gates.size(-1), length = weights.size(-1);
  const float *logit = gates.const_data_ptr<float>(), *weight = weights.const_data_ptr<float>();
  const int64_t* slot = places.const_data_ptr<int64_t>();
  float *generated = shares.generated.mutable_data_ptr<float>(),
        *copied = shares.copied.mutable_data_ptr<float>();
  for (int64_t row = 0; row < shares.generated.numel(); ++row, logit += columns) {
    const float generating = sigmoid_of(logit[0]), copying = sigmoid_of(-logit[0]);
    float elsewhere = columns == 2 ? logit[1] : 0;
    for (int64_t s = 0; s < length; ++s, ++weight, ++slot) {
      const bool copyable = *slot >= 0;
      if (!copyable) elsewhere += *weight;
      *copied++ = copyable ? copying * *weight : 0;
    }
    *generated++ = generating + copying * elsewhere;
  }
  return shares;
}

Tensor mixed_by_rows(const Tensor& log_probabilities, const CopyShares& shares, const Tensor& slots) {
  const Tensor words = log_probabilities.contiguous(), copies = shares.copied.contiguous(),
               generation = shares.generated.contiguous(), places = slots.contiguous();
  const int64_t vocabulary = words.size(1), length = places.size(1);
  const Tensor mixed = at::empty({words.size(0), vocabulary + length}, words.options());
  const float *word = words.const_data_ptr<float>(), *copied = copies.const_data_ptr<float>();
  const int64_t* slot = places.const_data_ptr<int64_t>();
  float* to = mixed.mutable_data_ptr<float>();
  for (int64_t row = 0; row < words.size(0); ++row, word += vocabulary, to += vocabulary + length) {
    const float share = std::log(generation.const_data_ptr<float>()[row]);
    for (int64_t v = 0; v < vocabulary; ++v) to[v] = word[v] + share;
    std::fill_n(to + vocabulary, length, -std::numeric_limits<float>::infinity());
    for (int64_t s = 0; s < length; ++s, ++slot, ++copied)
      if (*slot >= 0 && *copied > 0) to[*slot] = std::log(std::exp(to[*slot]) + *copied);
  }
  return mixed;
}

}  // namespace

Tensor copy_slots(const Tensor& ids, const Tensor& copyable, const Tensor& table, int64_t source_vocabulary,
                  int64_t target_vocabulary) {
  const Tensor known = ids.lt(source_vocabulary);
  const Tensor translated = table
                                .to(at::kLong)  // Module::to(type) converts buffers, too
                                .index_select(0, ids.where(known, at::zeros_like(ids)).reshape(-1))
                                .view_as(ids);
  const Tensor words = translated.where(known, at::full_like(ids, -1));  // [B, S]
  // By sorting: comparing each position with each would need memory that grows with the square of the length.
  const Tensor rows = ids.contiguous();
  const auto [sorted, order] = rows.sort(/*stable=*/true, /*dim=*/1, /*descending=*/false);
  const Tensor first = order.gather(1, at::searchsorted(sorted, rows));  // [B, S] first occurrence
  return words.where(words.ge(0), first + target_vocabulary).where(copyable, at::full_like(ids, -1));
}

CopyShares copy_shares(const Tensor& gate, const Tensor& attention, const Tensor& slots) {
  if (by_rows(gate) && by_rows(attention)) return shares_by_rows(gate, attention, slots);
  const bool leaves_some = gate.size(-1) == 2;
  const Tensor logit = leaves_some ? gate.narrow(-1, 0, 1) : gate;
  const Tensor generating = logit.sigmoid(), copying = (-logit).sigmoid();  // [..., 1]
  const Tensor copyable = slots.ge(0).to(attention.scalar_type());          // [..., S]
  Tensor elsewhere = (attention * (1 - copyable)).sum(-1, /*keepdim=*/true);
  if (leaves_some) elsewhere = elsewhere + gate.narrow(-1, 1, 1);
  return {generating + copying * elsewhere, copying * attention * copyable};
}

Tensor copied_probability(const Tensor& copied, const Tensor& slots, const Tensor& targets) {
  const Tensor matches = slots.unsqueeze(1).eq(targets.unsqueeze(2));  // [B, T, S]
  return (copied * matches.to(copied.scalar_type())).sum(2);
}

Tensor mixed_log_probabilities(const Tensor& log_probabilities, const CopyShares& shares,
                               const Tensor& slots) {
  if (by_rows(log_probabilities)) return mixed_by_rows(log_probabilities, shares, slots);
  const Tensor generated = shares.generated * log_probabilities.exp();        // [N, V]
  const Tensor all = at::cat({generated, at::zeros_like(shares.copied)}, 1);  // [N, V + S]
  return all.scatter_add(1, slots.clamp_min(0), shares.copied).log();
}

}  // namespace seq2seq
