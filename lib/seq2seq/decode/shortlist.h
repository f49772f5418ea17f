#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "seq2seq/nn/shapes.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq {

/// For each source word the target words it may become, and those that are always at hand (Jean et al. 2015,
/// section 3.3): the output layer is then computed for few words only.
struct Shortlist {
  std::vector<std::vector<int64_t>> candidates;  ///< by source id
  std::vector<int64_t> frequent;

  /// JSON (docs/formats.md), in words, so that another vocabulary is noticed. `load` throws Error.
  void save(const std::string& path, const Vocabulary& source, const Vocabulary& target) const;
  static Shortlist load(const std::string& path, const Vocabulary& source, const Vocabulary& target);

  /// The target words of these source ids [B, S] together, ascending, the special ones first.
  Tensor words(const Tensor& source_ids) const;
};

}  // namespace seq2seq
