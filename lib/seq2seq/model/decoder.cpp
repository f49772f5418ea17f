#include "seq2seq/model/decoder.h"

#include <ATen/ATen.h>

#include "seq2seq/model/decoder_steps.h"
#include "seq2seq/model/rnn_decoder_view.h"
#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/engine/gathered_gradients.h"
#include "seq2seq/nn/engine/part_clock.h"
#include "seq2seq/nn/layers/initializer.h"
#include "seq2seq/nn/ops/nonlinearity.h"

namespace seq2seq {
namespace {

constexpr double least_sentence_weight = 1e-30;  // its logarithm is finite

}  // namespace

std::unique_ptr<DecoderSteps> Decoder::steps(WeightStore&, const StepKernels&) {
  return nullptr;
}

std::string Decoder::why_no_steps() const {
  return "its decoder has no others";
}

Step StepSequence::as_hypotheses(int64_t begin, int64_t count) const {
  const auto rows = [&](const Tensor& all) {
    return all.defined() ? all.narrow(1, begin, count).flatten(0, 1) : Tensor();
  };
  return {rows(features), rows(attention), rows(copy_gate), {}};
}

struct RnnDecoderImpl::Masks {
  std::vector<Tensor> recurrent;  // [N, H] per layer; empty without recurrent dropout
};

RnnDecoderImpl::RnnDecoderImpl(const RnnDecoderOptions& options, bool copying, int64_t embedding_size,
                               int64_t memory_size, int64_t summary_size, int64_t sentence_size)
    : options_(options) {
  check_values(options, "");
  const bool attentive = options.has_attention();
  const int64_t states = options.cell == Cell::lstm ? 2 : 1;
  bridge_ = register_module("bridge", Linear(summary_size, options.layers * states * options.size));
  for (int64_t i = 0; i < options.layers; ++i)
    layers_.push_back(
        register_module("layer" + std::to_string(i),
                        RecurrentLayer(options.cell, i == 0 ? embedding_size : options.size, options.size)));
  for (int64_t i = 0; options.layer_norm && i < options.layers; ++i)
    norms_.push_back(register_module("layer" + std::to_string(i) + "_norm", LayerNorm(options.size)));
  if (options.input_feeding)
    feed_ = register_module("feed", Linear(attentive ? options.size : summary_size,
                                           gate_count(options.cell) * options.size, false));
  attention_ = register_module(
      "attention", make_attention(options.attention, options.attention_sizes(memory_size), options.coverage));
  if (sentence_size > 0 && attentive)
    sentence_attention_ = register_module(
        "sentence_attention", make_attention(sentence_attention, options.attention_sizes(sentence_size)));
  if (copying) copy_gate_ = register_module("copy_gate", Linear(options.size + embedding_size, 1));
  const int64_t context_size = attention_->context_size();
  if (options.context_gate != ContextGate::none) {
    context_part_ = register_module("context_part", Linear(context_size, options.size, false));
    state_part_ = register_module("state_part", Linear(options.size, options.size, false));
    context_gate_ = register_module("context_gate", Linear(context_size + options.size, options.size));
  } else if (attentive) {
    combine_ = register_module("combine", Linear(context_size + options.size, options.size, false));
  }
}

Memory RnnDecoderImpl::prepare(const Memory& memory) {
  Looked looked{
      .words = attention_->prepare(memory.states(), memory.mask()), .sentences = {}, .sentence_of_word = {}};
  if (sentence_attention_) {
    const SentenceMemory sentences = memory.sentences();
    looked.sentences = sentence_attention_->prepare(sentences.states, sentences.mask);
  }
  Memory result = memory;
  Looked::prepared(looked, options_, [&](const Tensor& tensor) { result.add_prepared(tensor); });
  return result;
}

RnnDecoderImpl::Looked RnnDecoderImpl::looked_at(const Memory& memory) const {
  Looked looked{.words = {memory.states(), memory.mask()}, .sentences = {}, .sentence_of_word = {}};
  if (sentence_attention_) {
    const SentenceMemory sentences = memory.sentences();
    looked.sentences = {sentences.states, sentences.mask};
    looked.sentence_of_word = sentences.of_word;
  }
  Looked::prepared(looked, options_, memory.prepared());
  return looked;
}

State RnnDecoderImpl::start(const Memory& memory) {
  const Tensor initial =
      nonlinear(Nonlinearity::tanh, bridge_->forward(memory.summary()));  // [B, layers * states * H]
  const auto parts = initial.chunk(options_.layers * (options_.cell == Cell::lstm ? 2 : 1), 1);
  View view;
  if (options_.input_feeding && has_attention()) view.feed = at::zeros_like(parts[0]);
  view.coverage = attention_->start(memory.states());
  for (size_t i = 0; i < parts.size(); ++i) {
    CellState layer{parts[i].contiguous(), {}};
    if (options_.cell == Cell::lstm) layer.cell = parts[++i].contiguous();
    view.layers.push_back(layer);
  }
  return view.state(options_);
}

Tensor RnnDecoderImpl::first_gates(const Memory& memory, const Tensor& embedded) {
  const Tensor gates = layers_[0]->input_gates(embedded);  // [..., G*H]
  if (!options_.input_feeding || has_attention()) return gates;
  const Tensor context = feed_->forward(memory.summary());  // [B, G*H]
  const int64_t words = gates.numel() / context.numel();    // per sentence: steps or hypotheses
  return (gates.reshape({-1, words, context.size(1)}) + context.unsqueeze(1)).view_as(gates);
}

Step RnnDecoderImpl::recur(const Looked& looked, const Tensor& input_gates, const State& state,
                           const Masks& masks, Noise* noise) {
  View view = View::of(state, options_);
  Tensor gates = view.feed.defined() ? input_gates + feed_->forward(view.feed) : input_gates;  // [N, G*H]
  Tensor x;
  const auto normalized = [&](const Tensor& y, size_t layer) {
    return options_.layer_norm ? norms_[layer]->forward(y) : y;
  };
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (i > 0) gates = layers_[i]->input_gates(dropout(normalized(x, i - 1), options_.dropout, noise));
    view.layers[i] =
        layers_[i]->step(gates, view.layers[i], masks.recurrent.empty() ? Tensor() : masks.recurrent[i]);
    x = options_.residual && i > 0 ? x + view.layers[i].hidden : view.layers[i].hidden;  // [N, H]
  }
  x = normalized(x, layers_.size() - 1);
  const AttentionResult attended = attend(looked, x, view.coverage);
  view.coverage = attended.coverage;
  Tensor features = x;
  if (has_attention()) features = combined(attended.context, x).tanh();
  features = dropout(features, options_.dropout, noise);  // [N, H]
  if (view.feed.defined()) view.feed = features;
  return {features, attended.weights, {}, view.state(options_)};
}

Tensor RnnDecoderImpl::combined(const Tensor& context, const Tensor& state) {
  const Tensor both = at::cat({context, state}, 1);
  if (combine_) return combine_->forward(both);
  const Tensor gate = context_gate_->forward(both).sigmoid();
  const Tensor source = context_part_->forward(context), target = state_part_->forward(state);
  if (options_.context_gate == ContextGate::source) return gate * source + target;
  if (options_.context_gate == ContextGate::target) return source + gate * target;
  return target + gate * (source - target);
}

AttentionResult RnnDecoderImpl::attend(const Looked& looked, const Tensor& query, const CoverageState& past) {
  const PartScope timed(Part::attention);
  if (!sentence_attention_) return attention_->forward(query, looked.words, past);
  const Tensor sentences = sentence_attention_->forward(query, looked.sentences).weights;  // [N, J]
  const int64_t hypotheses = query.size(0) / looked.words.states.size(0);
  const Tensor of_word = looked.sentence_of_word.repeat_interleave(hypotheses, 0);  // [N, S]
  const Tensor bias = sentences.gather(1, of_word).clamp_min(least_sentence_weight).log();
  return attention_->forward(query, looked.words, past, bias);
}

Tensor RnnDecoderImpl::copy_gate(const Tensor& features, const Tensor& embedded, const Tensor& attention) {
  if (!copy_gate_) return {};
  const Tensor gate = copy_gate_->forward(at::cat({features, embedded}, -1));
  if (attention_->is_distribution()) return gate;
  const Tensor left = (1 - attention.sum(-1, /*keepdim=*/true)).clamp_min(0);  // negative only by rounding
  return at::cat({gate, left}, -1);
}

Step RnnDecoderImpl::advance(const Memory& memory, const Tensor& embedded, const State& state) {
  Step step = recur(looked_at(memory), first_gates(memory, embedded), state, {}, nullptr);
  step.copy_gate = copy_gate(step.features, embedded, step.attention);
  return step;
}

StepSequence RnnDecoderImpl::forward(const Memory& memory, const Tensor& embedded, Noise* noise) {
  check_shape("embedded target", embedded, {memory.count(), -1, -1});
  const Tensor inputs = dropout(embedded, options_.dropout, noise);
  const auto gates = first_gates(memory, inputs).unbind(1);  // T of [B, G*H]
  StepSequence steps = unroll(
      memory, embedded.size(1), [&](int64_t t, const Tensor&) { return gates[static_cast<size_t>(t)]; },
      noise);
  steps.copy_gate = copy_gate(steps.features, inputs, steps.attention);
  return steps;
}

StepSequence RnnDecoderImpl::forward_by_word(const Memory& memory, int64_t steps, const WordAt& word_at,
                                             Noise* noise) {
  std::vector<Tensor> inputs;
  const auto gates_at = [&](int64_t t, const Tensor& features) {
    inputs.push_back(dropout(word_at(t, features), options_.dropout, noise));
    return first_gates(memory, inputs.back());  // [B, G*H]
  };
  StepSequence result = unroll(memory, steps, gates_at, noise);
  result.copy_gate = copy_gate(result.features, at::stack(inputs, 1), result.attention);
  return result;
}

StepSequence RnnDecoderImpl::unroll(const Memory& memory, int64_t steps, const WordAt& gates_at,
                                    Noise* noise) {
  GatheredGradients gather;
  const ComputeScope scope(&Compute::gather, &gather);
  State state = start(memory);
  Looked looked = looked_at(memory);
  for (AttentionView* view : {&looked.words, &looked.sentences})
    if (has_attention() && view->mask.defined()) view->penalty = Attention::penalty_of(view->mask);
  Masks masks;
  if (noise != nullptr && options_.recurrent_dropout > 0)
    for (const auto& layer : View::of(state, options_).layers)
      masks.recurrent.push_back(noise->mask(layer.hidden, options_.recurrent_dropout));
  std::vector<Tensor> features, attention;
  for (int64_t t = 0; t < steps; ++t) {
    Step step = recur(looked, gates_at(t, t == 0 ? Tensor() : features.back()), state, masks, noise);
    features.push_back(step.features);
    attention.push_back(step.attention);
    state = std::move(step.next);
  }
  return {at::stack(features, 1), at::stack(attention, 1), {}};
}

void RnnDecoderImpl::initialize(Initializer& initializer) {
  bridge_->initialize(initializer);
  for (auto& layer : layers_) layer->initialize(initializer);
  for (auto& norm : norms_) norm->initialize();
  if (feed_) feed_->initialize(initializer);
  attention_->initialize(initializer);
  if (sentence_attention_) sentence_attention_->initialize(initializer);
  for (Linear* part : {&copy_gate_, &context_part_, &state_part_, &context_gate_, &combine_})
    if (*part) (*part)->initialize(initializer);
}

}  // namespace seq2seq
