#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace seq2seq {

/// The references of each sentence; sentences may have different numbers of them, but none has no reference.
using ReferenceLists = std::vector<std::vector<std::string>>;

/// One reference a sentence.
ReferenceLists single_references(const std::vector<std::string>& references);

/// Numbers per sentence whose sums over any sample of sentences give the score of that sample: what makes
/// bootstrap resampling cheap.
struct SentenceStatistics {
  size_t width = 0;
  std::vector<double> values;  ///< [sentences * width]
  std::function<double(std::span<const double> sums)> score;

  size_t sentences() const { return width == 0 ? 0 : values.size() / width; }
  std::span<const double> sentence(size_t index) const { return {values.data() + index * width, width}; }
  std::vector<double> sums() const;
};

/// Throws Error when there are no sentences, when the counts differ, or when a sentence has no reference.
void check_parallel(const std::vector<std::string>& hypotheses, const ReferenceLists& references);

/// The number of references for a signature: "2", or "var" when sentences differ.
std::string describe_reference_count(const ReferenceLists& references);

}  // namespace seq2seq
