#include "seq2seq/model/output.h"

#include <ATen/ATen.h>

#include "seq2seq/nn/top_k.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq {

OutputImpl::OutputImpl(int64_t feature_size, int64_t vocabulary, const Tensor& tied) {
  if (tied.defined()) {
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

Candidates OutputImpl::top_k(const Tensor& features, int64_t k, const std::vector<int64_t>& banned) {
  TopK best = top_k_log_softmax(linear(projected(features), weight_, bias_), k, banned, Vocabulary::end);
  return {std::move(best.log_probabilities), std::move(best.indices), std::move(best.watched)};
}

LossSums OutputImpl::loss(const Tensor& features, const Tensor& targets, double smoothing) {
  const Tensor flat = targets.reshape(-1);                                             // [B*T]
  const Tensor real = flat.ne(Vocabulary::padding).nonzero().squeeze(1);               // [R]
  const Tensor rows = features.reshape({-1, features.size(2)}).index_select(0, real);  // [R, F]
  return projected_cross_entropy(projected(rows), weight_, bias_, flat.index_select(0, real), smoothing);
}

Tensor OutputImpl::correct(const Tensor& features, const Tensor& targets) {
  const Tensor best = linear(projected(features), weight_, bias_).argmax(-1);  // [B, T]
  return best.eq(targets).logical_and(targets.ne(Vocabulary::padding));
}

}  // namespace seq2seq
