#include "seq2seq/model/decoder_steps.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "seq2seq/nn/engine/weight_store.h"

namespace seq2seq {

float* StepBuffer::room(int64_t count) {
  if (!memory_.defined() || memory_.numel() < count) {
    memory_ = Tensor();  // before there is another
    memory_ = at::empty({count}, at::kFloat);
    data_ = memory_.mutable_data_ptr<float>();
  }
  return data_;
}

void CarriedRows::begin(const Tensor& values) {
  const Tensor rows = values.contiguous();
  width_ = rows.size(1);
  std::copy_n(rows.const_data_ptr<float>(), rows.numel(), after_.room(rows.numel()));
}

void CarriedRows::follow(std::span<const int64_t> parents) {
  const auto size = static_cast<int64_t>(parents.size()) * width_;
  float* to = before_.room(size);
  for (const int64_t parent : parents) to = std::copy_n(after_.data() + parent * width_, width_, to);
  after_.room(size);
}

void StepLinear::product(const float* x, int64_t rows, float* y, int64_t x_stride, bool to_y) const {
  const PartScope timed(Part::products);
  count_multiply_adds(rows * inputs * outputs);
  kernels->product({.x = x,
                    .weight = weight,
                    .bias = bias,
                    .y = y,
                    .rows = rows,
                    .width = inputs,
                    .columns = outputs,
                    .x_stride = x_stride == 0 ? inputs : x_stride,
                    .y_stride = outputs,
                    .add = to_y});
}

StepWeights::StepWeights(const torch::nn::Module& module, WeightStore& store, const StepKernels& kernels)
    : named_(module.named_parameters()), store_(store), kernels_(kernels) {}

const float* StepWeights::values(const std::string& name) const {
  const Tensor& values = named_[name];
  TORCH_CHECK(values.is_contiguous(), name, " is not contiguous");
  return values.const_data_ptr<float>();
}

StepLinear StepWeights::linear(const std::string& weight, const std::string& bias) const {
  const Tensor& values = named_[weight];
  const PackedWeight* packed = store_.packed(values);
  TORCH_CHECK(packed != nullptr, weight, " is not in the store");
  return {.kernels = &kernels_,
          .weight = packed->panels(),
          .bias = has(bias) ? this->values(bias) : nullptr,
          .inputs = values.size(1),
          .outputs = values.size(0)};
}

void copy_rows(const float* from, int64_t rows, int64_t width, float* to, int64_t stride) {
  for (int64_t r = 0; r < rows; ++r) std::copy_n(from + r * width, width, to + r * stride);
}

std::vector<int64_t> lengths_of(const Tensor& mask) {
  const Tensor lengths = mask.sum(1);
  return {lengths.const_data_ptr<int64_t>(), lengths.const_data_ptr<int64_t>() + lengths.numel()};
}

}  // namespace seq2seq
