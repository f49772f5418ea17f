#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace seq2seq {

class SentencePieceModel;

/// How BLEU splits a line into words, which is part of the score's definition; equal to sacrebleu's.
class BleuTokenizer {
 public:
  enum Rule {
    v13a,           ///< NIST's mteval-v13a: ASCII punctuation and symbols separated, HTML entities decoded
    international,  ///< mteval-v14: Unicode punctuation (unless between digits) and symbols separated
    chinese,        ///< Han, full-width characters and most symbols separated, the rest as of mteval-v13a
    character,      ///< every character
    none,           ///< at white space
  };
  BleuTokenizer(Rule rule = v13a) : rule_(rule) {}
  /// `name`: one of names(), with the path of a SentencePiece model in place of FILE, which is read. Throws
  /// Error.
  static BleuTokenizer named(const std::string& name);
  /// "13a", "intl", "zh", "char", "none", "spm:FILE".
  static std::vector<std::string> names();

  Rule rule() const { return rule_; }
  /// Null unless words are the pieces of a SentencePiece model.
  const SentencePieceModel* pieces() const { return pieces_.get(); }
  /// Its name in signatures; of a SentencePiece model "spm:" with the name and CRC-32 of its file.
  std::string signature() const;

 private:
  Rule rule_;
  std::shared_ptr<const SentencePieceModel> pieces_;
  std::string pieces_signature_;
};

/// The words of `text`, joined by single spaces.
std::string tokenize_for_bleu(std::string_view text, const BleuTokenizer& tokenizer);

}  // namespace seq2seq
