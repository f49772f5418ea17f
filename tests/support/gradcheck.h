#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <functional>
#include <vector>

#include "fill.h"

namespace seq2seq::test {

/// Compares the gradients of f with respect to `leaves` (double, requiring gradients) with central
/// differences: every element of every leaf. f may return any tensor; its elements are weighted unequally, so
/// that errors which would cancel in a plain sum are detected.
inline ::testing::AssertionResult gradients_agree(const std::function<Tensor()>& f,
                                                  const std::vector<Tensor>& leaves, double tolerance = 1e-7,
                                                  double step = 1e-5) {
  const auto weighted = [&] {
    const Tensor value = f();
    return (value * cosine(value.sizes(), 7, 1.0)).sum();
  };
  const auto gradients = torch::autograd::grad({weighted()}, leaves, {}, /*retain_graph=*/false,
                                               /*create_graph=*/false, /*allow_unused=*/true);
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < leaves.size(); ++i) {
    TORCH_CHECK(leaves[i].scalar_type() == at::kDouble && leaves[i].is_contiguous(), "leaf ", i,
                " must be double");
    const Tensor values = leaves[i].detach().view(-1);
    const Tensor gradient =
        (gradients[i].defined() ? gradients[i] : at::zeros_like(leaves[i])).cpu().reshape(-1);
    for (int64_t j = 0; j < leaves[i].numel(); ++j) {
      const Tensor value = values[j];
      const auto before = value.item<double>();
      value.fill_(before + step);
      const auto above = weighted().item<double>();
      value.fill_(before - step);
      const auto below = weighted().item<double>();
      value.fill_(before);
      const double numeric = (above - below) / (2 * step), exact = gradient[j].item<double>();
      // Written so that NaN fails.
      if (!(std::abs(numeric - exact) <= tolerance * (1 + std::abs(numeric))))
        return ::testing::AssertionFailure()
               << "leaf " << i << " " << leaves[i].sizes() << ", element " << j << ": autograd says " << exact
               << ", differences say " << numeric;
    }
  }
  return ::testing::AssertionSuccess();
}

}  // namespace seq2seq::test
