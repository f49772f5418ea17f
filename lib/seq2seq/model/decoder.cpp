#include "seq2seq/model/decoder.h"

#include <ATen/ATen.h>

#include "seq2seq/model/encoder.h"
#include "seq2seq/nn/gathered_gradients.h"

namespace seq2seq {

// State tensors in order: feed (only with attention and input feeding), then hidden and, for an LSTM, cell of
// each layer.
struct RnnDecoderImpl::View {
  Tensor feed;
  std::vector<CellState> layers;

  static View of(const State& state, const RnnDecoderOptions& options) {
    View view;
    size_t at = 0;
    if (options.input_feeding && options.attention != AttentionKind::none) view.feed = state.tensors[at++];
    for (int64_t i = 0; i < options.layers; ++i) {
      CellState layer{state.tensors[at++], {}};
      if (options.cell == Cell::lstm) layer.cell = state.tensors[at++];
      view.layers.push_back(layer);
    }
    return view;
  }

  State state() const {
    std::vector<Tensor> tensors;
    if (feed.defined()) tensors.push_back(feed);
    for (const CellState& layer : layers) {
      tensors.push_back(layer.hidden);
      if (layer.cell.defined()) tensors.push_back(layer.cell);
    }
    return State(std::move(tensors));
  }
};

struct RnnDecoderImpl::Masks {
  std::vector<Tensor> recurrent;  // [N, H] a layer, undefined without recurrent dropout
};

RnnDecoderImpl::RnnDecoderImpl(const RnnDecoderOptions& options, int64_t embedding_size, int64_t memory_size,
                               int64_t summary_size)
    : options_(options) {
  const bool attentive = has_attention();
  const int64_t states = options.cell == Cell::lstm ? 2 : 1;
  bridge_ = register_module("bridge", Linear(summary_size, options.layers * states * options.size));
  for (int64_t i = 0; i < options.layers; ++i)
    layers_.push_back(
        register_module("layer" + std::to_string(i),
                        RecurrentLayer(options.cell, i == 0 ? embedding_size : options.size, options.size)));
  if (options.input_feeding)
    feed_ = register_module("feed", Linear(attentive ? options.size : summary_size,
                                           gate_count(options.cell) * options.size, false));
  attention_ =
      register_module("attention", Attention(options.attention, options.size, memory_size, options.size));
  if (attentive)
    combine_ = register_module("combine", Linear(memory_size + options.size, options.size, false));
}

Memory RnnDecoderImpl::prepare(const Memory& memory) {
  Memory result = memory;
  result.tensors.push_back(attention_->keys(memory.states()));
  return result;
}

State RnnDecoderImpl::start(const Memory& memory) {
  const Tensor initial = bridge_->forward(memory.summary()).tanh();  // [B, layers * states * H]
  const auto parts = initial.chunk(options_.layers * (options_.cell == Cell::lstm ? 2 : 1), 1);
  View view;
  if (options_.input_feeding && has_attention()) view.feed = at::zeros_like(parts[0]);
  for (size_t i = 0; i < parts.size(); ++i) {
    CellState layer{parts[i].contiguous(), {}};
    if (options_.cell == Cell::lstm) layer.cell = parts[++i].contiguous();
    view.layers.push_back(layer);
  }
  return view.state();
}

Tensor RnnDecoderImpl::first_gates(const Memory& memory, const Tensor& embedded) {
  const Tensor gates = layers_[0]->input_gates(embedded);  // [..., G*H]
  if (!options_.input_feeding || has_attention()) return gates;
  const Tensor context = feed_->forward(memory.summary());  // [B, G*H]
  return (gates.view({context.size(0), -1, context.size(1)}) + context.unsqueeze(1)).view(gates.sizes());
}

Step RnnDecoderImpl::recur(const Memory& memory, const Tensor& input_gates, const State& state,
                           const Masks& masks, Noise* noise) {
  View view = View::of(state, options_);
  Tensor gates = view.feed.defined() ? input_gates + feed_->forward(view.feed) : input_gates;  // [N, G*H]
  Tensor x;
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (i > 0) gates = layers_[i]->input_gates(dropout(x, options_.dropout, noise));
    view.layers[i] =
        layers_[i]->step(gates, view.layers[i], masks.recurrent.empty() ? Tensor() : masks.recurrent[i]);
    x = options_.residual && i > 0 ? x + view.layers[i].hidden : view.layers[i].hidden;  // [N, H]
  }
  const AttentionResult attended = attention_->forward(x, memory.states(), memory.prepared(0), memory.mask());
  Tensor features = x;
  if (has_attention()) features = combine_->forward(at::cat({attended.context, x}, 1)).tanh();
  features = dropout(features, options_.dropout, noise);  // [N, H]
  if (view.feed.defined()) view.feed = features;
  return {features, attended.weights, view.state()};
}

Step RnnDecoderImpl::advance(const Memory& memory, const Tensor& embedded, const State& state) {
  return recur(memory, first_gates(memory, embedded), state, {}, nullptr);
}

StepSequence RnnDecoderImpl::forward(const Memory& memory, const Tensor& embedded, Noise* noise) {
  check_shape("embedded target", embedded, {memory.count(), -1, -1});
  const auto gates =
      first_gates(memory, dropout(embedded, options_.dropout, noise)).unbind(1);  // T of [B, G*H]
  return unroll(
      memory, embedded.size(1), [&](int64_t t, const Tensor&) { return gates[static_cast<size_t>(t)]; },
      noise);
}

StepSequence RnnDecoderImpl::forward_by_word(const Memory& memory, int64_t steps, const WordAt& word_at,
                                             Noise* noise) {
  const auto gates_at = [&](int64_t t, const Tensor& features) {
    return first_gates(memory, dropout(word_at(t, features), options_.dropout, noise));  // [B, G*H]
  };
  return unroll(memory, steps, gates_at, noise);
}

StepSequence RnnDecoderImpl::unroll(const Memory& memory, int64_t steps, const WordAt& gates_at,
                                    Noise* noise) {
  const GatheredGradients gather;
  State state = start(memory);
  Masks masks;
  if (noise != nullptr && options_.recurrent_dropout > 0)
    for (const auto& layer : View::of(state, options_).layers)
      masks.recurrent.push_back(noise->mask(layer.hidden, options_.recurrent_dropout));
  std::vector<Tensor> features, attention;
  for (int64_t t = 0; t < steps; ++t) {
    Step step = recur(memory, gates_at(t, t == 0 ? Tensor() : features.back()), state, masks, noise);
    features.push_back(step.features);
    attention.push_back(step.attention);
    state = std::move(step.next);
  }
  return {at::stack(features, 1), at::stack(attention, 1)};
}

std::shared_ptr<Decoder> make_decoder(const DecoderOptions& options, int64_t embedding_size,
                                      const Encoder& encoder) {
  return std::visit(
      [&]<class Options>(const Options& o) -> std::shared_ptr<Decoder> {
        static_assert(std::is_same_v<Options, RnnDecoderOptions>);
        return std::make_shared<RnnDecoderImpl>(o, embedding_size, encoder.memory_size(),
                                                encoder.summary_size());
      },
      options);
}

}  // namespace seq2seq
