#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace seq2seq::test {

/// Equal sizes, no NaN, and |a - b| <= tolerance * (1 + |b|) everywhere, on any devices.
inline ::testing::AssertionResult close(const at::Tensor& actual, const at::Tensor& expected,
                                        double tolerance = 1e-10) {
  if (!actual.defined() || !expected.defined()) return ::testing::AssertionFailure() << "undefined tensor";
  if (actual.sizes() != expected.sizes())
    return ::testing::AssertionFailure() << "sizes " << actual.sizes() << ", expected " << expected.sizes();
  if (actual.numel() == 0) return ::testing::AssertionSuccess();
  const at::Tensor a = actual.detach().to(at::kCPU, at::kDouble).reshape(-1),
                   b = expected.detach().to(at::kCPU, at::kDouble).reshape(-1);
  const at::Tensor excess = (a - b).abs() - tolerance * (1 + b.abs());
  // A NaN on either side is not <= 0.
  const at::Tensor wrong = excess.le(0).logical_not().nonzero();
  if (wrong.size(0) == 0) return ::testing::AssertionSuccess();
  const auto at = wrong[0].item<int64_t>();
  return ::testing::AssertionFailure()
         << wrong.size(0) << " of " << a.numel() << " elements differ; element " << at << " is "
         << a[at].item<double>() << ", expected " << b[at].item<double>();
}

/// Exactly equal values and sizes, on any devices.
inline ::testing::AssertionResult same(const at::Tensor& actual, const at::Tensor& expected) {
  if (at::equal(actual.cpu(), expected.cpu())) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "tensors differ: " << actual << "\nexpected: " << expected;
}

}  // namespace seq2seq::test
