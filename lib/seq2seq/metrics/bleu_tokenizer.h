#pragma once

#include <span>
#include <string>
#include <string_view>

namespace seq2seq {

/// How BLEU splits a line into words, which is part of the score's definition.
enum class BleuTokenizer {
  none,           ///< at white space
  v13a,           ///< NIST's mteval-v13a: ASCII punctuation and symbols separated, HTML entities decoded
  character,      ///< every character
  international,  ///< mteval-v14: Unicode punctuation (unless between digits) and symbols separated
};
/// "none", "13a", "char", "intl", in the order of the enumerators.
std::span<const char* const> option_names(BleuTokenizer);

/// The words of `text`, joined by single spaces.
std::string tokenize_for_bleu(std::string_view text, BleuTokenizer tokenizer);

}  // namespace seq2seq
