#include "seq2seq/nn/ops/mean_distribution.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/functions/utils.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "seq2seq/nn/ops/checked.h"
#include "seq2seq/nn/ops/kernel_sets.h"

namespace seq2seq {
namespace {

int64_t widest(const std::vector<Tensor>& members) {
  int64_t width = 0;
  for (const Tensor& one : members) width = std::max(width, one.size(1));
  return width;
}

Tensor plain_mean(DistributionMean kind, const std::vector<Tensor>& members) {
  const int64_t width = widest(members);
  std::vector<Tensor> padded;
  for (const Tensor& one : members)
    padded.push_back(one.size(1) == width ? one
                                          : at::constant_pad_nd(one, {0, width - one.size(1)},
                                                                -std::numeric_limits<double>::infinity()));
  const Tensor all = at::stack(padded);  // [members, N, W]
  return kind == DistributionMean::arithmetic
             ? all.logsumexp(0) - std::log(static_cast<double>(members.size()))
             : all.mean(0).log_softmax(1);
}

Tensor fused_mean(const KernelSet& set, DistributionMean kind, const std::vector<Tensor>& members) {
  std::vector<Tensor> rows;
  std::vector<const float*> places;
  std::vector<int64_t> widths;
  for (const Tensor& one : members) {
    rows.push_back(one.contiguous());
    places.push_back(rows.back().const_data_ptr<float>());
    widths.push_back(one.size(1));
  }
  const Tensor mean = at::empty({rows.front().size(0), widest(members)}, rows.front().options());
  set.steps->mean(kind, {.members = places.data(),
                         .widths = widths.data(),
                         .mean = mean.mutable_data_ptr<float>(),
                         .count = std::ssize(members),
                         .rows = mean.size(0),
                         .width = mean.size(1)});
  return mean;
}

bool of_floats(const Tensor& x) {
  return x.scalar_type() == at::kFloat && !torch::autograd::compute_requires_grad(x);
}

}  // namespace

Tensor mean_distribution(DistributionMean kind, const std::vector<Tensor>& log_probabilities) {
  TORCH_CHECK(!log_probabilities.empty(), "the mean of no distribution");
  const Tensor& first = log_probabilities.front();
  for (const Tensor& one : log_probabilities) check_shape("log-probabilities", one, {first.size(0), -1});
  if (!std::all_of(log_probabilities.begin(), log_probabilities.end(), of_floats))
    return plain_mean(kind, log_probabilities);
  if (checking(first))
    return checked("mean_distribution", log_probabilities, [&](const std::vector<Tensor>& operands) {
      return std::vector<Tensor>{mean_distribution(kind, operands)};
    })[0];
  const KernelSet* set = kernels_for(first, &KernelSet::steps);
  return set == nullptr ? plain_mean(kind, log_probabilities) : fused_mean(*set, kind, log_probabilities);
}

}  // namespace seq2seq
