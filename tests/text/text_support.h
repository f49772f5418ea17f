#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "seq2seq/core/random.h"
#include "seq2seq/text/tokenizer.h"

namespace seq2seq {

inline std::vector<std::string> texts_of(const std::vector<Token>& tokens) {
  std::vector<std::string> result;
  for (const auto& token : tokens) result.push_back(token.text);
  return result;
}

inline std::vector<std::string> surfaces_of(const std::vector<Token>& tokens) {
  std::vector<std::string> result;
  for (const auto& token : tokens) result.push_back(token.surface);
  return result;
}

/// Random lines of parts that are hard for tokenizers.
inline std::vector<std::string> awkward_lines(size_t count, uint64_t seed) {
  static const std::vector<std::string_view> parts = {" ",
                                                      " ",
                                                      " ",
                                                      "  ",
                                                      "\t",
                                                      "\u00A0",
                                                      "\u3000",
                                                      "\u2028",
                                                      "a",
                                                      "Don",
                                                      "B",
                                                      "straße",
                                                      "'",
                                                      "’",
                                                      "-",
                                                      "--",
                                                      ".",
                                                      ",",
                                                      "1",
                                                      "42",
                                                      "٣",
                                                      "(",
                                                      ")",
                                                      "\"",
                                                      "„",
                                                      "“",
                                                      "«",
                                                      "/",
                                                      "@",
                                                      "_",
                                                      "％",
                                                      "％2581",
                                                      "％FFED",
                                                      "\x01",
                                                      "\x7F",
                                                      "\u0085",
                                                      "e\u0301",
                                                      "\u0301",
                                                      "\u0323",
                                                      "क्षि",
                                                      "日本",
                                                      "語",
                                                      "ﾊﾞ",
                                                      "ไทย",
                                                      "한국",
                                                      "ᄒ\u1161\u11AB",
                                                      "שלום",
                                                      "مرحبا",
                                                      "\u200F",
                                                      "\u200D",
                                                      "\uFE0F",
                                                      "👩\u200D🚀",
                                                      "✌\U0001F3FD",
                                                      "🇩🇪🇫🇷",
                                                      "1\uFE0F\u20E3",
                                                      "😀",
                                                      "…",
                                                      "½",
                                                      "㎏",
                                                      "ﬁ",
                                                      "ﷺ",
                                                      "İ",
                                                      "ΟΔΟΣ",
                                                      "\u00A8",
                                                      "\U0001D400",
                                                      "\uFEFF",
                                                      "\U0010FFFF",
                                                      "<s>",
                                                      "<unk>",
                                                      "￭",
                                                      "\r"};
  Random random(seed);
  std::vector<std::string> lines;
  for (size_t i = 0; i < count; ++i) {
    std::string line;
    for (uint64_t length = random.below(12); length > 0; --length) line += parts[random.below(parts.size())];
    lines.push_back(line);
  }
  return lines;
}

inline constexpr NormalizationOptions all_normalizations[] = {
    {false, false}, {true, false}, {false, true}, {true, true}};

}  // namespace seq2seq
