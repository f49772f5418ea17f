#include "seq2seq/metrics/sentence_statistics.h"

#include "seq2seq/core/error.h"

namespace seq2seq {

ReferenceLists single_references(const std::vector<std::string>& references) {
  ReferenceLists lists;
  lists.reserve(references.size());
  for (const auto& reference : references) lists.push_back({reference});
  return lists;
}

std::vector<double> SentenceStatistics::sums() const {
  std::vector<double> result(width, 0.0);
  for (size_t i = 0; i < values.size(); ++i) result[i % width] += values[i];
  return result;
}

void check_parallel(const std::vector<std::string>& hypotheses, const ReferenceLists& references) {
  if (hypotheses.size() != references.size())
    throw Error("scoring",
                std::to_string(hypotheses.size()) + " hypotheses but references for " +
                    std::to_string(references.size()) + " sentences",
                "give one line for each sentence in both");
  if (hypotheses.empty()) throw Error("scoring", "there are no sentences", "give at least one");
  for (size_t i = 0; i < references.size(); ++i)
    if (references[i].empty())
      throw Error("scoring", "sentence " + std::to_string(i + 1) + " has no reference", "give at least one");
}

std::string describe_reference_count(const ReferenceLists& references) {
  const size_t count = references.empty() ? 0 : references.front().size();
  for (const auto& list : references)
    if (list.size() != count) return "var";
  return std::to_string(count);
}

}  // namespace seq2seq
