#include "seq2seq/train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace seq2seq {

Schedule::Schedule(const OptimizationOptions& options, const LimitOptions& begun)
    : options_(options), end_(schedule_end(options.schedule, begun)) {}

double Schedule::rate(int64_t update) const {
  const double peak = options_.learning_rate, floor = options_.minimum_learning_rate;
  const auto warmup = static_cast<double>(options_.warmup_updates), now = static_cast<double>(update);
  if (now < warmup) return peak * now / warmup;
  const double rest = static_cast<double>(end_.value_or(0)) - warmup;
  const double done = rest <= 0 ? 1.0 : std::min(1.0, (now - warmup) / rest);
  struct Shape {
    double now, warmup, done, plateau, floor_share;
    double operator()(const ConstantSchedule&) const { return 1; }
    double operator()(const InverseSquareRootSchedule&) const {
      return std::sqrt(std::max(1.0, warmup) / std::max(1.0, now));
    }
    double operator()(const LinearSchedule&) const { return floor_share + (1 - floor_share) * (1 - done); }
    double operator()(const CosineSchedule&) const {
      return floor_share + (1 - floor_share) * 0.5 * (1 + std::cos(std::numbers::pi * done));
    }
    double operator()(const PlateauSchedule&) const { return plateau; }
  };
  const Shape shape{now, warmup, done, state_.plateau_scale, peak > 0 ? floor / peak : 0};
  return std::max(floor, peak * std::visit(shape, options_.schedule));
}

void Schedule::validated(bool improved) {
  const auto* plateau = std::get_if<PlateauSchedule>(&options_.schedule);
  if (plateau == nullptr) return;
  state_.stalled_validations = improved ? 0 : state_.stalled_validations + 1;
  if (state_.stalled_validations < plateau->patience) return;
  state_.stalled_validations = 0;
  state_.plateau_scale *= plateau->factor;
}

}  // namespace seq2seq
