#pragma once

// Private to the library: vocabulary files of this program and of others (docs/formats.md, Vocabularies).

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace seq2seq {

struct FileToken {
  std::string text;
  int64_t id;      ///< as the file counts; not those of a Vocabulary
  int64_t number;  ///< of its line, from 1, or its index in an array
};

/// What a vocabulary file lists.
struct ListedTokens {
  std::string format;                ///< "a dictionary of fairseq"; empty: one that this program writes
  std::vector<FileToken> tokens;     ///< in the order of their ids, special ones left out
  std::vector<std::string> special;  ///< those left out: "<s>", "<blank> as <pad>"
  std::function<std::string(const FileToken&)> place;  ///< "vocab.txt:17"
  std::string warning;                                 ///< what looks wrong; may be empty
};

/// Tells formats apart by what the file holds; its name only decides for JSON, and allows comments in YAML.
/// Throws Error for a format that cannot be used, by its name, and for what does not fit the format.
ListedTokens list_tokens(const std::string& text, const std::string& path);

inline constexpr int64_t vocabulary_format = 1;
/// Of {"format": 1, "tokens": [...]}.
ListedTokens list_own_json(const std::string& text, const std::string& origin);

// The parts of `list_tokens`.

/// "vocab.txt:17", `number` counted from 1.
std::string line_place(const std::string& path, int64_t number);
/// A line in quotes for a message, cut where it is long.
std::string quoted_line(std::string_view line);

/// Whether all of `text` is a JSON object with content, whatever the name of its file.
bool is_json_object(const std::string& text);
/// Of JSON: as this program writes it, {"token": id}, or an array of tokens.
ListedTokens list_json(const std::string& text, const std::string& path);
/// Of text with a token a line.
ListedTokens list_lines(std::string_view text, const std::string& path);
/// Whether every line is "token: id" or, in a file named as YAML, the first one with content is.
bool is_yaml(const std::vector<std::string_view>& lines, const std::string& path);
ListedTokens list_yaml(const std::vector<std::string_view>& lines, const std::string& path);

/// Where special tokens stand: `ours_first`, as this program writes them; `first`, also as others call them;
/// `anywhere`.
enum class SpecialTokens { ours_first, first, anywhere };
/// Leaves out the special tokens. Ours that stand elsewhere than expected stay, for Vocabulary to refuse.
ListedTokens without_special(std::vector<FileToken> tokens, SpecialTokens expected);
/// The same of tokens in any order. Throws Error when two have the same id.
ListedTokens in_order_of_ids(std::vector<FileToken> tokens, const std::string& path);

}  // namespace seq2seq
