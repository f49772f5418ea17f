#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "seq2seq/text/vocabulary.h"

namespace seq2seq {

/// The candidate target tokens of each source token, and those that are always candidates, so that the output
/// layer is computed for few tokens only (Jean et al. 2015, section 3.3).
struct Shortlist {
  std::vector<std::vector<int64_t>> candidates;  ///< by source id
  std::vector<int64_t> frequent;

  /// JSON (docs/formats.md) of tokens, not ids, so that another vocabulary is detected. `load` throws Error.
  void save(const std::string& path, const Vocabulary& source, const Vocabulary& target) const;
  static Shortlist load(const std::string& path, const Vocabulary& source, const Vocabulary& target);

  /// All candidate target ids of a sentence of these source ids, ascending, special tokens and `more` included.
  std::vector<int64_t> words(std::span<const int64_t> source_ids, std::vector<int64_t> more = {}) const;
};

}  // namespace seq2seq
