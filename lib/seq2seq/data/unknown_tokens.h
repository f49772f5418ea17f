#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "seq2seq/data/corpus.h"
#include "seq2seq/data/numbered_text.h"

namespace seq2seq {

/// What one side of a text loses to <unk>.
struct UnknownTokens {
  uint64_t pairs = 0;                 ///< that were read
  uint64_t tokens = 0, unknown = 0;   ///< those of white space alone are not counted
  std::vector<std::string> examples;  ///< the first different unknown ones, at most three

  double share() const {
    return tokens == 0 ? 0 : static_cast<double>(unknown) / static_cast<double>(tokens);
  }
  /// "23.4% of the source's tokens become <unk> in the first 300 pairs, such as 'x', 'y'".
  std::string describe(const std::string& side) const;
};

/// A larger share deserves a warning.
inline constexpr double notable_unknown_share = 0.1;

/// Counts the tokens of the first pairs (at most 10,000) that the vocabularies do not have, on the source and
/// on the target side. Words that copying can write are not counted as unknown.
std::array<UnknownTokens, 2> count_unknown_tokens(const Corpus& corpus, const TextCodec& source,
                                                  const TextCodec& target, const TextForm& form);

}  // namespace seq2seq
