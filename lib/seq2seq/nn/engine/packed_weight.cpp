#include "seq2seq/nn/engine/packed_weight.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstddef>

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

void release(const Tensor& values) {
  release_if_mapped({static_cast<const std::byte*>(values.const_data_ptr()), values.nbytes()});
}

QuantizedWeight quantized_to_int8(const Tensor& rows) {
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

}  // namespace

std::span<const char* const> option_names(WeightFormat) {
  return format_names;
}

Tensor QuantizedWeight::dequantized() const {
  const Tensor numbers = values.to(at::kFloat);
  return scales.defined() ? numbers * scales.unsqueeze(1) : numbers;
}

Tensor QuantizedWeight::rows(const Tensor& ids) const {
  const Tensor numbers = at::embedding(values, ids).to(at::kFloat);
  return scales.defined() ? numbers * at::embedding(scales.unsqueeze(1), ids) : numbers;
}

QuantizedWeight QuantizedWeight::select(const Tensor& ids) const {
  return {values.index_select(0, ids), scales.defined() ? scales.index_select(0, ids) : Tensor()};
}

void QuantizedWeight::copy_row(int64_t row, float* to) const {
  const int64_t width = values.size(1);
  if (format() == WeightFormat::bfloat16) {
    std::copy_n(values.const_data_ptr<at::BFloat16>() + row * width, width, to);
    return;
  }
  const int8_t* from = values.const_data_ptr<int8_t>() + row * width;
  const float scale = scales.const_data_ptr<float>()[row];
  for (int64_t i = 0; i < width; ++i) to[i] = static_cast<float>(from[i]) * scale;
}

QuantizedWeight quantize(const Tensor& weight, WeightFormat format) {
  const Tensor rows = weight.detach().contiguous();
  QuantizedWeight result =
      format == WeightFormat::int8 ? quantized_to_int8(rows) : QuantizedWeight{rows.to(at::kBFloat16)};
  release(rows);
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
  PackedWeight result{.format = weight.format(), .values = {}};
  if (result.format == WeightFormat::int8) {
    const int64_t outputs = weight.scales.size(0), missing = panel_count(outputs) * panel_width - outputs;
    result.values = panels_of<int8_t, 4>(weight.values);
    result.scales = at::constant_pad_nd(weight.scales, {0, missing});
    result.sums = at::constant_pad_nd(weight.values.sum(1, /*keepdim=*/false, at::kInt), {0, missing});
  } else {
    result.values = panels_of<at::BFloat16, 2>(weight.values);
  }
  release(weight.values);
  return result;
}

PackedWeight pack(const Tensor& weight, WeightFormat format) {
  if (format != WeightFormat::float32) return pack(quantize(weight, format));
  const Tensor rows = weight.detach().contiguous();
  PackedWeight result{.format = format, .values = panels_of<float, 1>(rows)};
  release(rows);
  return result;
}

}  // namespace seq2seq
