#pragma once

// Private to the RNN decoder: its state and what it reads of a memory, by name.

#include <utility>
#include <vector>

#include "seq2seq/model/decoder.h"

namespace seq2seq {

constexpr AttentionOptions sentence_attention = AdditiveAttention{};

struct RnnDecoderImpl::View {
  Tensor feed;  // with attention and input feeding
  CoverageState coverage;
  std::vector<CellState> layers;

  static void tensors(auto& view, const RnnDecoderOptions& options, auto&& f) {
    if (options.input_feeding && options.has_attention()) f(view.feed);
    coverage_tensors(options.coverage, view.coverage, f);
    for (auto& layer : view.layers) {
      f(layer.hidden);
      if (options.cell == Cell::lstm) f(layer.cell);
    }
  }

  static View of(const State& state, const RnnDecoderOptions& options) {
    View view;
    view.layers.resize(static_cast<size_t>(options.layers));
    tensors(view, options, RowsReader(state.tensors));
    return view;
  }

  State state(const RnnDecoderOptions& options) const {
    std::vector<Tensor> all;
    tensors(*this, options, [&](const Tensor& tensor) { all.push_back(tensor); });
    return State(std::move(all));
  }
};

struct RnnDecoderImpl::Looked {
  AttentionView words, sentences;  // sentences: with a hierarchical encoder
  Tensor sentence_of_word;         // [B, S], with it

  static void prepared(auto& looked, const RnnDecoderOptions& options, auto&& f) {
    prepared_tensors(options.attention, options.coverage, looked.words, f);
    if (looked.sentences.states.defined()) prepared_tensors(sentence_attention, {}, looked.sentences, f);
  }
};

}  // namespace seq2seq
