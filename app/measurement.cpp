#include "measurement.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "seq2seq/core/clock.h"
#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/engine/weight_store.h"
#include "seq2seq/nn/ops/linear.h"

namespace seq2seq {
namespace {

constexpr double seconds_each = 0.15;
constexpr int repetitions = 3;

/// The best of a few repetitions, the one that other load disturbed least.
double gflops(const Tensor& x, const Tensor& weight) {
  const double work = 2e-9 * static_cast<double>(x.size(0) * x.size(1) * weight.size(0));
  double best = 0;
  seq2seq::linear(x, weight);
  for (int repetition = 0; repetition < repetitions; ++repetition) {
    const auto begin = Clock::now();
    double done = 0, seconds = 0;
    while (seconds < seconds_each) {
      seq2seq::linear(x, weight);
      done += work;
      seconds = seconds_since(begin);
    }
    best = std::max(best, done / seconds);
  }
  return best;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace

Json describe_windows(const std::vector<double>& values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return {{"median", median(values)}, {"minimum", *low}, {"maximum", *high}};
}

std::vector<ProductSpeed> measure_products() {
  const c10::InferenceMode no_gradients;
  // Recurrent gates and output layers: a training batch over all steps, one step, a beam, single sentences.
  const int64_t sizes[][3] = {{4096, 512, 2048}, {4096, 512, 8000}, {224, 512, 2048}, {160, 512, 2048},
                              {160, 512, 8000},  {32, 512, 2048},   {32, 512, 8000},  {1, 512, 8000}};
  std::vector<ProductSpeed> speeds;
  for (const auto& [rows, inputs, outputs] : sizes) {
    const Tensor x = at::randn({rows, inputs}), weight = at::randn({outputs, inputs});
    ProductSpeed speed{rows, inputs, outputs, gflops(x, weight), 0};
    const ComputeScope plain(&Compute::kernels, Kernels::plain);
    speed.plain = gflops(x, weight);
    speeds.push_back(speed);
  }
  return speeds;
}

double packed_product_speed(int64_t rows, WeightFormat format) {
  const c10::InferenceMode no_gradients;
  const Tensor x = at::randn({rows, 512}), weight = at::randn({2048, 512});
  WeightStore store({weight}, format);
  const ComputeScope packed(&Compute::weights, &store);
  return gflops(x, weight);
}

double machine_speed(const std::vector<ProductSpeed>& speeds) {
  double best = 0;
  for (const ProductSpeed& speed : speeds) best = std::max({best, speed.fast, speed.plain});
  return best;
}

}  // namespace seq2seq
