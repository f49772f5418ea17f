#include "seq2seq/nn/top_k.h"

#include <ATen/ATen.h>

#include <limits>

#include "seq2seq/nn/kernels.h"
#include "seq2seq/nn/linear.h"

namespace seq2seq {

TopK top_k_log_softmax(const Tensor& logits, int64_t k, const std::vector<int64_t>& banned, int64_t watched) {
  check_shape("logits", logits, {-1, -1});
  TORCH_CHECK(k >= 1 && k + static_cast<int64_t>(banned.size()) <= logits.size(1), "cannot take ", k, " of ",
              logits.size(1), " words when ", banned.size(), " are banned");
  if (fast_kernels_allowed(logits) && logits.is_contiguous() && at::isFloatingType(logits.scalar_type()) &&
      !at::isReducedFloatingType(logits.scalar_type())) {
    const int64_t rows = logits.size(0);
    const TopK result{at::empty({rows, k}, logits.options()),
                      at::empty({rows, k}, logits.options().dtype(at::kLong)),
                      at::empty({rows}, logits.options())};
    AT_DISPATCH_FLOATING_TYPES(logits.scalar_type(), "top_k_log_softmax", [&] {
      kernels::top_k_log_softmax(
          logits.mutable_data_ptr<scalar_t>(), k, banned.data(), static_cast<int64_t>(banned.size()), watched,
          result.log_probabilities.mutable_data_ptr<scalar_t>(), result.indices.mutable_data_ptr<int64_t>(),
          result.watched.mutable_data_ptr<scalar_t>(), rows, logits.size(1));
    });
    return result;
  }
  const Tensor normalizer = logits.logsumexp(1, /*keepdim=*/true);  // [N, 1]
  const Tensor watched_logits = logits.select(1, watched).clone();
  for (const int64_t index : banned) logits.select(1, index).fill_(-std::numeric_limits<double>::infinity());
  auto [values, indices] = logits.topk(k, 1);
  return {values - normalizer, indices, watched_logits - normalizer.squeeze(1)};
}

}  // namespace seq2seq
