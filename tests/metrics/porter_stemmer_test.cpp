#include "seq2seq/metrics/porter_stemmer.h"

#include <gtest/gtest.h>

#include "reference_cases.h"

namespace seq2seq {
namespace {

TEST(PorterStemmer, EqualsNltk) {
  const Json words = test::read_reference("stems");
  ASSERT_GT(words.size(), 5000u);
  for (const auto& pair : words)
    EXPECT_EQ(porter_stem(pair.at(0).get<std::string>()), pair.at(1).get<std::string>()) << pair.at(0);
}

TEST(PorterStemmer, AnyBytesAreSafe) {
  EXPECT_EQ(porter_stem(""), "");
  EXPECT_EQ(porter_stem("\xC3\xBC"
                        "bers"),
            "\xC3\xBC"
            "ber");
}

}  // namespace
}  // namespace seq2seq
