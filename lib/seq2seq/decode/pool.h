#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <future>
#include <iterator>
#include <latch>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "seq2seq/decode/scorer.h"
#include "seq2seq/decode/search.h"
#include "seq2seq/decode/sentence_batches.h"
#include "seq2seq/nn/engine/part_clock.h"

namespace seq2seq {

/// Sentences to decode, with the options and constraints of their outputs.
struct SearchRequest {
  std::vector<std::vector<int64_t>> sources = {};  ///< ids or copy slots without </s>, not empty
  std::vector<SentenceRules> sentence_rules = {};  ///< one per source, or empty
  SearchOptions search = {};
  OutputRules rules = {};
  int64_t batch_size = 32;  ///< at most so many sentences of similar length are decoded together
  int64_t max_batch_tokens =
      default_batch_tokens;  ///< and at most so many source tokens (sentence_batches.h)
  /// Results do not depend on other sentences or threads, bit for bit. Where the model cannot ensure it in batches
  /// (Scorer::batch_invariant), each sentence is decoded alone by one thread.
  bool batch_invariant = false;

  /// Number of sentences worth putting into one request, so that batches hold sentences of similar length.
  static size_t window(int64_t batch_size) { return 64 * static_cast<size_t>(batch_size); }
};

/// Outputs to score as one batch: targets[i] belongs to sources[i]; ids or copy slots without </s>.
struct ScoringRequest {
  std::vector<std::vector<int64_t>> sources, targets;
};

/// Worker threads that decode requests, each with its own scorer, from construction to destruction. Requests
/// are processed in the order of arrival, batch by batch; a result depends neither on other requests nor on
/// which workers took its batches. A request computes with the kernels and number format that are active
/// where it is submitted (`Compute`). Thread-safe.
class DecodingPool {
 public:
  /// The workers share the threads that LibTorch has at construction (`at::get_num_threads`). At most
  /// `capacity` requests are queued; those with all batches taken do not count. 0 = two per scorer.
  explicit DecodingPool(std::vector<std::unique_ptr<Scorer>> scorers, size_t capacity = 0);
  /// Waits for the batches in progress. Requests not finished by then fail with an Error. Threads started
  /// later use as many LibTorch threads as the destroying thread.
  ~DecodingPool();
  DecodingPool(const DecodingPool&) = delete;
  DecodingPool& operator=(const DecodingPool&) = delete;

  /// The outputs of each source. `get` rethrows a batch's first exception; other requests are
  /// unaffected. Blocks while the queue is full. Throws UsageError for contradictory options.
  std::future<std::vector<SentenceOutputs>> search(SearchRequest request);
  /// The model's score of each target (decode/target_scores.h); otherwise as `search`.
  std::future<std::vector<Hypothesis>> score(ScoringRequest request);

  size_t workers() const { return scorers_.size(); }

  /// From now on workers add up what they spend their time on, for benchmarks.
  void time_parts();
  /// Since then, of batches that were decoded without an exception: at most `threads` seconds in one.
  PartTimes part_times() const;
  /// What its workers have together: one each, or as many as LibTorch had if these are more.
  int64_t threads() const { return std::max<int64_t>(threads_, std::ssize(scorers_)); }

 private:
  class Task;
  template <class Found>
  class Promised;
  class SearchTask;
  class ScoringTask;
  int threads_each(size_t batches) const;
  void submit(std::shared_ptr<Task> task);
  void work(const std::stop_token& stop, Scorer& scorer);
  void finish_batch(const std::shared_ptr<Task>& task, const std::exception_ptr& failure,
                    const PartTimes& times);

  std::vector<std::unique_ptr<Scorer>> scorers_;
  int threads_;  // LibTorch threads, of all workers together
  size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable_any filled_;
  std::condition_variable room_;
  std::deque<std::shared_ptr<Task>> queue_;  // those with batches that no worker has taken
  bool timed_ = false;
  PartTimes part_times_;
  std::latch begun_;
  std::vector<std::jthread> workers_;  // last: joined before other members are destroyed
};

}  // namespace seq2seq
