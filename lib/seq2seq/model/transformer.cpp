#include "seq2seq/model/transformer.h"

#include <ATen/ATen.h>

#include <cmath>

#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/engine/gathered_gradients.h"
#include "seq2seq/nn/engine/recorded_states.h"
#include "seq2seq/nn/layers/initializer.h"
#include "seq2seq/nn/masks.h"
#include "seq2seq/nn/ops/mean_state.h"

namespace seq2seq {
namespace {

TransformerShape shape_of(const TransformerOptions& options, int64_t width) {
  return {.width = width,
          .heads = options.heads,
          .inner_size = options.inner_size,
          .norm = options.norm,
          .activation = options.activation,
          .dropout = options.dropout,
          .attention_dropout = options.attention_dropout,
          .activation_dropout = options.activation_dropout};
}

int64_t head_width(const TransformerOptions& options, int64_t width) {
  check_values(options, "");
  return width / options.heads;
}

// Keys and values in the order in which a State and a Memory hold them.
void tensors_of(auto& layers, auto&& f) {
  for (auto& layer : layers) {
    f(layer.keys);
    f(layer.values);
  }
}

}  // namespace

PositionsImpl::PositionsImpl(const TransformerOptions& options, int64_t width)
    : kind_(options.positions), head_width_(head_width(options, width)) {
  if (kind_ == PositionKind::learned)
    learned_ = register_parameter("learned", at::empty({learned_limit, width}));
}

Tensor PositionsImpl::placed(const Tensor& embedded, const Tensor& positions) {
  const int64_t width = embedded.size(-1);
  const Tensor scaled = embedded * std::sqrt(static_cast<double>(width));
  if (kind_ == PositionKind::sinusoidal) return scaled + sinusoidal_positions(positions, width, embedded);
  if (kind_ == PositionKind::learned)
    return scaled + at::embedding(learned_, positions.clamp_max(learned_limit - 1));
  return scaled;
}

std::unique_ptr<Rotation> PositionsImpl::rotation(const Tensor& positions, const Tensor& like) const {
  if (kind_ != PositionKind::rotary) return nullptr;
  return std::make_unique<Rotation>(seq2seq::rotation(positions, head_width_, like));
}

void PositionsImpl::initialize(Initializer& initializer) {
  if (learned_.defined()) initializer.uniform(learned_);
}

TransformerEncoderImpl::TransformerEncoderImpl(const TransformerOptions& options, int64_t width)
    : options_(options), width_(width), positions_(register_module("positions", Positions(options, width))) {
  for (int64_t i = 0; i < options.layers; ++i)
    layers_.push_back(
        register_module("layer" + std::to_string(i), TransformerEncoderLayer(shape_of(options, width))));
  if (options.norm == NormPlace::pre) norm_ = register_module("norm", LayerNorm(width));
}

Memory TransformerEncoderImpl::forward(const SourceBatch& source, const Tensor& embedded, Noise* noise) {
  check_shape("embedded source", embedded, {-1, -1, width_});
  const Tensor like = embedded.select(2, 0);  // [B, S]
  const Tensor positions = positions_like(like.narrow(0, 0, 1));
  const Tensor mask = length_mask(source.lengths, like);
  const auto rotation = positions_->rotation(positions, embedded);
  Tensor x = dropout(positions_->placed(embedded, positions), options_.dropout, noise);  // [B, S, D]
  RecordedStates::add(*this, {x, {}});
  for (auto& layer : layers_) x = layer->forward(x, {.mask = mask}, rotation.get(), noise);
  if (norm_) x = norm_->forward(x);
  x = x * mask.unsqueeze(2).to(x.scalar_type());
  return Memory(x, mask, mean_state(x, source.lengths));
}

void TransformerEncoderImpl::initialize(Initializer& initializer) {
  positions_->initialize(initializer);
  Initializer glorot = initializer.glorot();
  for (auto& layer : layers_) layer->initialize(glorot);
  if (norm_) norm_->initialize();
}

struct TransformerDecoderImpl::View {
  Tensor position;                 // [N] int64 number of tokens of each hypothesis
  std::vector<HeadMemory> layers;  // of these tokens

  static void tensors(auto& view, auto&& f) {
    f(view.position);
    tensors_of(view.layers, f);
  }

  static View of(const State& state, size_t layers) {
    View view;
    view.layers.resize(layers);
    tensors(view, RowsReader(state.tensors));
    return view;
  }

  State state() const {
    std::vector<Tensor> all;
    tensors(*this, [&](const Tensor& tensor) { all.push_back(tensor); });
    return State(std::move(all));
  }
};

TransformerDecoderImpl::TransformerDecoderImpl(const TransformerOptions& options, bool copying, int64_t width,
                                               int64_t memory_size)
    : options_(options), width_(width), positions_(register_module("positions", Positions(options, width))) {
  for (int64_t i = 0; i < options.layers; ++i)
    layers_.push_back(register_module("layer" + std::to_string(i),
                                      TransformerDecoderLayer(shape_of(options, width), memory_size)));
  if (options.norm == NormPlace::pre) norm_ = register_module("norm", LayerNorm(width));
  if (copying) copy_gate_ = register_module("copy_gate", Linear(2 * width, 1));
}

Memory TransformerDecoderImpl::prepare(const Memory& memory) {
  std::vector<HeadMemory> source;
  for (auto& layer : layers_) source.push_back(layer->prepare(memory.states()));
  Memory result = memory;
  tensors_of(source, [&](const Tensor& tensor) { result.add_prepared(tensor); });
  return result;
}

State TransformerDecoderImpl::start(const Memory& memory) {
  View view{at::zeros_like(memory.states().select(2, 0).select(1, 0), at::kLong), {}};
  for (auto& layer : layers_) view.layers.push_back(layer->nothing(memory.states()));
  return view.state();
}

StepSequence TransformerDecoderImpl::run(const Memory& memory, const Tensor& embedded,
                                         const Tensor& positions, std::vector<HeadMemory>* before,
                                         Noise* noise) {
  const auto rotation = positions_->rotation(positions, embedded);
  const Tensor inputs = dropout(positions_->placed(embedded, positions), options_.dropout, noise);
  RecordedStates::add(*this, {inputs, {}});
  std::vector<HeadMemory> source(layers_.size());
  tensors_of(source, memory.prepared());
  Tensor x = inputs;  // [N, T, D]
  Tensor attention;
  for (size_t i = 0; i < layers_.size(); ++i)
    x = layers_[i]->forward(x,
                            {.source = source[i],
                             .source_mask = memory.mask(),
                             .rotation = rotation.get(),
                             .before = before == nullptr ? nullptr : &(*before)[i],
                             .source_weights = i + 1 == layers_.size() ? &attention : nullptr},
                            noise);
  if (norm_) x = norm_->forward(x);
  return {x, attention, copy_gate_ ? copy_gate_->forward(at::cat({x, inputs}, -1)) : Tensor()};
}

Step TransformerDecoderImpl::step(const Memory& memory, const Tensor& embedded, const State& state,
                                  Noise* noise) {
  View view = View::of(state, layers_.size());
  const StepSequence one =
      run(memory, embedded.unsqueeze(1), view.position.unsqueeze(1), &view.layers, noise);
  view.position = view.position + 1;
  return {one.features.squeeze(1), one.attention.squeeze(1),
          one.copy_gate.defined() ? one.copy_gate.squeeze(1) : Tensor(), view.state()};
}

Step TransformerDecoderImpl::advance(const Memory& memory, const Tensor& embedded, const State& state) {
  return step(memory, embedded, state, nullptr);
}

StepSequence TransformerDecoderImpl::forward(const Memory& memory, const Tensor& embedded, Noise* noise) {
  check_shape("embedded target", embedded, {memory.count(), -1, width_});
  return run(memory, embedded, positions_like(embedded.select(2, 0).narrow(0, 0, 1)), nullptr, noise);
}

StepSequence TransformerDecoderImpl::forward_by_word(const Memory& memory, int64_t steps,
                                                     const WordAt& word_at, Noise* noise) {
  GatheredGradients gather;
  const ComputeScope scope(&Compute::gather, &gather);
  State state = start(memory);
  std::vector<Tensor> features, attention, gates;
  for (int64_t t = 0; t < steps; ++t) {
    Step next = step(memory, word_at(t, t == 0 ? Tensor() : features.back()), state, noise);
    features.push_back(next.features);
    attention.push_back(next.attention);
    if (next.copy_gate.defined()) gates.push_back(next.copy_gate);
    state = std::move(next.next);
  }
  return {at::stack(features, 1), at::stack(attention, 1), gates.empty() ? Tensor() : at::stack(gates, 1)};
}

void TransformerDecoderImpl::initialize(Initializer& initializer) {
  positions_->initialize(initializer);
  Initializer glorot = initializer.glorot();
  for (auto& layer : layers_) layer->initialize(glorot);
  if (norm_) norm_->initialize();
  if (copy_gate_) copy_gate_->initialize(glorot);
}

}  // namespace seq2seq
