#pragma once

// The steps of a search, computed without operations on tensors: the fast version of Decoder::advance.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "seq2seq/model/decoder.h"
#include "seq2seq/nn/engine/part_clock.h"
#include "seq2seq/nn/engine/step_kernels.h"

namespace seq2seq {

class WeightStore;

/// The N hypotheses of a step.
struct StepInput {
  std::span<const int64_t> parents;    ///< [N] row of the step before, at first of the memory
  std::span<const int64_t> sentences;  ///< [N] row of the memory
  const float* embedded;               ///< [N, E] of the tokens by which they are longer

  int64_t rows() const { return static_cast<int64_t>(parents.size()); }
};

/// Valid until the next step.
struct StepOutput {
  float* features;   ///< [N, F]
  float* attention;  ///< [N, S]; null without attention
  float* copy_gate;  ///< [N, 1]; null when the model does not copy
};

/// The steps of a decoder in one search after the other, in memory that is kept. Each row of a result depends on its
/// own hypothesis and sentence alone, bit for bit.
class DecoderSteps {
 public:
  virtual ~DecoderSteps() = default;
  /// Begins a search: one empty hypothesis for each row of `memory`, which has been prepared.
  virtual void begin(const Memory& memory) = 0;
  virtual StepOutput advance(const StepInput& input) = 0;
};

/// Floats, in memory that grows when it is too small.
class StepBuffer {
 public:
  /// Room for `count` floats, whose values are then undefined if there was less.
  float* room(int64_t count);
  float* data() const { return data_; }

 private:
  Tensor memory_;
  float* data_ = nullptr;
};

/// What a step hands to the next, one row per hypothesis.
class CarriedRows {
 public:
  /// values [B, width], before the first step
  void begin(const Tensor& values);
  /// Makes what the step before wrote in row parents[i] row i of `before`.
  void follow(std::span<const int64_t> parents);
  const float* before() const { return before_.data(); }  ///< [N, width]
  float* after() const { return after_.data(); }          ///< [N, width], to be written

 private:
  int64_t width_ = 0;
  StepBuffer before_, after_;
};

/// A weight as steps multiply by it.
struct StepLinear {
  const StepKernels* kernels = nullptr;
  WeightPanels weight{};
  const float* bias = nullptr;
  int64_t inputs = 0, outputs = 0;

  /// x [rows, inputs], `x_stride` apart (0 = next to each other), times the weight, plus the bias, into y [rows, outputs].
  void operator()(const float* x, int64_t rows, float* y, int64_t x_stride = 0) const {
    product(x, rows, y, x_stride, false);
  }
  /// The same, added to y.
  void add(const float* x, int64_t rows, float* y) const { product(x, rows, y, 0, true); }

 private:
  void product(const float* x, int64_t rows, float* y, int64_t x_stride, bool to_y) const;
};

/// The parameters of a module by their names.
class StepWeights {
 public:
  StepWeights(const torch::nn::Module& module, WeightStore& store, const StepKernels& kernels);
  bool has(const std::string& name) const { return named_.contains(name); }
  const float* values(const std::string& name) const;
  /// NAME.weight with NAME.bias, if there is one.
  StepLinear linear(const std::string& name) const { return linear(name + ".weight", name + ".bias"); }
  StepLinear linear(const std::string& weight, const std::string& bias) const;

 private:
  torch::OrderedDict<std::string, Tensor> named_;
  WeightStore& store_;
  const StepKernels& kernels_;
};

/// y = the normalization of x [rows, width] with NAME.weight and NAME.bias; y may be x.
struct StepNorm {
  StepNorm(const StepWeights& weights, const std::string& name)
      : gain(weights.values(name + ".weight")), bias(weights.values(name + ".bias")) {}
  void operator()(const StepKernels& kernels, float* x, int64_t rows, int64_t width, float* y) const {
    const PartScope timed(Part::elementwise);
    kernels.normalize({{x, rows, width, width}, {y, rows, width, width}, gain, bias});
  }
  const float *gain, *bias;
};

/// Copies [rows, width] into rows that are `stride` apart.
void copy_rows(const float* from, int64_t rows, int64_t width, float* to, int64_t stride);

/// The lengths [B] of a mask [B, S] that is true up to each.
std::vector<int64_t> lengths_of(const Tensor& mask);

}  // namespace seq2seq
