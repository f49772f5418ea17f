#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <future>
#include <latch>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "seq2seq/decode/scorer.h"
#include "seq2seq/decode/search.h"

namespace seq2seq {

/// Sentences to decode, and all that is asked of their outputs.
struct SearchRequest {
  std::vector<std::vector<int64_t>> sources = {};  ///< ids or slots without </s>, at least one each
  std::vector<SentenceRules> sentence_rules = {};  ///< of each source, or of none
  SearchOptions search = {};
  OutputRules rules = {};
  int64_t batch_size = 32;  ///< sentences of similar length that are decoded together
  /// Each sentence by itself and by one thread: its bits do not depend on what is decoded beside it.
  bool batch_invariant = false;

  /// Sentences worth putting into one request, so that batches hold such of similar length.
  static size_t window(int64_t batch_size) { return 64 * static_cast<size_t>(batch_size); }
};

/// Given outputs to score as one batch: targets[i] is one of sources[i], in words and slots without </s>.
struct ScoringRequest {
  std::vector<std::vector<int64_t>> sources, targets;
};

/// Threads that decode what they are asked for, each with a scorer of its own, from construction to
/// destruction. Requests are taken in the order in which they came, batch after batch; what a request is
/// answered depends neither on the others nor on who took its batches. Each computes under the kernels and
/// number formats that are in force where it is made (`Compute`). Thread-safe.
class DecodingPool {
 public:
  /// The threads share out those that LibTorch has here and now (`at::get_num_threads`). At most `capacity`
  /// requests wait, not counting those in work; 0 = two for each scorer.
  explicit DecodingPool(std::vector<std::unique_ptr<Scorer>> scorers, size_t capacity = 0);
  /// Ends after the batches in work. Requests that are not answered by then fail with an Error. The thread
  /// that destroys it has its number of threads for all that LibTorch begins afterwards.
  ~DecodingPool();
  DecodingPool(const DecodingPool&) = delete;
  DecodingPool& operator=(const DecodingPool&) = delete;

  /// The hypotheses of each source, best first (decode/search.h). What a batch throws, `get` rethrows; other
  /// requests go on. Waits while the queue is full. Throws UsageError for options that contradict each other.
  std::future<std::vector<std::vector<Hypothesis>>> search(SearchRequest request);
  /// What the model holds of each target. As above.
  std::future<std::vector<Hypothesis>> score(ScoringRequest request);

  size_t workers() const { return scorers_.size(); }

 private:
  class Task;
  template <class Found>
  class Promised;
  class SearchTask;
  class ScoringTask;
  int threads_each(size_t batches) const;
  void submit(std::shared_ptr<Task> task);
  void work(const std::stop_token& stop, Scorer& scorer);
  void finish_batch(const std::shared_ptr<Task>& task, const std::exception_ptr& failure);

  std::vector<std::unique_ptr<Scorer>> scorers_;
  int threads_;  // of LibTorch, all together
  size_t capacity_;
  std::mutex mutex_;
  std::condition_variable_any filled_;
  std::condition_variable room_;
  std::deque<std::shared_ptr<Task>> queue_;  // those with batches that nobody has taken
  std::latch begun_;
  std::vector<std::jthread> workers_;  // last, so that they end first
};

}  // namespace seq2seq
