#include "seq2seq/model/encoder.h"

#include <ATen/ATen.h>
#include <torch/csrc/jit/frontend/tracer.h>

#include "seq2seq/nn/layers/initializer.h"
#include "seq2seq/nn/masks.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq {
namespace {

Tensor recurrent_mask(const RecurrentLayer& layer, const Tensor& x, double p, Noise* noise) {
  if (noise == nullptr || p <= 0) return {};
  return noise->mask(at::empty({x.size(0), layer->hidden_size()}, x.options()), p);  // [B, H]
}

constexpr int64_t positions = 50;  // sentences with a position vector of their own

// The position where sentence `wanted` [B, J] ends: the first with so many ends counted.
Tensor last_of_sentence(const Tensor& counted, const Tensor& ends, const Tensor& wanted) {
  const Tensor here =
      counted.unsqueeze(1).eq((wanted + 1).unsqueeze(2)).logical_and(ends.unsqueeze(1));  // [B, J, S]
  return here.to(at::kByte).argmax(2);
}

// The position after the end of the preceding sentence.
Tensor first_of_sentence(const Tensor& lasts, const Tensor& wanted) {
  const Tensor before = lasts.gather(1, (wanted - 1).clamp_min(0));
  return (before + 1).where(wanted.gt(0), at::zeros_like(before));
}

}  // namespace

RnnEncoderImpl::RnnEncoderImpl(const RnnEncoderOptions& options, int64_t embedding_size) : options_(options) {
  check_values(options, "");
  for (int64_t i = 0; i < options.layers; ++i) {
    const int64_t inputs = i == 0 ? embedding_size : options.memory_size();
    const std::string name = "layer" + std::to_string(i);
    forward_layers_.push_back(
        register_module(name + "_forward", RecurrentLayer(options.cell, inputs, options.size)));
    if (options.bidirectional)
      backward_layers_.push_back(
          register_module(name + "_backward", RecurrentLayer(options.cell, inputs, options.size)));
    if (options.layer_norm)
      norms_.push_back(register_module(name + "_norm", LayerNorm(options.memory_size())));
  }
}

Memory RnnEncoderImpl::forward(const SourceBatch& source, const Tensor& embedded, Noise* noise) {
  check_shape("embedded source", embedded, {-1, -1, -1});
  return read(embedded, source.lengths, noise);
}

Memory RnnEncoderImpl::read(const Tensor& embedded, const Tensor& lengths, Noise* noise) {
  const Tensor like = embedded.select(2, 0);                  // [B, S]
  const Tensor reversal = reversed_positions(lengths, like);  // [B, S]
  Tensor sum = embedded, summary;                             // [B, S, E]
  for (size_t i = 0; i < forward_layers_.size(); ++i) {
    const Tensor x =
        dropout(i > 0 && options_.layer_norm ? norms_[i - 1]->forward(sum) : sum, options_.dropout, noise);
    auto& ahead = forward_layers_[i];
    Tensor states = ahead->forward(x, recurrent_mask(ahead, x, options_.recurrent_dropout, noise));
    summary = last_state(states, lengths);
    if (options_.bidirectional) {
      auto& back = backward_layers_[i];
      const Tensor reversed = back->forward(reverse_time(x, reversal),
                                            recurrent_mask(back, x, options_.recurrent_dropout, noise));
      summary = at::cat({summary, last_state(reversed, lengths)}, 1);   // [B, H]
      states = at::cat({states, reverse_time(reversed, reversal)}, 2);  // [B, S, H]
    }
    sum = options_.residual && i > 0 ? sum + states : states;
  }
  if (options_.layer_norm) {
    sum = norms_.back()->forward(sum);
    summary = norms_.back()->forward(summary);
  }
  // Zero after the end, where the states were computed from padding.
  const Tensor mask = length_mask(lengths, like);
  return Memory(sum * mask.unsqueeze(2).to(sum.scalar_type()), mask, summary);
}

void RnnEncoderImpl::initialize(Initializer& initializer) {
  for (size_t i = 0; i < forward_layers_.size(); ++i) {
    forward_layers_[i]->initialize(initializer);
    if (options_.bidirectional) backward_layers_[i]->initialize(initializer);
    if (options_.layer_norm) norms_[i]->initialize();
  }
}

HierarchicalEncoderImpl::HierarchicalEncoderImpl(const HierarchicalEncoderOptions& options,
                                                 int64_t embedding_size)
    : words_(register_module("words", std::make_shared<RnnEncoderImpl>(options.words(), embedding_size))),
      sentences_(register_module(
          "sentences", std::make_shared<RnnEncoderImpl>(options.sentences(), 2 * words_->memory_size()))),
      position_(register_parameter("position", at::empty({positions, 2 * words_->memory_size()}))) {}

Memory HierarchicalEncoderImpl::forward(const SourceBatch& source, const Tensor& embedded, Noise* noise) {
  const Memory words = words_->read(embedded, source.lengths, noise);
  // The index of each token's sentence in its document: the number of sentence ends before it.
  const Tensor ends = source.ids.eq(Vocabulary::begin).logical_or(source.ids.eq(Vocabulary::end));  // [B, S]
  const Tensor counted = ends.to(at::kLong).cumsum(1);
  const Tensor sentence_of_word = (counted - ends.to(at::kLong)) * words.mask().to(at::kLong);  // [B, S]
  const Tensor counts = counted.amax(1);                                                        // [B]
  // `wanted` [B, J]: sentence indices; after a document's last sentence, that one again.
  const auto most = [&] { return source.sentences > 0 ? source.sentences : counts.max().item<int64_t>(); };
  const Tensor width = torch::jit::tracer::isTracing()  // a value read here would become a constant
                           ? positions_like(source.ids.narrow(0, 0, 1)).squeeze(0)
                           : at::arange(most(), counts.options());
  const Tensor wanted = at::minimum(width.unsqueeze(0), counts.unsqueeze(1) - 1);  // [B, J]
  const Tensor lasts = last_of_sentence(counted, ends, wanted);
  const Tensor firsts = first_of_sentence(lasts, wanted);
  const Tensor both =
      at::cat({reorder_time(words.states(), firsts), reorder_time(words.states(), lasts)}, 2) +
      at::embedding(position_, wanted.clamp_max(positions - 1));  // [B, J, 2H]
  const Memory sentences = sentences_->read(both, counts, noise);
  Memory result(words.states(), words.mask(), at::cat({words.summary(), sentences.summary()}, 1));
  result.add_sentences({sentences.states(), sentences.mask(), sentence_of_word});
  return result;
}

void HierarchicalEncoderImpl::initialize(Initializer& initializer) {
  initializer.uniform(position_);
  words_->initialize(initializer);
  sentences_->initialize(initializer);
}

}  // namespace seq2seq
