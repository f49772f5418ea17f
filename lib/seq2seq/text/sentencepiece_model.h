#pragma once

// Private to text.

#include <string>
#include <string_view>

namespace seq2seq {

/// Throws Error naming `origin` unless `bytes` are a SentencePiece model (sentencepiece_model.proto of the library)
/// with contents that the library trusts: pieces of valid UTF-8 with known types and finite scores, rules of
/// normalization that lead nowhere outside of themselves, little to test itself with.
void check_sentencepiece_model(std::string_view bytes, const std::string& origin);

}  // namespace seq2seq
