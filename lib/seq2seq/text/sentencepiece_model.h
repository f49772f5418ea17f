#pragma once

// Private to the library.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sentencepiece {
class SentencePieceProcessor;
}

namespace seq2seq {

/// Throws Error naming `origin` unless `bytes` are a SentencePiece model (sentencepiece_model.proto of the library)
/// with contents that the library trusts: pieces of valid UTF-8 with known types and finite scores, rules of
/// normalization that lead nowhere outside of themselves, little to test itself with.
void check_sentencepiece_model(std::string_view bytes, const std::string& origin);

/// `model` holds the bytes of a model file, `origin` names it in errors. Throws Error.
std::unique_ptr<sentencepiece::SentencePieceProcessor> load_sentencepiece(const std::string& model,
                                                                          const std::string& origin);

/// A SentencePiece model by itself, without what tokenizers of models do beside it.
class SentencePieceModel {
 public:
  /// Like load_sentencepiece.
  SentencePieceModel(const std::string& model, const std::string& origin);
  ~SentencePieceModel();
  /// The pieces of valid UTF-8 text, as Python's EncodeAsPieces gives them.
  std::vector<std::string> pieces(std::string_view text) const;

 private:
  std::unique_ptr<sentencepiece::SentencePieceProcessor> processor_;
};

}  // namespace seq2seq
