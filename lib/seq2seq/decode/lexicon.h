#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "seq2seq/data/numbered_text.h"
#include "seq2seq/decode/phrase.h"
#include "seq2seq/text/text_codec.h"

namespace seq2seq {

/// Tokens by what they write.
class SpellingIndex {
 public:
  struct Entry {
    int64_t token;
    bool joins_left, joins_right;
    bool leads, trails;  ///< writes spaces before or behind the text as well
  };
  void add(int64_t token, const Spelling& spelling);
  /// Null = none.
  const std::vector<Entry>* find(std::string_view text) const;
  /// Tokens that write nothing and join their neighbours.
  const std::vector<int64_t>& joiners() const { return joiners_; }
  /// Bytes of the longest text.
  size_t longest() const { return longest_; }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  void insert(std::string_view text, const Entry& entry);

  std::unordered_map<std::string, std::vector<Entry>, Hash, std::equal_to<>> entries_;
  std::vector<int64_t> joiners_;
  size_t longest_ = 0;
};

/// Finds the token sequences that write a text: tokens of the target vocabulary, in any segmentation, with or
/// without a space or joiner on either side, and words copied from the source. Special tokens never write.
class Lexicon {
 public:
  explicit Lexicon(std::shared_ptr<const TextCodec> target);

  /// What one source adds: words that the vocabulary lacks and that can be copied, and those that <unk> may
  /// be replaced by.
  class SourceWords {
   public:
    SourceWords() = default;
    SourceWords(const Lexicon& lexicon, const NumberedSource& source, bool copying, bool replace_unknown);
    /// Whether some word of the source is a part of `text`.
    bool within(std::string_view text) const;

   private:
    friend class Lexicon;
    SpellingIndex index_;
    std::vector<std::string> spellings_;
    std::unordered_map<std::string, int64_t> slots_;  // by token
  };

  /// What a phrase is for:
  ///   anywhere    found in an output, with all its sequences
  ///   required    the same; if the tokenizer begins the text with a space of its own, that may come first
  ///   line_start  the usual sequences at the beginning of a line
  enum class Use { anywhere, required, line_start };
  /// Without sequences if the text cannot be written, or is white space.
  Phrase phrase(std::string_view text, const SourceWords& source = {}, Use use = Use::anywhere) const;
  /// The text as the tokenizer reads and writes it, without superfluous white space.
  std::string plain(std::string_view text) const;
  /// The first word of a text, as the tokenizer cuts it, that cannot be written.
  std::string unwritable(std::string_view text, const SourceWords& source = {}) const;

 private:
  class Builder;
  /// The tokenizer's tokens; -1 for one that cannot be written.
  std::vector<int64_t> tokens_of(std::string_view plain, const SourceWords& source) const;

  std::shared_ptr<const TextCodec> target_;
  SpellingIndex index_;
};

}  // namespace seq2seq
