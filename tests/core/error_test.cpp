#include "seq2seq/core/error.h"

#include <gtest/gtest.h>

namespace seq2seq {
namespace {

TEST(ErrorTest, IsOneLineWhateverItQuotes) {
  const Error error("config.json: a\nb", "'\x1b[31m\t\x7f\r' is unknown", "remove '\u00e4\u2028'");
  EXPECT_STREQ(error.what(),
               "config.json: a\\nb: '\\x1b[31m\\t\\x7f\\x0d' is unknown; remove '\u00e4\u2028'");
  EXPECT_EQ(error.place(), "config.json: a\\nb");
}

TEST(ErrorTest, HasATextWithoutItsPlace) {
  EXPECT_EQ(Error("cuda:0", "is a\nb", "update it").without_place(), "is a\\nb; update it");
  EXPECT_EQ(Error("cuda:0", "is out of order").without_place(), "is out of order");
}

TEST(ErrorTest, LeavesOutTheMiddleOfALongText) {
  std::string umlauts;
  for (int i = 0; i < 100'000; ++i) umlauts += "\u00e4";
  const std::string text = Error("place", "'" + umlauts + "'").problem();
  EXPECT_LT(text.size(), 4010U);
  EXPECT_EQ(text.substr(0, 3), "'\u00e4");
  EXPECT_EQ(text.substr(text.size() - 3), "\u00e4'");
  const size_t middle = text.find("\u2026");
  ASSERT_NE(middle, std::string::npos);
  EXPECT_EQ(text.substr(middle - 2, 7), "\u00e4\u2026\u00e4");
  const std::string short_one(4000, 'a');
  EXPECT_EQ(Error("place", short_one).problem(), short_one);
}

}  // namespace
}  // namespace seq2seq
