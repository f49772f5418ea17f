#include "seq2seq/nn/top_k.h"

#include <ATen/ATen.h>

#include <limits>

#include "seq2seq/nn/cpu/kernels.h"
#include "seq2seq/nn/linear.h"

namespace seq2seq {
namespace {

/// Of scores [N, W] that lack `shift` [N, 1], undefined = nothing, to be log-probabilities.
TopK plain_top_k(const Tensor& scores, const Tensor& shift, int64_t k, const std::vector<int64_t>& banned,
                 int64_t watched) {
  const Tensor watched_scores = scores.select(1, watched).clone();
  for (const int64_t index : banned) scores.select(1, index).fill_(-std::numeric_limits<double>::infinity());
  auto [values, indices] = scores.topk(k, 1);
  if (!shift.defined()) return {values, indices, watched_scores};
  return {values + shift, indices, watched_scores + shift.squeeze(1)};
}

bool fusible(const Tensor& logits) {
  return fast_kernels_allowed(logits) && logits.is_contiguous() && at::isFloatingType(logits.scalar_type()) &&
         !at::isReducedFloatingType(logits.scalar_type());
}

/// `shares` null = no copying.
TopK fused_top_k(const Tensor& logits, const CopyShares* shares, const Tensor& slots, int64_t k,
                 const std::vector<int64_t>& banned, int64_t watched) {
  const int64_t rows = logits.size(0);
  const TopK result{at::empty({rows, k}, logits.options()),
                    at::empty({rows, k}, logits.options().dtype(at::kLong)),
                    at::empty({rows}, logits.options())};
  const kernels::Columns columns{k, banned.data(), static_cast<int64_t>(banned.size()), watched};
  AT_DISPATCH_FLOATING_TYPES(logits.scalar_type(), "top_k", [&] {
    kernels::Copies<scalar_t> copies;
    Tensor generated, copied, places;  // they must outlive the kernel
    if (shares != nullptr) {
      generated = shares->generated.contiguous();
      copied = shares->copied.contiguous();
      places = slots.contiguous();
      copies = {generated.const_data_ptr<scalar_t>(), copied.const_data_ptr<scalar_t>(),
                places.const_data_ptr<int64_t>(), slots.size(1), rows / slots.size(0)};
    }
    const kernels::TopKTerms<scalar_t> terms{
        .logits = logits.mutable_data_ptr<scalar_t>(),
        .columns = columns,
        .copies = copies,
        .log_probabilities = result.log_probabilities.mutable_data_ptr<scalar_t>(),
        .indices = result.indices.mutable_data_ptr<int64_t>(),
        .watched_value = result.watched.mutable_data_ptr<scalar_t>(),
        .vocabulary = logits.size(1)};
    kernels::top_k(terms, rows);
  });
  return result;
}

}  // namespace

TopK top_k_log_softmax(const Tensor& logits, int64_t k, const std::vector<int64_t>& banned, int64_t watched) {
  check_shape("logits", logits, {-1, -1});
  TORCH_CHECK(k >= 1 && k + static_cast<int64_t>(banned.size()) <= logits.size(1), "cannot take ", k, " of ",
              logits.size(1), " words when ", banned.size(), " are banned");
  if (fusible(logits)) return fused_top_k(logits, nullptr, {}, k, banned, watched);
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
  if (fusible(logits)) return fused_top_k(logits, &shares, slots, k, banned, watched);
  const Tensor rows = slots.repeat_interleave(logits.size(0) / slots.size(0), 0);  // [N, S]
  return plain_top_k(mixed_log_probabilities(logits.log_softmax(-1), shares, rows), {}, k, banned, watched);
}

}  // namespace seq2seq
