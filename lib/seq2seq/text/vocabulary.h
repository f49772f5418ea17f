#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "seq2seq/core/options.h"

namespace seq2seq {

struct ListedTokens;

struct VocabularyOptions {
  int64_t size = 0;
  int64_t minimum_frequency = 1;
  static void fields(auto& o, auto& f) {
    f("size", o.size,
      "at most this many tokens, special ones included; 0 = 8000 for sentencepiece, else no limit",
      at_least(0), everyday);
    f("minimum-frequency", o.minimum_frequency, "leave out rarer tokens (they become <unk>)", at_least(1),
      everyday);
  }
};

/// How often each token occurs.
using TokenCounts = std::unordered_map<std::string, int64_t>;

/// Tokens and their ids. The four special tokens come first.
class Vocabulary {
 public:
  static constexpr int64_t padding = 0, unknown = 1, begin = 2, end = 3;
  static constexpr int64_t special_count = 4;
  static const std::vector<std::string>& special_tokens();  // <pad> <unk> <s> </s>

  Vocabulary() : Vocabulary(std::vector<std::string>{}) {}
  /// `tokens` without the special ones. Throws Error on a duplicate, empty or special token or invalid UTF-8.
  explicit Vocabulary(std::vector<std::string> tokens);
  /// Most frequent first, ties in the order of the tokens, so that nothing depends on hashing; special tokens
  /// among the counts are left out. Throws Error when `options.size` leaves no room for a token.
  static Vocabulary from_counts(const TokenCounts& counts, const VocabularyOptions& options);

  /// JSON ({"format": 1, "tokens": [...]}), plain text (one token per line, optionally a tab and a count;
  /// some or all special tokens may be listed at the top, in any order), or a vocabulary of another program
  /// (docs/formats.md): a log line tells its format and special tokens. Throws Error(file:line), and
  /// Error(file) where no tokens are listed.
  static Vocabulary load(const std::string& path);
  /// JSON when the name ends in .json, else plain text; both list the special tokens too. Throws Error when
  /// plain text cannot hold a token (tab, line end).
  void save(const std::string& path) const;
  std::string to_json() const;
  static Vocabulary from_json(const std::string& text, const std::string& origin);

  int64_t size() const { return static_cast<int64_t>(tokens_.size()); }
  const std::string& token(int64_t id) const { return tokens_.at(static_cast<size_t>(id)); }
  std::optional<int64_t> find(std::string_view token) const;
  int64_t id(std::string_view token) const { return find(token).value_or(unknown); }
  bool operator==(const Vocabulary& other) const { return tokens_ == other.tokens_; }

 private:
  static Vocabulary of(const ListedTokens& listed);
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view token) const { return std::hash<std::string_view>{}(token); }
  };
  /// `place` is called only if the token is refused, for the error message.
  void append(std::string token, const std::function<std::string()>& place);

  std::vector<std::string> tokens_;
  std::unordered_map<std::string, int64_t, Hash, std::equal_to<>> ids_;
};

}  // namespace seq2seq
