#include "seq2seq/nn/ops/top_k.h"

#include <ATen/ATen.h>

#include <functional>
#include <limits>
#include <tuple>
#include <vector>

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

/// The adjustments [A] as tensors like the scores that they change, and their places in these, flattened.
struct AdjustmentTensors {
  Tensor places, added, factors;

  AdjustmentTensors(const Adjustments& adjustments, const Tensor& scores) {
    std::vector<int64_t> at;
    std::vector<double> terms, multiples;
    for (int64_t row = 0; row < scores.size(0); ++row)
      for (const Adjustment& one : adjustments.of(static_cast<size_t>(row))) {
        at.push_back(row * scores.size(1) + one.index);
        terms.push_back(one.added);
        multiples.push_back(one.factor);
      }
    places = at::tensor(at, at::kLong).to(scores.device());
    added = at::tensor(terms, at::kDouble).to(scores.scalar_type()).to(scores.device());
    factors = at::tensor(multiples, at::kDouble).to(scores.scalar_type()).to(scores.device());
  }
};

Tensor adjusted_scores(const Tensor& log_probabilities, const AdjustmentTensors& by) {
  const Tensor scores = log_probabilities.clone(at::MemoryFormat::Contiguous);
  const Tensor before = scores.view(-1).index_select(0, by.places);
  const Tensor scaled = (before * by.factors).masked_fill(by.factors.eq(0), 0);  // 0 times infinity
  scores.view(-1).index_copy_(0, by.places, before + (scaled + by.added));
  return scores;
}

/// `log_probabilities` [N, W] are overwritten.
TopK plain_adjusted_top_k(const Tensor& log_probabilities, int64_t k, const std::vector<int64_t>& banned,
                          int64_t watched, const Adjustments& adjustments) {
  constexpr double impossible = -std::numeric_limits<double>::infinity();
  TopK result;
  result.watched = log_probabilities.select(1, watched).clone();
  for (const int64_t index : banned) log_probabilities.select(1, index).fill_(impossible);
  result.likeliest = log_probabilities.amax(1);
  const AdjustmentTensors by(adjustments, log_probabilities);
  result.adjusted = log_probabilities.reshape(-1).index_select(0, by.places);
  Tensor scores;
  std::tie(scores, result.indices) = adjusted_scores(log_probabilities, by).topk(k, 1);
  result.log_probabilities =
      log_probabilities.gather(1, result.indices).masked_fill(scores.eq(impossible), impossible);
  return result;
}

// Null: use the plain version.
const KernelSet* kernels_for_top_k(const Tensor& logits, const Adjustments& adjustments) {
  if (!logits.is_contiguous()) return nullptr;
  return kernels_for(logits, adjustments.empty() ? &KernelSet::top_k : &KernelSet::adjusted_top_k);
}

/// Undefined slots = no copying.
TopK fused_top_k(const KernelSet& kernels, const Tensor& logits, const CopyShares& shares,
                 const Tensor& slots, int64_t k, const std::vector<int64_t>& banned, int64_t watched,
                 const Adjustments& adjustments) {
  const int64_t rows = logits.size(0);
  TopK result{at::empty({rows, k}, logits.options()), at::empty({rows, k}, logits.options().dtype(at::kLong)),
              at::empty({rows}, logits.options())};
  if (!adjustments.empty()) {
    result.adjusted = at::empty({std::ssize(adjustments.all)}, logits.options());
    result.likeliest = at::empty({rows}, logits.options());
  }
  const TopKRows terms{.logits = logits,
                       .generated = contiguous_if_defined(shares.generated),
                       .copied = contiguous_if_defined(shares.copied),
                       .slots = contiguous_if_defined(slots),
                       .least_probability = least_probability,
                       .k = k,
                       .banned = banned,
                       .watched = watched,
                       .log_probabilities = result.log_probabilities,
                       .indices = result.indices,
                       .watched_value = result.watched,
                       .adjustments = adjustments.all,
                       .adjustment_begins = adjustments.begins,
                       .adjusted = result.adjusted,
                       .likeliest = result.likeliest};
  (adjustments.empty() ? kernels.top_k : kernels.adjusted_top_k)(terms);
  return result;
}

void check_adjustments(const Adjustments& adjustments, int64_t rows, int64_t width) {
  if (adjustments.empty()) return;
  TORCH_CHECK(
      std::ssize(adjustments.begins) == rows + 1 && adjustments.begins.back() == std::ssize(adjustments.all),
      "adjustments of ", std::ssize(adjustments.begins) - 1, " rows for ", rows);
  for (const Adjustment& one : adjustments.all)
    TORCH_CHECK(one.index >= 0 && one.index < width, "adjusts word ", one.index, " of ", width);
}

constexpr double least_checked = -60;

// Compares the fast and the plain `find` on `logits`. As equal values may come in any order, indices are
// compared by the scores at them, made of `log_probabilities` [N, V or V + S], and what was found is compared
// as a score.
void check_top_k(const char* name, const Tensor& logits, const Tensor& log_probabilities,
                 const Adjustments& adjustments, const std::function<TopK(const Tensor& logits)>& find) {
  const Tensor scores =
      adjustments.empty()
          ? log_probabilities
          : adjusted_scores(log_probabilities, AdjustmentTensors(adjustments, log_probabilities));
  checked(name, {logits}, [&](const std::vector<Tensor>& x) -> std::vector<Tensor> {
    const TopK best = find(x[0].clone());
    const Tensor score = scores.gather(1, best.indices),
                 changed = score - log_probabilities.gather(1, best.indices);
    // Values this small have no reliable rank.
    const Tensor unlikely = best.log_probabilities.le(least_checked).logical_or(score.le(least_checked));
    std::vector<Tensor> found{(best.log_probabilities + changed).masked_fill(unlikely, least_checked),
                              score.masked_fill(unlikely, least_checked),
                              best.watched.clamp_min(least_checked)};
    if (!adjustments.empty())
      found.insert(found.end(),
                   {best.adjusted.clamp_min(least_checked), best.likeliest.clamp_min(least_checked)});
    return found;
  });
}

}  // namespace

TopK top_k_log_softmax(const Tensor& logits, int64_t k, const std::vector<int64_t>& banned, int64_t watched,
                       const Adjustments& adjustments) {
  check_shape("logits", logits, {-1, -1});
  TORCH_CHECK(k >= 1 && k + static_cast<int64_t>(banned.size()) <= logits.size(1), "cannot take ", k, " of ",
              logits.size(1), " words when ", banned.size(), " are banned");
  check_adjustments(adjustments, logits.size(0), logits.size(1));
  if (checking(logits))
    check_top_k("top_k_log_softmax", logits, logits.log_softmax(1), adjustments,
                [&](const Tensor& x) { return top_k_log_softmax(x, k, banned, watched, adjustments); });
  if (const KernelSet* set = kernels_for_top_k(logits, adjustments))
    return fused_top_k(*set, logits, {}, {}, k, banned, watched, adjustments);
  if (!adjustments.empty())
    return plain_adjusted_top_k(logits.log_softmax(1), k, banned, watched, adjustments);
  return plain_top_k(logits, -logits.logsumexp(1, /*keepdim=*/true), k, banned, watched);
}

TopK top_k_mixture(const Tensor& logits, const CopyShares& shares, const Tensor& slots, int64_t k,
                   const std::vector<int64_t>& banned, int64_t watched, const Adjustments& adjustments) {
  check_shape("logits", logits, {-1, -1});
  check_shape("slots", slots, {-1, -1});
  check_shape("copied", shares.copied, {logits.size(0), slots.size(1)});
  check_shape("generated", shares.generated, {logits.size(0), 1});
  TORCH_CHECK(logits.size(0) % slots.size(0) == 0, "sentences must have equally many rows");
  const int64_t writable = logits.size(1) + slots.size(1);
  check_adjustments(adjustments, logits.size(0), writable);
  TORCH_CHECK(k >= 1 && k + static_cast<int64_t>(banned.size()) <= writable, "cannot take ", k, " of ",
              writable, " words when ", banned.size(), " are banned");
  const auto mixed = [&] {
    const Tensor rows = slots.repeat_interleave(logits.size(0) / slots.size(0), 0);  // [N, S]
    return mixed_log_probabilities(logits.log_softmax(-1), shares, rows);
  };
  if (checking(logits))
    check_top_k("top_k_mixture", logits, mixed(), adjustments, [&](const Tensor& x) {
      return top_k_mixture(x, shares, slots, k, banned, watched, adjustments);
    });
  if (const KernelSet* set = kernels_for_top_k(logits, adjustments))
    return fused_top_k(*set, logits, shares, slots, k, banned, watched, adjustments);
  if (!adjustments.empty()) return plain_adjusted_top_k(mixed(), k, banned, watched, adjustments);
  return plain_top_k(mixed(), {}, k, banned, watched);
}

}  // namespace seq2seq
