#include "seq2seq/model/gradient_flow.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "seq2seq/core/random.h"
#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/engine/recorded_states.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq {
namespace {

enum class Order { ahead, backwards };

/// What one layer computed, state by state.
struct Recorded {
  Order order;
  std::vector<RecordedStates::Entry> states;  // each [B, H], or one [B, S, H] of all steps
};

// The recorded states of `part` and its submodules.
std::vector<Recorded> recorded_of(const RecordedStates& recorded, const torch::nn::Module& part) {
  std::vector<Recorded> result;
  for (const auto& module : part.named_modules()) {
    // Distances in a hierarchical encoder's sentence layers count sentences, not tokens.
    if (module.key().starts_with("sentences")) continue;
    const auto& states = recorded.of(*module.value());
    if (states.empty()) continue;
    const bool backwards = module.key().ends_with("_backward");
    result.push_back({backwards ? Order::backwards : Order::ahead, states});
  }
  return result;
}

/// Squared norms [B, S] of the gradients of `layers`, by position in the sentence; `next` iterates over them.
Tensor squares_by_place(const std::vector<Recorded>& layers, std::vector<Tensor>::const_iterator& next,
                        const Tensor& lengths, int64_t width) {
  Tensor sum = at::zeros({lengths.size(0), width}, at::kDouble);
  for (const Recorded& layer : layers) {
    Tensor places = at::zeros_like(sum);
    for (size_t step = 0; step < layer.states.size(); ++step)
      for (const Tensor& part : {layer.states[step].hidden, layer.states[step].cell}) {
        if (!part.defined()) continue;
        const Tensor gradient = *next++;
        if (!gradient.defined()) continue;
        const Tensor squares = gradient.to(at::kCPU, at::kDouble).square().sum(-1);
        if (squares.dim() == 2)
          places += squares;
        else
          places.select(1, static_cast<int64_t>(step)) += squares;
      }
    if (layer.order == Order::backwards) {  // its step j is at position length - 1 - j
      const Tensor steps = (lengths.unsqueeze(1) - 1 - at::arange(width).unsqueeze(0)).clamp_min(0);
      places = places.gather(1, steps);
    }
    sum += places;
  }
  return sum;
}

/// A part of the path from the loss back: its layers, and its length for each sentence [B].
struct Stretch {
  std::vector<Recorded> layers;
  Tensor lengths;
  int64_t width;
};

// `way`: nearest to the loss first; sentences whose first stretch has no step do not count.
GradientFlow measured(const Tensor& loss, const torch::nn::Module& model, const std::vector<Stretch>& way) {
  std::vector<Tensor> inputs;
  for (const Stretch& stretch : way)
    for (const Recorded& layer : stretch.layers)
      for (const RecordedStates::Entry& state : layer.states)
        for (const Tensor& part : {state.hidden, state.cell})
          if (part.defined()) inputs.push_back(part);
  for (const Tensor& parameter : model.parameters())
    if (parameter.requires_grad()) inputs.push_back(parameter);
  const std::vector<Tensor> gradients = torch::autograd::grad({loss}, inputs, {}, /*retain_graph=*/false,
                                                              /*create_graph=*/false, /*allow_unused=*/true);

  auto next = gradients.cbegin();
  std::vector<Tensor> squares;
  for (const Stretch& stretch : way)
    squares.push_back(squares_by_place(stretch.layers, next, stretch.lengths, stretch.width));
  double square = 0;
  for (; next != gradients.cend(); ++next)
    if (next->defined()) square += next->to(at::kDouble).square().sum().item<double>();

  GradientFlow flow;
  std::vector<int64_t> counts;
  double sentences = 0;
  for (int64_t b = 0; b < way.front().lengths.size(0); ++b) {
    if (way.front().lengths[b].item<int64_t>() == 0) continue;
    ++sentences;
    flow.target_steps += way.front().lengths[b].item<double>();
    size_t distance = 0;
    for (size_t part = 0; part < way.size(); ++part)
      for (int64_t place = way[part].lengths[b].item<int64_t>() - 1; place >= 0; --place, ++distance) {
        if (distance == flow.norms.size()) {
          flow.norms.push_back(0);
          counts.push_back(0);
        }
        flow.norms[distance] += std::sqrt(squares[part][b][place].item<double>());
        ++counts[distance];
      }
  }
  for (size_t i = 0; i < counts.size(); ++i) flow.norms[i] /= static_cast<double>(counts[i]);
  flow.target_steps /= sentences;
  flow.parameter_norm = std::sqrt(square) / sentences;
  return flow;
}

}  // namespace

GradientFlow gradient_flow(Seq2Seq& model, const TensorBatch& batch) {
  const at::AutoGradMode with_gradients(true);
  const Tensor words = batch.target_output.ne(Vocabulary::padding).sum(1) - 1;  // without </s>
  TORCH_CHECK(words.gt(0).any().item<bool>(), "no sentence has a target word");
  // For the loss, all but the last token of each sentence is padding.
  const Tensor positions = at::arange(batch.target_output.size(1), words.options());
  const Tensor last = positions.unsqueeze(0).eq((words - 1).unsqueeze(1));  // [B, T]
  const Tensor targets = batch.target_output.masked_fill(last.logical_not(), Vocabulary::padding);

  RecordedStates recorded;
  const ComputeScope scope(&Compute::recorded, &recorded);
  const Memory memory = model->encode(batch.source);
  const StepSequence steps = model->decode(memory, batch.target_input);
  const Tensor loss = model->output()->loss(steps, memory, targets, 0).loss;
  return measured(loss, *model,
                  {{recorded_of(recorded, model->decoder()), words.to(at::kCPU), targets.size(1)},
                   {recorded_of(recorded, model->encoder()), batch.source.lengths.to(at::kCPU),
                    batch.source.ids.size(1)}});
}

GradientFlow gradient_flow(SimpleRnn& model, const Tensor& x) {
  const at::AutoGradMode with_gradients(true);
  RecordedStates recorded;
  const ComputeScope scope(&Compute::recorded, &recorded);
  const Tensor outputs = model->forward(x);
  const Tensor lengths = at::full({x.size(0)}, x.size(1), at::kLong);
  return measured(outputs.sum(), *model, {{recorded_of(recorded, *model), lengths, x.size(1)}});
}

std::vector<Example> recall_examples(int64_t count, int64_t length, int64_t distance, int64_t vocabulary,
                                     uint64_t seed) {
  TORCH_CHECK(distance >= 0 && distance < length, "the word to recall is one of ", length);
  Random random(seed);
  std::vector<Example> examples(static_cast<size_t>(count));
  for (size_t i = 0; i < examples.size(); ++i) {
    examples[i].index = i;
    for (int64_t k = 0; k < length; ++k)
      examples[i].source.push_back(
          Vocabulary::special_count +
          static_cast<int64_t>(random.below(static_cast<uint64_t>(vocabulary - Vocabulary::special_count))));
    examples[i].target = {examples[i].source[static_cast<size_t>(length - 1 - distance)]};
  }
  return examples;
}

}  // namespace seq2seq
