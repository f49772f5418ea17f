#include "seq2seq/decode/self_test.h"

#include <gmock/gmock.h>

#include <limits>

#include "../support/tiny_model.h"
#include "decode_support.h"
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
  EXPECT_EQ(again[0].weights, WeightFormat::float32);
  EXPECT_THAT(to_json(expected), testing::Not(testing::HasSubstr("weights")));  // as older programs read it
  SelfTest rounded = expected;
  rounded[1].weights = WeightFormat::int8;
  EXPECT_EQ(self_test_from_json(to_json(rounded), "here", 9)[1].weights, WeightFormat::int8);
  EXPECT_THROW(self_test_from_json(
                   R"([{"source": [3], "target": [], "log-probability": -1, "weights": "int3"}])", "here", 9),
               Error);
  EXPECT_THROW(self_test_from_json("[{\"source\": [3]}]", "here", 9), Error);
  EXPECT_THROW(self_test_from_json("nonsense", "here", 9), Error);
}

// Generates the first source token twice, each with log-probability -`cost`, then </s>.
TableScorer echo(double cost = 0.5) {
  return TableScorer(9, [cost](int64_t first, const Words& prefix) -> std::map<int64_t, double> {
    if (prefix.size() == 2) return {{Vocabulary::end, -0.25}, {8, -3}};
    return {{first, -cost}, {8, -3}};
  });
}

TEST(SelfTest, ReplaysOutputsAndLogProbabilities) {
  TableScorer scorer = echo();
  const SelfTest test = self_test({{4, 5, 3}, {6, 3}}, scorer);
  ASSERT_EQ(test.size(), 2U);
  EXPECT_EQ(test[0].target, (Words{4, 4}));
  EXPECT_NEAR(test[1].log_probability, -1.25, 1e-12);
  EXPECT_TRUE(replay(test, scorer, 1).passed());
  EXPECT_EQ(replay(test, scorer).cases, 2);

  TableScorer other = echo(0.51);
  EXPECT_FALSE(replay(test, other).passed());
  EXPECT_EQ(replay(test, other).differing, 0);
  EXPECT_NEAR(replay(test, other).difference, 0.02, 1e-12);
  EXPECT_EQ(replay(test, other).beyond, 2);
  EXPECT_TRUE(replay(test, other, 32, 0.01).passed());  // 0.03 for two tokens and </s>
  EXPECT_FALSE(replay(test, other, 32, 0.005).passed());
  TableScorer never = echo(std::numeric_limits<double>::quiet_NaN());
  EXPECT_THROW(replay(test, never), Error);
  EXPECT_FALSE(replay({}, scorer).passed());
}

}  // namespace
}  // namespace seq2seq
