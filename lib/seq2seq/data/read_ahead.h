#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "seq2seq/data/example_cache.h"
#include "seq2seq/data/sampler.h"

namespace seq2seq {

/// Reads examples in the order of the epochs with threads of its own, ahead of who takes them: about as much
/// as a window of batches holds. What is taken depends neither on the number of threads nor on their speed.
class ReadAhead {
 public:
  using Read = std::function<JudgedExample(uint64_t index)>;  ///< thread-safe

  /// From the first example of the window of `start` on. `corpus_size` is not 0.
  ReadAhead(uint64_t corpus_size, Read read, const BatchOptions& options, uint64_t seed,
            const SamplerPosition& start, int64_t threads);
  /// Waits for the examples in work.
  ~ReadAhead();
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  /// The next example; waits for it. Throws what `read` has thrown for it, and nothing that comes after can be
  /// taken then. Nothing when `stop` is requested. For one thread.
  std::optional<JudgedExample> next(const std::stop_token& stop);

 private:
  struct Chunk;
  std::shared_ptr<Chunk> begin_chunk();
  void read_chunk(Chunk& chunk, const std::stop_token& stop) const;
  void work(const std::stop_token& stop);

  const uint64_t corpus_size_;
  const Read read_;
  const BatchOptions options_;
  const uint64_t seed_;
  std::shared_ptr<Chunk> taken_;  // of which examples are delivered
  std::mutex mutex_;              // of all below
  std::condition_variable_any room_, done_;
  uint64_t epoch_, place_;                     // where the next chunk begins
  uint64_t weight_ahead_ = 0;                  // of the chunks that are done
  std::deque<std::shared_ptr<Chunk>> chunks_;  // in work or done, in order
  std::vector<std::jthread> threads_;          // last, so that they end first
};

}  // namespace seq2seq
