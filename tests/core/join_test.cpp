#include "seq2seq/core/join.h"

#include <gtest/gtest.h>

#include <vector>

namespace seq2seq {
namespace {

using Texts = std::vector<std::string>;

TEST(Joined, PutsTextBetween) {
  EXPECT_EQ(joined(Texts{}), "");
  EXPECT_EQ(joined(Texts{"a"}), "a");
  EXPECT_EQ(joined(Texts{"a", "", "c"}), "a, , c");
  EXPECT_EQ(joined(Texts{"a", "b"}, " | "), "a | b");
}

TEST(Joined, MayPutAnotherBeforeTheLast) {
  EXPECT_EQ(joined(Texts{"a"}, ", ", " or "), "a");
  EXPECT_EQ(joined(Texts{"a", "b"}, ", ", " or "), "a or b");
  EXPECT_EQ(joined(Texts{"a", "b", "c"}, ", ", " or "), "a, b or c");
}

}  // namespace
}  // namespace seq2seq
