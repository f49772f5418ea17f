#include "seq2seq/nn/copy.h"

#include <ATen/ATen.h>

namespace seq2seq {

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
  const Tensor generated = shares.generated * log_probabilities.exp();        // [N, V]
  const Tensor all = at::cat({generated, at::zeros_like(shares.copied)}, 1);  // [N, V + S]
  return all.scatter_add(1, slots.clamp_min(0), shares.copied).log();
}

}  // namespace seq2seq
