#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace seq2seq {

/// The references of each sentence, at least one; sentences may have different numbers of them.
using ReferenceLists = std::vector<std::vector<std::string>>;

/// One reference per sentence.
ReferenceLists single_references(const std::vector<std::string>& references);

/// Values per sentence whose sums over a sample of sentences determine the score of that sample, which makes
/// bootstrap resampling cheap.
struct SentenceStatistics {
  size_t width = 0;
  std::vector<double> values;  ///< [sentences * width]
  std::function<double(std::span<const double> sums)> score;

  size_t sentences() const { return width == 0 ? 0 : values.size() / width; }
  std::span<const double> sentence(size_t index) const { return {values.data() + index * width, width}; }
  std::vector<double> sums() const;
};

/// Throws Error if there are no sentences, if the counts differ, or if a sentence has no reference.
void check_parallel(const std::vector<std::string>& hypotheses, const ReferenceLists& references);

/// The number of references for a signature: "2", or "var" if sentences differ.
std::string describe_reference_count(const ReferenceLists& references);

}  // namespace seq2seq
