#include "seq2seq/data/batch.h"

#include <algorithm>
#include <numeric>

#include "seq2seq/text/vocabulary.h"

namespace seq2seq {
namespace {

// Rows [begin, end).
Batch rows_of(const Batch& batch, int64_t begin, int64_t end) {
  Batch part;
  part.size = end - begin;
  const auto of_each = [&](const auto& all) {
    return std::decay_t<decltype(all)>(all.begin() + begin, all.begin() + end);
  };
  part.source_lengths = of_each(batch.source_lengths);
  part.target_lengths = of_each(batch.target_lengths);
  part.indices = of_each(batch.indices);
  part.source_width = std::ranges::max(part.source_lengths);
  part.target_width = std::ranges::max(part.target_lengths);
  part.source_tokens = std::accumulate(part.source_lengths.begin(), part.source_lengths.end(), int64_t{0});
  part.target_tokens = std::accumulate(part.target_lengths.begin(), part.target_lengths.end(), int64_t{0});
  const auto cut = [&](const std::vector<int64_t>& all, int64_t width, int64_t kept) {
    std::vector<int64_t> result;
    for (auto row = all.begin() + begin * width; row != all.begin() + end * width; row += width)
      result.insert(result.end(), row, row + kept);
    return result;
  };
  part.source = cut(batch.source, batch.source_width, part.source_width);
  part.target_input = cut(batch.target_input, batch.target_width, part.target_width);
  part.target_output = cut(batch.target_output, batch.target_width, part.target_width);
  return part;
}

}  // namespace

Batch make_batch(std::span<const Example> examples) {
  Batch batch;
  batch.size = static_cast<int64_t>(examples.size());
  for (const auto& example : examples) {
    batch.source_lengths.push_back(static_cast<int64_t>(example.source.size()) + 1);
    batch.target_lengths.push_back(static_cast<int64_t>(example.target.size()) + 1);
    batch.indices.push_back(example.index);
    batch.source_width = std::max(batch.source_width, batch.source_lengths.back());
    batch.target_width = std::max(batch.target_width, batch.target_lengths.back());
    batch.source_tokens += batch.source_lengths.back();
    batch.target_tokens += batch.target_lengths.back();
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

std::vector<Batch> split_batch(const Batch& batch, int64_t parts) {
  std::vector<Batch> result;
  for (int64_t part = 0; part < parts; ++part)
    result.push_back(rows_of(batch, part * batch.size / parts, (part + 1) * batch.size / parts));
  return result;
}

}  // namespace seq2seq
