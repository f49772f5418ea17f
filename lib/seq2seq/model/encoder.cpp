#include "seq2seq/model/encoder.h"

#include <ATen/ATen.h>

#include "seq2seq/nn/masks.h"

namespace seq2seq {
namespace {

Tensor recurrent_mask(const RecurrentLayer& layer, const Tensor& x, double p, Noise* noise) {
  if (noise == nullptr || p <= 0) return {};
  return noise->mask(at::empty({x.size(0), layer->hidden_size()}, x.options()), p);  // [B, H]
}

}  // namespace

RnnEncoderImpl::RnnEncoderImpl(const RnnEncoderOptions& options, int64_t embedding_size) : options_(options) {
  for (int64_t i = 0; i < options.layers; ++i) {
    const int64_t inputs = i == 0 ? embedding_size : options.memory_size();
    const std::string name = "layer" + std::to_string(i);
    forward_layers_.push_back(
        register_module(name + "_forward", RecurrentLayer(options.cell, inputs, options.size)));
    if (options.bidirectional)
      backward_layers_.push_back(
          register_module(name + "_backward", RecurrentLayer(options.cell, inputs, options.size)));
  }
}

Memory RnnEncoderImpl::forward(const Tensor& embedded, const Tensor& lengths, Noise* noise) {
  check_shape("embedded source", embedded, {-1, -1, -1});
  const Tensor like = embedded.select(2, 0);                  // [B, S]
  const Tensor reversal = reversed_positions(lengths, like);  // [B, S]
  Tensor x = dropout(embedded, options_.dropout, noise);      // [B, S, E]
  Tensor summary;
  for (size_t i = 0; i < forward_layers_.size(); ++i) {
    if (i > 0) x = dropout(x, options_.dropout, noise);
    auto& ahead = forward_layers_[i];
    Tensor states = ahead->forward(x, recurrent_mask(ahead, x, options_.recurrent_dropout, noise));
    summary = last_state(states, lengths);
    if (options_.bidirectional) {
      auto& back = backward_layers_[i];
      const Tensor reversed = back->forward(reorder_time(x, reversal),
                                            recurrent_mask(back, x, options_.recurrent_dropout, noise));
      summary = at::cat({summary, last_state(reversed, lengths)}, 1);   // [B, H]
      states = at::cat({states, reorder_time(reversed, reversal)}, 2);  // [B, S, H]
    }
    x = options_.residual && i > 0 ? x + states : states;
  }
  // Zero behind the end: the states there are left-overs of the padding.
  const Tensor mask = length_mask(lengths, like);
  return Memory(x * mask.unsqueeze(2).to(x.scalar_type()), mask, summary);
}

std::shared_ptr<Encoder> make_encoder(const EncoderOptions& options, int64_t embedding_size) {
  return std::visit(
      [&]<class Options>(const Options& o) -> std::shared_ptr<Encoder> {
        static_assert(std::is_same_v<Options, RnnEncoderOptions>);
        return std::make_shared<RnnEncoderImpl>(o, embedding_size);
      },
      options);
}

}  // namespace seq2seq
