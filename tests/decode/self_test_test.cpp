#include "seq2seq/decode/self_test.h"

#include <gmock/gmock.h>

#include <limits>

#include "seq2seq/core/error.h"

namespace seq2seq {
namespace {

const SelfTest expected{{{4, 5, 3}, {6, 7}, -1.5}, {{4, 3}, {}, -0.25}};

TEST(SelfTest, SurvivesJson) {
  const SelfTest again = self_test_from_json(to_json(expected), "here", 9);
  ASSERT_EQ(again.size(), 2U);
  EXPECT_EQ(again[0].source, expected[0].source);
  EXPECT_EQ(again[0].target, expected[0].target);
  EXPECT_EQ(again[1].log_probability, -0.25);
  EXPECT_THROW(self_test_from_json("[{\"source\": [3]}]", "here", 9), Error);
  EXPECT_THROW(self_test_from_json("nonsense", "here", 9), Error);
}

TEST(SelfTest, ComparesOutputsAndLogProbabilities) {
  EXPECT_TRUE(compare(expected, expected).passed());
  SelfTest other = expected;
  other[0].log_probability += 0.01;
  EXPECT_FALSE(compare(expected, other).passed());
  EXPECT_NEAR(compare(expected, other).difference, 0.01, 1e-12);
  other = expected;
  other[1].target = {5};  // as likely: a tie
  EXPECT_TRUE(compare(expected, other).passed());
  EXPECT_EQ(compare(expected, other).differing, 1);
  other[1].log_probability = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(compare(expected, other).passed());
}

}  // namespace
}  // namespace seq2seq
