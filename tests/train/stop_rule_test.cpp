#include "seq2seq/train/stop_rule.h"

#include <gmock/gmock.h>

namespace seq2seq {
namespace {

using ::testing::DoubleNear;
using ::testing::Optional;

/// Half a minute ago.
Clock::time_point before() {
  return Clock::now() - std::chrono::seconds(30);
}

Progress some_way() {
  Progress progress;
  progress.updates = 5;
  progress.position = {.epoch = 2, .window_begin = 25};
  progress.training_pairs = 50;
  progress.target_tokens = 1000;
  progress.training_seconds = 10;
  progress.stalled_validations = 3;
  return progress;
}

TEST(StopRuleTest, GoesOnWithoutALimit) {
  EXPECT_EQ(StopRule({}, 0, before()).reached(some_way()), std::nullopt);
  EXPECT_EQ(StopRule({}, 0, before()).seconds_left(some_way()), std::nullopt);
}

TEST(StopRuleTest, EachLimitIsReachedAtItsValue) {
  const auto reached = [](const LimitOptions& limits) {
    return StopRule(limits, 0, before()).reached(some_way());
  };
  EXPECT_EQ(reached({.max_updates = 5}), StopReason::limit);
  EXPECT_EQ(reached({.max_updates = 6}), std::nullopt);
  EXPECT_EQ(reached({.max_epochs = 2}), StopReason::limit);
  EXPECT_EQ(reached({.max_epochs = 3}), std::nullopt);
  EXPECT_EQ(reached({.max_target_tokens = 1000}), StopReason::limit);
  EXPECT_EQ(reached({.max_target_tokens = 1001}), std::nullopt);
  EXPECT_EQ(reached({.max_minutes = 0.5}), StopReason::limit);
  EXPECT_EQ(reached({.max_minutes = 60}), std::nullopt);
}

TEST(StopRuleTest, LimitsComeBeforePatienceAndSignalsLast) {
  int asked = 0;
  const auto stop = [&] {
    ++asked;
    return true;
  };
  EXPECT_EQ(StopRule({.max_updates = 5}, 3, before()).reached(some_way(), stop), StopReason::limit);
  EXPECT_EQ(StopRule({.max_updates = 6}, 3, before()).reached(some_way(), stop), StopReason::patience);
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(StopRule({.max_updates = 6}, 4, before()).reached(some_way(), stop), StopReason::signal);
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(StopRule({.max_updates = 6}, 4, before()).reached(some_way(), [] { return false; }),
            std::nullopt);
}

TEST(StopRuleTest, TellsTheTimeThatIsLeft) {
  const auto left = [](const LimitOptions& limits) {
    return StopRule(limits, 0, before()).seconds_left(some_way());
  };
  EXPECT_THAT(left({.max_updates = 20}), Optional(DoubleNear(30, 1e-9)));         // 15 of 2 seconds each
  EXPECT_THAT(left({.max_target_tokens = 1500}), Optional(DoubleNear(5, 1e-9)));  // 500 at 100 per second
  EXPECT_THAT(left({.max_epochs = 5}), Optional(DoubleNear(10, 1e-9)));           // 2.5 of 4 seconds each
  EXPECT_THAT(left({.max_minutes = 2}), Optional(DoubleNear(90, 10)));
  EXPECT_THAT(left({.max_updates = 20, .max_target_tokens = 1500}), Optional(DoubleNear(5, 1e-9)));
  Progress begun;
  begun.training_pairs = 50;
  EXPECT_EQ(StopRule({.max_epochs = 5}, 0, before()).seconds_left(begun), std::nullopt);
}

}  // namespace
}  // namespace seq2seq
