#include "seq2seq/nn/ops/top_k.h"

#include <ATen/ATen.h>

#include <functional>
#include <limits>

#include "seq2seq/nn/ops/checked.h"
#include "seq2seq/nn/ops/cross_entropy.h"
#include "seq2seq/nn/ops/kernel_sets.h"
#include "seq2seq/nn/ops/optional_operands.h"

namespace seq2seq {
namespace {

/// Top k of scores [N, W]; scores plus `shift` [N, 1] (undefined = 0) are log-probabilities.
TopK plain_top_k(const Tensor& scores, const Tensor& shift, int64_t k, const std::vector<int64_t>& banned,
                 int64_t watched) {
  const Tensor watched_scores = scores.select(1, watched).clone();
  for (const int64_t index : banned) scores.select(1, index).fill_(-std::numeric_limits<double>::infinity());
  auto [values, indices] = scores.topk(k, 1);
  if (!shift.defined()) return {values, indices, watched_scores};
  return {values + shift, indices, watched_scores + shift.squeeze(1)};
}

// Null: use the plain version.
const KernelSet* kernels_for_top_k(const Tensor& logits) {
  return logits.is_contiguous() ? kernels_for(logits, &KernelSet::top_k) : nullptr;
}

/// Undefined slots = no copying.
TopK fused_top_k(const KernelSet& kernels, const Tensor& logits, const CopyShares& shares,
                 const Tensor& slots, int64_t k, const std::vector<int64_t>& banned, int64_t watched) {
  const int64_t rows = logits.size(0);
  const TopK result{at::empty({rows, k}, logits.options()),
                    at::empty({rows, k}, logits.options().dtype(at::kLong)),
                    at::empty({rows}, logits.options())};
  kernels.top_k({.logits = logits,
                 .generated = contiguous_if_defined(shares.generated),
                 .copied = contiguous_if_defined(shares.copied),
                 .slots = contiguous_if_defined(slots),
                 .least_probability = least_probability,
                 .k = k,
                 .banned = banned,
                 .watched = watched,
                 .log_probabilities = result.log_probabilities,
                 .indices = result.indices,
                 .watched_value = result.watched});
  return result;
}

constexpr double least_checked = -60;

// Compares the fast and the plain `find` on `logits`. As equal values may come in any order, indices are
// compared by the values of `log_probabilities` [N, V or V + S] at them.
void check_top_k(const char* name, const Tensor& logits, const Tensor& log_probabilities,
                 const std::function<TopK(const Tensor& logits)>& find) {
  checked(name, {logits}, [&](const std::vector<Tensor>& x) -> std::vector<Tensor> {
    const TopK best = find(x[0].clone());
    // Values this small have no reliable rank.
    const Tensor unlikely = best.log_probabilities.le(least_checked);
    return {best.log_probabilities.masked_fill(unlikely, least_checked),
            log_probabilities.gather(1, best.indices).masked_fill(unlikely, least_checked),
            best.watched.clamp_min(least_checked)};
  });
}

}  // namespace

TopK top_k_log_softmax(const Tensor& logits, int64_t k, const std::vector<int64_t>& banned, int64_t watched) {
  check_shape("logits", logits, {-1, -1});
  TORCH_CHECK(k >= 1 && k + static_cast<int64_t>(banned.size()) <= logits.size(1), "cannot take ", k, " of ",
              logits.size(1), " words when ", banned.size(), " are banned");
  if (checking(logits))
    check_top_k("top_k_log_softmax", logits, logits.log_softmax(1),
                [&](const Tensor& x) { return top_k_log_softmax(x, k, banned, watched); });
  if (const KernelSet* set = kernels_for_top_k(logits))
    return fused_top_k(*set, logits, {}, {}, k, banned, watched);
  return plain_top_k(logits, -logits.logsumexp(1, /*keepdim=*/true), k, banned, watched);
}

TopK top_k_mixture(const Tensor& logits, const CopyShares& shares, const Tensor& slots, int64_t k,
                   const std::vector<int64_t>& banned, int64_t watched) {
  check_shape("logits", logits, {-1, -1});
  check_shape("slots", slots, {-1, -1});
  check_shape("copied", shares.copied, {logits.size(0), slots.size(1)});
  check_shape("generated", shares.generated, {logits.size(0), 1});
  TORCH_CHECK(logits.size(0) % slots.size(0) == 0, "sentences must have equally many rows");
  const int64_t writable = logits.size(1) + slots.size(1);
  TORCH_CHECK(k >= 1 && k + static_cast<int64_t>(banned.size()) <= writable, "cannot take ", k, " of ",
              writable, " words when ", banned.size(), " are banned");
  const auto mixed = [&] {
    const Tensor rows = slots.repeat_interleave(logits.size(0) / slots.size(0), 0);  // [N, S]
    return mixed_log_probabilities(logits.log_softmax(-1), shares, rows);
  };
  if (checking(logits))
    check_top_k("top_k_mixture", logits, mixed(),
                [&](const Tensor& x) { return top_k_mixture(x, shares, slots, k, banned, watched); });
  if (const KernelSet* set = kernels_for_top_k(logits))
    return fused_top_k(*set, logits, shares, slots, k, banned, watched);
  return plain_top_k(mixed(), {}, k, banned, watched);
}

}  // namespace seq2seq
