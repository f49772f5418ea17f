#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "seq2seq/core/clock.h"
#include "seq2seq/nn/engine/compute.h"

namespace seq2seq {

/// What decoding spends time on:
///   encoder      the encoder, and what the decoder prepares of its states
///   products     products with weights in steps
///   attention    scores, weights and weighted sums in steps
///   elementwise  cells, normalization and activation functions in steps
///   framework    the rest of steps: copying states, and whatever surrounds the kernels
///   vocabulary   the output layer and the choice of the most probable words
///   search       hypotheses and batches
///   rules        what depends on the words of a hypothesis so far: phrases, n-grams, penalties, drawing
/// As `framework` count the steps of a foreign archive as a whole and, where steps are computed by tensors, what else would
/// be `elementwise`.
enum class Part { encoder, products, attention, elementwise, framework, vocabulary, search, rules };
inline constexpr size_t part_count = 8;
std::span<const char* const> option_names(Part);

/// By Part.
struct PartTimes {
  std::array<double, part_count> seconds{};         ///< of threads: two threads spend two in one second
  std::array<int64_t, part_count> multiply_adds{};  ///< of products with weights

  /// Adds what `threads` threads did together.
  void add(const PartTimes& other, int threads);
};

/// Divides the time of the calling thread, while it lives, among the parts: `part`, but for what a PartScope says.
class PartClock {
 public:
  explicit PartClock(Part part) : part_(part), scope_(&Compute::clock, this) {}
  /// Until now.
  PartTimes times();

 private:
  friend class PartScope;
  friend void count_multiply_adds(int64_t count);
  /// Returns the part that it was before. What is a part of steps alone counts elsewhere as where it is.
  Part enter(Part next);
  void change(Part next);

  PartTimes times_;
  Part part_;
  Clock::time_point since_ = Clock::now();
  ComputeScope scope_;
};

/// While it lives, the thread's time is that of a part, but for the scopes within it. Without a PartClock nothing is timed.
class PartScope {
 public:
  explicit PartScope(Part part) : clock_(Compute::now().clock) {
    if (clock_ != nullptr) before_ = clock_->enter(part);
  }
  ~PartScope() {
    if (clock_ != nullptr) clock_->change(before_);
  }
  PartScope(const PartScope&) = delete;
  PartScope& operator=(const PartScope&) = delete;

 private:
  PartClock* clock_;
  Part before_{};
};

}  // namespace seq2seq
