#include "seq2seq/train/schedule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>

namespace seq2seq {
namespace {

constexpr double peak = 0.02, minimum = 0.003;
constexpr int64_t warmup = 8, horizon = 40;

OptimizationOptions options_of(const ScheduleOptions& schedule) {
  OptimizationOptions options;
  options.schedule = schedule;
  options.learning_rate = peak;
  options.minimum_learning_rate = minimum;
  options.warmup_updates = warmup;
  return options;
}

void expect_rates(const Schedule& schedule, const std::function<double(double)>& formula,
                  int64_t last = horizon + 20) {
  for (int64_t update = 1; update <= last; ++update) {
    const auto n = static_cast<double>(update);
    EXPECT_NEAR(schedule.rate(update), update < warmup ? peak * n / warmup : formula(n), 1e-15) << update;
  }
}

TEST(Schedule, ConstantAfterTheWarmUp) {
  expect_rates(Schedule(options_of(ConstantSchedule{}), {}), [](double) { return peak; });
}

TEST(Schedule, InverseSquareRootOfTheUpdate) {
  const Schedule schedule(options_of(InverseSquareRootSchedule{}), {});
  expect_rates(
      schedule, [](double n) { return std::max(minimum, peak * std::sqrt(warmup / n)); }, 1000);
  EXPECT_DOUBLE_EQ(schedule.rate(4 * warmup), peak / 2);
  EXPECT_DOUBLE_EQ(schedule.rate(1000), minimum);
}

TEST(Schedule, InverseSquareRootWithoutWarmUpBeginsAtThePeak) {
  OptimizationOptions options = options_of(InverseSquareRootSchedule{});
  options.warmup_updates = 0;
  EXPECT_DOUBLE_EQ(Schedule(options, {}).rate(1), peak);
  EXPECT_DOUBLE_EQ(Schedule(options, {}).rate(9), peak / 3);
}

TEST(Schedule, LinearReachesTheMinimumAtItsEnd) {
  const auto formula = [](double n) {
    return n >= horizon ? minimum : peak + (minimum - peak) * (n - warmup) / (horizon - warmup);
  };
  expect_rates(Schedule(options_of(LinearSchedule{horizon}), {.max_updates = 1000}), formula);
  expect_rates(Schedule(options_of(LinearSchedule{}), {.max_updates = horizon}), formula);  // 0: max-updates
}

TEST(Schedule, CosineReachesTheMinimumAtItsEnd) {
  const auto formula = [](double n) {
    const double done = std::min(1.0, (n - warmup) / (horizon - warmup));
    return minimum + (peak - minimum) * (1 + std::cos(std::numbers::pi * done)) / 2;
  };
  expect_rates(Schedule(options_of(CosineSchedule{horizon}), {.max_updates = 1000}), formula);
  expect_rates(Schedule(options_of(CosineSchedule{}), {.max_updates = horizon}), formula);
  EXPECT_NEAR(Schedule(options_of(CosineSchedule{horizon}), {}).rate((warmup + horizon) / 2),
              (peak + minimum) / 2, 1e-15);
}

TEST(Schedule, PlateauScalesAfterPatientValidations) {
  Schedule schedule(options_of(PlateauSchedule{.factor = 0.5, .patience = 2}), {});
  expect_rates(schedule, [](double) { return peak; });
  schedule.validated(false);
  schedule.validated(true);  // restarts the count
  schedule.validated(false);
  expect_rates(schedule, [](double) { return peak; });
  schedule.validated(false);
  expect_rates(schedule, [](double) { return peak / 2; });
  for (int i = 0; i < 2; ++i) schedule.validated(false);
  expect_rates(schedule, [](double) { return peak / 4; });
  for (int i = 0; i < 2; ++i) schedule.validated(false);
  expect_rates(schedule, [](double) { return minimum; });  // an eighth would be below
}

TEST(Schedule, PlateauGoesOnFromItsState) {
  Schedule schedule(options_of(PlateauSchedule{.factor = 0.5, .patience = 2}), {});
  for (int i = 0; i < 3; ++i) schedule.validated(false);
  Schedule resumed(options_of(PlateauSchedule{.factor = 0.5, .patience = 2}), {});
  resumed.restore(schedule.state());
  EXPECT_DOUBLE_EQ(resumed.rate(100), peak / 2);
  resumed.validated(false);  // the second in a row
  EXPECT_DOUBLE_EQ(resumed.rate(100), peak / 4);
}

TEST(Schedule, ValidationChangesNoOtherSchedule) {
  Schedule schedule(options_of(ConstantSchedule{}), {});
  for (int i = 0; i < 9; ++i) schedule.validated(false);
  EXPECT_EQ(schedule.rate(100), peak);
  EXPECT_EQ(schedule.state().stalled_validations, 0);
}

}  // namespace
}  // namespace seq2seq
