#include "seq2seq/decode/target_scores.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <numeric>

#include "seq2seq/text/vocabulary.h"

namespace seq2seq {

std::vector<std::vector<int64_t>> word_positions(const SourceBatch& source) {
  const Tensor ids = source.ids.to(at::kCPU).contiguous(), lengths = source.lengths.to(at::kCPU).contiguous();
  std::vector<std::vector<int64_t>> result(static_cast<size_t>(ids.size(0)));
  for (int64_t row = 0; row < ids.size(0); ++row) {
    const int64_t* sentence = ids.const_data_ptr<int64_t>() + row * ids.size(1);
    for (int64_t position = 0; position + 1 < lengths.const_data_ptr<int64_t>()[row]; ++position)
      if (sentence[position] != Vocabulary::begin) result[static_cast<size_t>(row)].push_back(position);
  }
  return result;
}

std::vector<Hypothesis> score_targets(Scorer& scorer, const SourceBatch& source,
                                      std::span<const std::vector<int64_t>> targets) {
  const c10::InferenceMode no_gradients;
  TORCH_CHECK(std::ssize(targets) == source.ids.size(0), "a target for each source");
  size_t longest = 0;
  for (const auto& target : targets) longest = std::max(longest, target.size());
  const auto words = word_positions(source);
  scorer.begin(source);
  const auto steps = static_cast<int64_t>(longest) + 1, count = std::ssize(targets);
  // Targets are padded with </s>; scores after their end are not used.
  const Tensor inputs = at::full({count, steps}, Vocabulary::end, at::kLong);
  const Tensor outputs = at::full({count, steps}, Vocabulary::end, at::kLong);
  for (int64_t row = 0; row < count; ++row) {
    const auto& target = targets[static_cast<size_t>(row)];
    inputs[row][0] = Vocabulary::begin;
    if (target.empty()) continue;
    const Tensor tokens = at::tensor(target, at::kLong);
    inputs[row].narrow(0, 1, std::ssize(target)).copy_(tokens);
    outputs[row].narrow(0, 0, std::ssize(target)).copy_(tokens);
  }
  const TargetScores found = scorer.score_targets(inputs, outputs);
  const Tensor scores = found.log_probabilities.to(at::kCPU, at::kDouble).contiguous();  // [B, T]
  const Tensor attention = found.attention.to(at::kCPU, at::kFloat).contiguous();        // [B, T, S]
  std::vector<Hypothesis> result(targets.size());
  for (size_t row = 0; row < targets.size(); ++row) {
    Hypothesis& one = result[row];
    one.tokens = targets[row];
    const double* first = scores.const_data_ptr<double>() + static_cast<int64_t>(row) * steps;
    one.token_log_probabilities.assign(first, first + targets[row].size() + 1);
    one.log_probability = one.score =
        std::accumulate(one.token_log_probabilities.begin(), one.token_log_probabilities.end(), 0.0);
    for (size_t t = 0; t < targets[row].size(); ++t) {
      if (!scorer.has_attention()) {
        one.source_positions.push_back(-1);
        continue;
      }
      const auto width = static_cast<size_t>(attention.size(2));
      const std::span looked(
          attention.const_data_ptr<float>() + (row * static_cast<size_t>(steps) + t) * width, width);
      one.source_positions.push_back(most_attended(looked, words[row]));
    }
  }
  return result;
}

}  // namespace seq2seq
