#include "seq2seq/nn/engine/packed_weight.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "seq2seq/core/mapped_file.h"
#include "seq2seq/nn/engine/quantization.h"

namespace seq2seq {
namespace {

constexpr const char* format_names[] = {"float32", "bfloat16", "int8"};
constexpr int64_t panel_width = PackedWeight::panel_width;
constexpr int64_t least_size = 16;

int64_t panel_count(int64_t outputs) {
  return (outputs + panel_width - 1) / panel_width;
}

/// rows [O, I] -> [panels, I / together rounded up, panel_width, together]
template <class Scalar, int64_t together>
Tensor panels_of(const Tensor& rows) {
  const int64_t outputs = rows.size(0), inputs = rows.size(1), groups = (inputs + together - 1) / together;
  const Tensor result = at::empty({panel_count(outputs), groups, panel_width, together}, rows.options());
  const Scalar* from = rows.const_data_ptr<Scalar>();
  Scalar* to = result.mutable_data_ptr<Scalar>();
  for (int64_t first = 0; first < outputs; first += panel_width, from += panel_width * inputs)
    for (int64_t group = 0; group < inputs; group += together)
      for (int64_t lane = 0; lane < panel_width; ++lane)
        for (int64_t i = group; i < group + together; ++i)
          *to++ = first + lane < outputs && i < inputs ? from[lane * inputs + i] : Scalar(0);
  return result;
}

}  // namespace

std::span<const char* const> option_names(WeightFormat) {
  return format_names;
}

QuantizedWeight quantize(const Tensor& weight) {
  const Tensor rows = weight.detach().contiguous();
  const int64_t outputs = rows.size(0), inputs = rows.size(1);
  QuantizedWeight result{at::empty({outputs, inputs}, at::kChar), at::empty({outputs}, at::kFloat)};
  const float* from = rows.const_data_ptr<float>();
  int8_t* to = result.values.mutable_data_ptr<int8_t>();
  float* scales = result.scales.mutable_data_ptr<float>();
  for (int64_t o = 0; o < outputs; ++o, from += inputs, to += inputs) {
    const Quantization row = quantization_of(largest_bits(from, inputs));
    scales[o] = row.scale;
    for (int64_t i = 0; i < inputs; ++i) to[i] = quantized(from[i], row.inverse);
  }
  return result;
}

WeightPanels PackedWeight::panels() const {
  return {.format = format,
          .values = values.const_data_ptr(),
          .scales = scales.defined() ? scales.const_data_ptr<float>() : nullptr,
          .sums = sums.defined() ? sums.const_data_ptr<int32_t>() : nullptr};
}

WeightFormat format_of(const Tensor& weight, WeightFormat wanted) {
  const bool small = weight.size(0) < least_size || weight.size(1) < least_size;
  const bool wide = wanted == WeightFormat::int8 && weight.size(1) > PackedWeight::most_inputs;
  return small || wide ? WeightFormat::float32 : wanted;
}

PackedWeight pack(const QuantizedWeight& weight) {
  const int64_t missing = panel_count(weight.scales.size(0)) * panel_width - weight.scales.size(0);
  return {.format = WeightFormat::int8,
          .values = panels_of<int8_t, 4>(weight.values),
          .scales = at::constant_pad_nd(weight.scales, {0, missing}),
          .sums = at::constant_pad_nd(weight.values.sum(1, /*keepdim=*/false, at::kInt), {0, missing})};
}

PackedWeight pack(const Tensor& weight, WeightFormat format) {
  const Tensor rows = weight.detach().contiguous();
  PackedWeight result;
  if (format == WeightFormat::int8)
    result = pack(quantize(rows));
  else if (format == WeightFormat::bfloat16)
    result = {.format = format, .values = panels_of<at::BFloat16, 2>(rows.to(at::kBFloat16))};
  else
    result = {.format = format, .values = panels_of<float, 1>(rows)};
  release_if_mapped(
      std::as_bytes(std::span(rows.const_data_ptr<float>(), static_cast<size_t>(rows.numel()))));
  return result;
}

}  // namespace seq2seq
