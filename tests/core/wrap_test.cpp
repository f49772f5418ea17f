#include "seq2seq/core/wrap.h"

#include <gtest/gtest.h>

namespace seq2seq {
namespace {

TEST(Wrap, BreaksAtSpacesAndKeepsBreaks) {
  EXPECT_EQ(wrap("one two three", 8), "one two\nthree");
  EXPECT_EQ(wrap("one two", 7), "one two");
  EXPECT_EQ(wrap("unbreakable x", 4), "unbreakable\nx");
  EXPECT_EQ(wrap("a\n\nb c", 80), "a\n\nb c");
  EXPECT_EQ(wrap("", 80), "");
}

TEST(Wrap, CountsCharacters) {
  EXPECT_EQ(wrap("über öl", 7), "über öl");
  EXPECT_EQ(wrap("über öl", 6), "über\nöl");
}

}  // namespace
}  // namespace seq2seq
