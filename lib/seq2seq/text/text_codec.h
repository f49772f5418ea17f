#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "seq2seq/text/tokenizer.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq {

/// One side (source or target) of a model's text: normalization, tokenizer and vocabulary together.
class TextCodec {
 public:
  TextCodec(const TokenizerOptions& options, const NormalizationOptions& normalization,
            const std::string& state, Vocabulary vocabulary);
  TextCodec(std::unique_ptr<Tokenizer> tokenizer, Vocabulary vocabulary);

  std::vector<Token> tokenize(std::string_view line) const { return tokenizer_->tokenize(line); }
  std::string detokenize(std::span<const std::string> tokens) const { return tokenizer_->detokenize(tokens); }
  /// Ids without <s> and </s>; tokens outside the vocabulary, or spelled like a special token, are <unk>.
  std::vector<int64_t> ids(std::span<const Token> tokens) const;
  std::vector<int64_t> ids(std::string_view line) const;
  const Vocabulary& vocabulary() const { return vocabulary_; }
  const Tokenizer& tokenizer() const { return *tokenizer_; }
  /// Whether its tokens are of lowercased text, by normalization or by a SentencePiece model's own rules.
  bool lowercases() const;

 private:
  std::unique_ptr<Tokenizer> tokenizer_;
  Vocabulary vocabulary_;
};

}  // namespace seq2seq
