#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "seq2seq/core/options.h"
#include "seq2seq/data/example.h"

namespace seq2seq {

enum class BatchUnit { tokens, sentences };
std::span<const char* const> option_names(BatchUnit);

struct BatchOptions {
  BatchUnit unit = BatchUnit::tokens;
  int64_t size = 4096;
  int64_t window = 100;
  /// What an example counts for in a window, and what all of a window count for, if the text is long enough.
  uint64_t weight(const Example& example) const {
    return unit == BatchUnit::tokens ? example.target.size() + 1 : 1;
  }
  uint64_t window_weight() const { return static_cast<uint64_t>(window) * static_cast<uint64_t>(size); }
  static void fields(auto& o, auto& f) {
    f("batch-unit", o.unit,
      "what --batch-size counts: tokens of the longer side with </s> and padding, or sentences");
    f("batch-size", o.size, "size of a batch in --batch-unit", at_least(1), everyday);
    f("batch-window", o.window, "number of batches whose examples are sorted by length together",
      at_least(1));
  }
};

/// A pseudo-random permutation of 0..size-1 that needs no memory: a keyed Feistel network over the next
/// power of four, iterated until the result is inside (cycle walking, Black and Rogaway 2002). Takes
/// constant time on average.
class Permutation {
 public:
  Permutation(uint64_t size, uint64_t seed);
  uint64_t operator()(uint64_t index) const;

 private:
  uint64_t size_, half_bits_, mask_;
  static constexpr uint64_t rounds = 8;  // four are visibly biased for sizes below about 40
  uint64_t keys_[rounds];
};

/// The order in which an epoch goes through the corpus.
Permutation epoch_order(uint64_t corpus_size, uint64_t seed, uint64_t epoch);

/// The position of a sampler: enough to continue exactly there, in time independent of the corpus size.
struct SamplerPosition {
  uint64_t epoch = 0;
  uint64_t window_begin = 0;  ///< first index, in the epoch's order, of the current window
  uint64_t batch = 0;         ///< batches of that window already delivered
  bool operator==(const SamplerPosition&) const = default;
};

/// Thrown by a sampler when `read` has taken none of the corpus's examples.
struct EmptyEpoch {};

/// Delivers batches of examples of similar length in a seeded random order, epoch after epoch.
///
/// Each epoch permutes the examples; a window of them is read, sorted by length and cut into batches
/// within the budget, and these are delivered in a seeded random order. `read` is asked for one example after
/// the other in the order of the epochs, from the first of the position's window on, and returns false for
/// one that is filtered out.
class Sampler {
 public:
  using Read = std::function<bool(uint64_t index, Example&)>;
  Sampler(uint64_t corpus_size, Read read, const BatchOptions& options, uint64_t seed);

  /// The next batch; `position()` is then the one after it. Throws EmptyEpoch if a whole epoch is empty, and
  /// Error if a position given to `seek` is not in the corpus.
  std::vector<Example> next();
  SamplerPosition position() const { return position_; }
  void seek(const SamplerPosition& position);
  /// Where, in the epoch's order, the window of the last batch ends, and how many of its examples are in
  /// batches not delivered yet.
  uint64_t window_end() const { return window_end_; }
  uint64_t waiting() const;
  /// True when `position()` is the beginning of an epoch.
  bool at_epoch_start() const;

 private:
  void fill_window();
  uint64_t size_;
  Read read_;
  BatchOptions options_;
  uint64_t seed_;
  SamplerPosition position_;
  uint64_t window_end_ = 0;
  bool window_ready_ = false;
  std::vector<std::vector<Example>> batches_;
  std::optional<Example> next_window_first_;  // already read, so that every example is read once per epoch
};

}  // namespace seq2seq
