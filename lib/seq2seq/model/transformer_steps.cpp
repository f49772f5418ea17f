#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "seq2seq/model/decoder_steps.h"
#include "seq2seq/model/transformer.h"
#include "seq2seq/nn/positions.h"

namespace seq2seq {
namespace {

constexpr int64_t padding_of_keys = 16;       // the kernels read so many positions at once
constexpr int64_t positions_at_a_time = 256;  // of which encodings are computed

/// Keys [B, h, S, d] as the kernel reads them: [B, h, d, padded S].
Tensor turned(const Tensor& keys) {
  const int64_t missing = (padding_of_keys - keys.size(2) % padding_of_keys) % padding_of_keys;
  return at::constant_pad_nd(keys.transpose(2, 3), {0, missing}).contiguous();
}

/// Values [B, h, S, d] as [B, S, h, d], possibly a part of wider rows.
Tensor by_position(const Tensor& values) {
  const Tensor rows = values.transpose(1, 2);
  const bool whole = rows.stride(3) == 1 && rows.stride(2) == rows.size(3) &&
                     rows.stride(0) == rows.size(1) * rows.stride(1);
  return whole ? rows : rows.contiguous();
}

}  // namespace

class TransformerDecoderImpl::Steps : public DecoderSteps {
 public:
  Steps(TransformerDecoderImpl& decoder, WeightStore& store, const StepKernels& kernels)
      : options_(decoder.options_),
        kernels_(kernels),
        width_(decoder.width_),
        head_width_(decoder.width_ / decoder.options_.heads),
        scale_(static_cast<float>(1 / std::sqrt(static_cast<double>(head_width_)))) {
    const StepWeights weights(decoder, store, kernels);
    for (int64_t i = 0; i < options_.layers; ++i)
      layers_.emplace_back(weights, "layer" + std::to_string(i) + ".");
    if (options_.norm == NormPlace::pre) norm_.emplace_back(weights, "norm");
    if (options_.positions == PositionKind::learned) learned_ = decoder.positions_->learned();
    if (decoder.copy_gate_) copy_gate_ = weights.linear("copy_gate");
  }

  void begin(const Memory& memory) override {
    lengths_ = lengths_of(memory.mask());
    length_ = memory.mask().size(1);
    position_ = 0;
    RowsReader prepared = memory.prepared();
    for (Layer& layer : layers_) {
      Tensor keys, values;
      prepared(keys);
      prepared(values);
      layer.source_keys = turned(keys);
      layer.source_values = by_position(values);
    }
  }

  StepOutput advance(const StepInput& input) override {
    const int64_t rows = input.rows();
    follow(input.parents);
    float* inputs = placed(input);
    float* x = x_.room(rows * width_);
    std::copy_n(inputs, rows * width_, x);
    for (Layer& layer : layers_) {
      const bool last = &layer == &layers_.back();
      sublayer(x, rows, layer.self_norm, [&](const float* y) { attend_to_past(layer, y, rows, x); });
      sublayer(x, rows, layer.source_norm,
               [&](const float* y) { attend_to_source(layer, y, input, last, x); });
      sublayer(x, rows, layer.inner_norm, [&](const float* y) { feed_forward(layer, y, rows, x); });
    }
    if (!norm_.empty()) norm_.front()(kernels_, x, rows, width_, x);
    ++position_;
    StepOutput output{.features = x, .attention = weights_.data(), .copy_gate = nullptr};
    if (copy_gate_.outputs > 0) output.copy_gate = copy_gate(x, inputs, rows);
    return output;
  }

 private:
  struct Layer {
    Layer(const StepWeights& weights, const std::string& name)
        : projection(weights.linear(name + "self_attention.projection")),
          self_output(weights.linear(name + "self_attention.output")),
          query(weights.linear(name + "cross_attention.query")),
          source_output(weights.linear(name + "cross_attention.output")),
          inner(weights.linear(name + "feed_forward.inner")),
          outer(weights.linear(name + "feed_forward.outer")),
          self_norm(weights, name + "self_attention_norm"),
          source_norm(weights, name + "cross_attention_norm"),
          inner_norm(weights, name + "feed_forward_norm") {}
    StepLinear projection, self_output, query, source_output, inner, outer;
    StepNorm self_norm, source_norm, inner_norm;
    Tensor source_keys, source_values;      // [B, h, d, padded S], [B, S, h, d]
    std::vector<StepBuffer> past;           // of each position: keys and values [N, 2D] of its hypotheses
    std::vector<const float*> past_places;  // where they are
  };

  /// `add_to_x(y)` adds the sublayer's output for the input y, which may be x, to x.
  template <class AddToX>
  void sublayer(float* x, int64_t rows, const StepNorm& norm, const AddToX& add_to_x) {
    const bool before = options_.norm == NormPlace::pre;
    float* y = before ? normalized_.room(rows * width_) : x;
    if (before) norm(kernels_, x, rows, width_, y);
    add_to_x(y);
    if (!before) norm(kernels_, x, rows, width_, x);
  }

  /// The rows of `past` that belong to each hypothesis: those of its parent, and then its own.
  void follow(std::span<const int64_t> parents) {
    const int64_t stride = ancestor_stride_;
    if (position_ + 1 > ancestor_stride_) ancestor_stride_ = 2 * (position_ + 16);
    std::swap(ancestors_, ancestors_before_);
    ancestors_.resize(parents.size() * static_cast<size_t>(ancestor_stride_));
    for (size_t row = 0; row < parents.size(); ++row) {
      int32_t* own = ancestors_.data() + static_cast<int64_t>(row) * ancestor_stride_;
      std::copy_n(ancestors_before_.data() + parents[row] * stride, position_, own);
      own[position_] = static_cast<int32_t>(row);
    }
  }

  /// The embedded tokens, scaled, with the encoding of their position.
  float* placed(const StepInput& input) {
    const int64_t rows = input.rows();
    float* x = inputs_.room(rows * width_);
    const float* encoding = encoding_of(position_);
    const auto scale = static_cast<float>(std::sqrt(static_cast<double>(width_)));
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t i = 0; i < width_; ++i)
        x[r * width_ + i] = input.embedded[r * width_ + i] * scale + (encoding == nullptr ? 0 : encoding[i]);
    return x;
  }

  /// What is added at this position [D]; null for rotary positions.
  const float* encoding_of(int64_t position) {
    if (options_.positions == PositionKind::rotary) return nullptr;
    if (options_.positions == PositionKind::learned)
      return learned_.const_data_ptr<float>() + std::min(position, PositionsImpl::learned_limit - 1) * width_;
    if (!encodings_.defined() || encodings_.size(0) <= position)
      encodings_ = sinusoidal_positions(at::arange(position + positions_at_a_time), width_, at::empty({0}));
    return encodings_.const_data_ptr<float>() + position * width_;
  }

  void rotate(float* rows_of_heads, int64_t rows, int64_t stride) {
    if (options_.positions != PositionKind::rotary) return;
    if (!rotation_.cosines.defined() || rotation_.cosines.size(2) <= position_)
      rotation_ = rotation(at::arange(position_ + positions_at_a_time).unsqueeze(0), head_width_,
                           at::empty({0}));  // [1, 1, T, d/2]
    const int64_t half = head_width_ / 2;
    const float *cosines = rotation_.cosines.const_data_ptr<float>() + position_ * half,
                *sines = rotation_.sines.const_data_ptr<float>() + position_ * half;
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t head = 0; head < options_.heads; ++head) {
        float *first = rows_of_heads + r * stride + head * head_width_, *second = first + half;
        for (int64_t i = 0; i < half; ++i) {
          const float a = first[i], b = second[i];
          first[i] = a * cosines[i] - b * sines[i];
          second[i] = b * cosines[i] + a * sines[i];
        }
      }
  }

  void attend_to_past(Layer& layer, const float* y, int64_t rows, float* x) {
    const int64_t stride = 3 * width_;
    float* all = projected_.room(rows * stride);
    layer.projection(y, rows, all);
    rotate(all, rows, stride);
    rotate(all + width_, rows, stride);
    const auto at = static_cast<size_t>(position_);
    if (layer.past.size() <= at) layer.past.emplace_back();
    float* own = layer.past[at].room(rows * 2 * width_);
    for (int64_t r = 0; r < rows; ++r)
      std::copy_n(all + r * stride + width_, 2 * width_, own + r * 2 * width_);
    layer.past_places.resize(at + 1);
    layer.past_places[at] = own;
    float* context = context_.room(rows * width_);
    const PartScope timed(Part::attention);
    kernels_.attend_to_past({.queries = all,
                             .past = layer.past_places.data(),
                             .ancestors = ancestors_.data(),
                             .context = context,
                             .rows = rows,
                             .heads = options_.heads,
                             .width = head_width_,
                             .positions = position_ + 1,
                             .query_stride = stride,
                             .ancestor_stride = ancestor_stride_,
                             .scale = scale_});
    layer.self_output.add(context, rows, x);
  }

  void attend_to_source(Layer& layer, const float* y, const StepInput& input, bool keep_weights, float* x) {
    const int64_t rows = input.rows();
    float *queries = projected_.room(rows * width_), *context = context_.room(rows * width_),
          *weights = weights_.room(rows * length_);
    layer.query(y, rows, queries);
    const PartScope timed(Part::attention);
    kernels_.attend_to_source({.queries = queries,
                               .keys = layer.source_keys.const_data_ptr<float>(),
                               .values = layer.source_values.const_data_ptr<float>(),
                               .sentences = input.sentences.data(),
                               .lengths = lengths_.data(),
                               .weights = keep_weights ? weights : nullptr,
                               .context = context,
                               .rows = rows,
                               .heads = options_.heads,
                               .width = head_width_,
                               .length = length_,
                               .value_stride = layer.source_values.stride(1),
                               .scale = scale_});
    layer.source_output.add(context, rows, x);
  }

  void feed_forward(Layer& layer, const float* y, int64_t rows, float* x) {
    const int64_t width = layer.inner.outputs;
    float* inner = inner_.room(rows * width);
    layer.inner(y, rows, inner);
    const PartScope timed(Part::elementwise);
    kernels_.nonlinear(options_.activation == Activation::relu ? Nonlinearity::relu : Nonlinearity::gelu,
                       {inner, rows, width, width});
    layer.outer.add(inner, rows, x);
  }

  float* copy_gate(const float* features, const float* inputs, int64_t rows) {
    float* both = both_.room(rows * 2 * width_);
    copy_rows(features, rows, width_, both, 2 * width_);
    copy_rows(inputs, rows, width_, both + width_, 2 * width_);
    float* gate = copy_gates_.room(rows);
    copy_gate_(both, rows, gate);
    return gate;
  }

  const TransformerOptions& options_;
  const StepKernels& kernels_;
  int64_t width_, head_width_;
  float scale_;
  std::vector<Layer> layers_;
  std::vector<StepNorm> norm_;  // at most one
  StepLinear copy_gate_;
  Tensor learned_, encodings_;  // [limit, D], [T, D]
  Rotation rotation_;
  // Of the search
  std::vector<int64_t> lengths_;
  int64_t length_ = 0, position_ = 0, ancestor_stride_ = 0;
  std::vector<int32_t> ancestors_, ancestors_before_;
  StepBuffer inputs_, x_, normalized_, projected_, context_, weights_, inner_, both_, copy_gates_;
};

std::unique_ptr<DecoderSteps> TransformerDecoderImpl::steps(WeightStore& weights,
                                                            const StepKernels& kernels) {
  return std::make_unique<Steps>(*this, weights, kernels);
}

}  // namespace seq2seq
