#include "seq2seq/data/batch.h"

#include <algorithm>

#include "seq2seq/text/vocabulary.h"

namespace seq2seq {

Batch make_batch(std::span<const Example> examples) {
  Batch batch;
  batch.size = static_cast<int64_t>(examples.size());
  for (const auto& example : examples) {
    batch.source_lengths.push_back(static_cast<int64_t>(example.source.size()) + 1);
    batch.indices.push_back(example.index);
    batch.source_width = std::max(batch.source_width, batch.source_lengths.back());
    batch.source_tokens += batch.source_lengths.back();
    const int64_t target_length = static_cast<int64_t>(example.target.size()) + 1;
    batch.target_width = std::max(batch.target_width, target_length);
    batch.target_tokens += target_length;
  }
  batch.source.assign(static_cast<size_t>(batch.size * batch.source_width), Vocabulary::padding);
  batch.target_input.assign(static_cast<size_t>(batch.size * batch.target_width), Vocabulary::padding);
  batch.target_output = batch.target_input;
  auto source = batch.source.begin();
  auto input = batch.target_input.begin(), output = batch.target_output.begin();
  for (const auto& example : examples) {
    *std::copy(example.source.begin(), example.source.end(), source) = Vocabulary::end;
    *input = Vocabulary::begin;
    std::copy(example.target.begin(), example.target.end(), input + 1);
    *std::copy(example.target.begin(), example.target.end(), output) = Vocabulary::end;
    source += batch.source_width;
    input += batch.target_width;
    output += batch.target_width;
  }
  return batch;
}

}  // namespace seq2seq
