#include "seq2seq/text/normalization.h"

#include <gtest/gtest.h>

#include "../support/paths.h"
#include "seq2seq/core/json.h"
#include "text_support.h"

namespace seq2seq {
namespace {

TEST(Normalization, AgreesWithPython) {
  const Json reference = read_json_file(test::tests_folder + "reference/text_normalization.json");
  ASSERT_GE(reference["normalization"].size(), 20u);
  for (const auto& entry : reference["normalization"]) {
    const std::string text = entry["text"];
    EXPECT_EQ(normalize(text, {}), text);
    EXPECT_EQ(normalize(text, {.nfkc = true}), entry["nfkc"].get<std::string>()) << text;
    EXPECT_EQ(normalize(text, {.lowercase = true}), entry["lowercase"].get<std::string>()) << text;
    EXPECT_EQ(normalize(text, {.nfkc = true, .lowercase = true}), entry["both"].get<std::string>()) << text;
  }
}

TEST(Normalization, KeepsNullCharacters) {
  const std::string text("A\0Ä", 4);
  EXPECT_EQ(normalize(text, {.nfkc = true, .lowercase = true}), std::string("a\0ä", 4));
}

TEST(Normalization, OriginsPointBack) {
  const std::string line = "Ａb ﬁ… É";  // bytes: Ａ 3, b 1, space, ﬁ 3, … 3, space, É 2
  const NormalizedText result = normalize_with_origins(line, {.nfkc = true, .lowercase = true});
  EXPECT_EQ(result.text, "ab fi... é");
  const std::vector<size_t> expected = {0, 3, 4, 5, 8, 8, 11, 11, 11, 12, 14, 14};
  ASSERT_EQ(result.text.size() + 1, 12u);
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(result.origin(i), expected[i]) << i;
}

TEST(Normalization, OriginsAreAscendingAndTheTextIsTheSame) {
  for (const auto& options : all_normalizations) {
    for (const auto& line : awkward_lines(300, 5)) {
      const NormalizedText result = normalize_with_origins(line, options);
      ASSERT_EQ(result.text, normalize(line, options)) << line;
      ASSERT_EQ(result.origin(0), 0u) << line;
      ASSERT_EQ(result.origin(result.text.size()), line.size()) << line;
      for (size_t i = 0; i < result.text.size(); ++i)
        ASSERT_LE(result.origin(i), result.origin(i + 1)) << line;
    }
  }
}

}  // namespace
}  // namespace seq2seq
