#include "seq2seq/nn/engine/part_clock.h"

namespace seq2seq {
namespace {

constexpr const char* part_names[] = {"encoder",   "products",   "attention", "elementwise",
                                      "framework", "vocabulary", "search",    "rules"};
static_assert(std::size(part_names) == part_count);

bool within_steps(Part part) {
  return part == Part::products || part == Part::attention || part == Part::elementwise;
}

}  // namespace

std::span<const char* const> option_names(Part) {
  return part_names;
}

void PartTimes::add(const PartTimes& other, int threads) {
  for (size_t i = 0; i < part_count; ++i) {
    seconds[i] += other.seconds[i] * threads;
    multiply_adds[i] += other.multiply_adds[i];
  }
}

PartTimes PartClock::times() {
  const auto now = Clock::now();
  times_.seconds[static_cast<size_t>(part_)] += std::chrono::duration<double>(now - since_).count();
  since_ = now;
  return times_;
}

Part PartClock::enter(Part next) {
  const Part before = part_;
  if (!within_steps(next) || within_steps(before) || before == Part::framework) change(next);
  return before;
}

void PartClock::change(Part next) {
  if (next == part_) return;
  times();
  part_ = next;
}

}  // namespace seq2seq
