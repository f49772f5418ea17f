#pragma once

// Private to the library: one factory function per tokenizer.

#include <memory>
#include <string>

#include "seq2seq/text/tokenizer.h"

namespace seq2seq {

std::unique_ptr<Tokenizer> make_word_tokenizer(const NormalizationOptions& normalization);
std::unique_ptr<Tokenizer> make_char_tokenizer(const NormalizationOptions& normalization);
std::unique_ptr<Tokenizer> make_whitespace_tokenizer(const NormalizationOptions& normalization);
/// `model` holds the bytes of the model file, `origin` names it in errors.
std::unique_ptr<Tokenizer> make_sentencepiece_tokenizer(std::string model, const std::string& origin,
                                                        const NormalizationOptions& normalization);

}  // namespace seq2seq
