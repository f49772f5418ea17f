#include "seq2seq/text/utf8.h"

#include <gtest/gtest.h>

#include "../support/paths.h"
#include "seq2seq/core/json.h"

namespace seq2seq {
namespace {

TEST(Utf8, FindsTheFirstInvalidByteAsPythonDoes) {
  const Json reference = read_json_file(test::tests_folder + "reference/text_normalization.json");
  int invalid = 0;
  for (const auto& entry : reference["utf8"]) {
    const std::string hex = entry["hex"];
    std::string bytes;
    for (size_t i = 0; i < hex.size(); i += 2)
      bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    const auto found = find_invalid_utf8(bytes);
    EXPECT_EQ(found ? static_cast<int>(*found) : -1, entry["first_invalid"].get<int>()) << hex;
    if (found) ++invalid;
  }
  EXPECT_GT(invalid, 20);
}

TEST(Utf8, EncodesAndDecodesEveryCodePoint) {
  for (char32_t point = 0; point <= 0x10FFFF; ++point) {
    if (point == 0xD800) point = 0xE000;
    const std::u32string text(1, point);
    const std::string bytes = utf8_encode(text);
    ASSERT_FALSE(find_invalid_utf8(bytes)) << static_cast<uint32_t>(point);
    ASSERT_EQ(utf8_decode(bytes), text) << static_cast<uint32_t>(point);
  }
  EXPECT_EQ(utf8_encode(U"\u00e4\u20ac\U0001F600"), "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80");
}

TEST(Utf8, CutsIntoCharacters) {
  EXPECT_EQ(utf8_characters("aä€😀"), (std::vector<std::string_view>{"a", "ä", "€", "😀"}));
  EXPECT_TRUE(utf8_characters("").empty());
}

}  // namespace
}  // namespace seq2seq
