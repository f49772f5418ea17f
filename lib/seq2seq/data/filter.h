#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "seq2seq/core/options.h"
#include "seq2seq/data/corpus.h"

namespace seq2seq {

struct FilterOptions {
  int64_t maximum_length = 250;
  bool truncate_source = false;
  double maximum_ratio = 0.0;
  bool remove_duplicates = false;
  static void fields(auto& o, auto& f) {
    f("max-length", o.maximum_length,
      "leave out training pairs with more tokens on a side; longer lines are truncated in translation",
      at_least(1));
    f("truncate-source", o.truncate_source,
      "truncate longer training sources to --max-length instead of leaving the pair out, "
      "as is usual in summarization");
    f("max-ratio", o.maximum_ratio,
      "leave out pairs where one side has more than this many times the other's tokens; 0 = no limit",
      at_least(0));
    f("remove-duplicates", o.remove_duplicates, "keep only the first of identical pairs");
  }
};

/// What becomes of a pair in training: it is kept, or why it is left out.
enum class FilterVerdict { keep, empty, too_long, ratio, duplicate, held_out, held_out_copy };

/// What has become of the pairs that were read: one count for each verdict.
struct FilterCounts {
  uint64_t kept = 0, empty = 0, too_long = 0, ratio = 0, duplicate = 0, held_out = 0, held_out_copies = 0;
  uint64_t waiting = 0;  ///< those of `kept` that training has not reached yet
  void count(FilterVerdict verdict, uint64_t pairs = 1);
  /// The pairs that were read: the sum of all counts but `waiting`, whose pairs are among `kept`.
  uint64_t total() const;
  uint64_t trained_on() const { return kept - waiting; }
  /// "trained on 28,990 of 29,000 pairs (8 empty, 2 over 250 tokens)": what is in parentheses and what was
  /// trained on add up to the whole.
  std::string describe(int64_t maximum_length) const;
  /// Whether the filter leaves out most of the pairs that training could have had.
  bool keeps_few() const;
  /// What to do about the most frequent reason for which pairs are empty, too long or of unlike lengths.
  std::string remedy(const FilterOptions& options) const;
  bool operator==(const FilterCounts&) const = default;
};

/// Of a pair that is neither a duplicate nor held out. Lengths in tokens, without <s> and </s>.
FilterVerdict judge_lengths(size_t source, size_t target, const FilterOptions& options);

/// For each example, whether an earlier one has the same source and target (by a 64-bit hash).
std::vector<bool> find_duplicates(const Corpus& corpus);

}  // namespace seq2seq
