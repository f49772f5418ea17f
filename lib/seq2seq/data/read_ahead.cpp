#include "seq2seq/data/read_ahead.h"

#include <algorithm>

namespace seq2seq {
namespace {

// Enough that handing over costs nothing beside reading.
constexpr uint64_t examples_of_a_chunk = 32;

}  // namespace

/// Examples in a row of one epoch's order, which one thread reads.
struct ReadAhead::Chunk {
  uint64_t epoch, begin, end;
  std::vector<JudgedExample> examples = {};
  std::exception_ptr failure = nullptr;  // of the example behind them
  uint64_t weight = 0;
  bool done = false;  // under the mutex; all else belongs to its thread until then
  size_t delivered = 0;
};

ReadAhead::ReadAhead(uint64_t corpus_size, Read read, const BatchOptions& options, uint64_t seed,
                     const SamplerPosition& start, int64_t threads)
    : corpus_size_(corpus_size),
      read_(std::move(read)),
      options_(options),
      seed_(seed),
      epoch_(start.epoch),
      place_(start.window_begin) {
  for (int64_t i = 0; i < threads; ++i)
    threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
}

ReadAhead::~ReadAhead() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

std::shared_ptr<ReadAhead::Chunk> ReadAhead::begin_chunk() {
  if (place_ >= corpus_size_) {
    ++epoch_;
    place_ = 0;
  }
  const uint64_t end = std::min(corpus_size_, place_ + examples_of_a_chunk);
  chunks_.push_back(std::make_shared<Chunk>(Chunk{.epoch = epoch_, .begin = place_, .end = end}));
  place_ = end;
  return chunks_.back();
}

void ReadAhead::read_chunk(Chunk& chunk, const std::stop_token& stop) const {
  const Permutation order = epoch_order(corpus_size_, seed_, chunk.epoch);
  try {
    for (uint64_t place = chunk.begin; place < chunk.end && !stop.stop_requested(); ++place) {
      chunk.examples.push_back(read_(order(place)));
      chunk.weight += options_.weight(chunk.examples.back().example);
    }
  } catch (...) {
    chunk.failure = std::current_exception();
  }
}

void ReadAhead::work(const std::stop_token& stop) {
  for (;;) {
    std::shared_ptr<Chunk> chunk;
    {
      std::unique_lock lock(mutex_);
      if (!room_.wait(lock, stop, [&] { return weight_ahead_ < options_.window_weight(); })) return;
      chunk = begin_chunk();
    }
    read_chunk(*chunk, stop);
    if (stop.stop_requested()) return;
    {
      const std::lock_guard lock(mutex_);
      weight_ahead_ += chunk->weight;
      chunk->done = true;
    }
    done_.notify_one();
  }
}

std::optional<JudgedExample> ReadAhead::next(const std::stop_token& stop) {
  if (!taken_ || (taken_->delivered == taken_->examples.size() && !taken_->failure)) {
    std::unique_lock lock(mutex_);
    if (!done_.wait(lock, stop, [&] { return !chunks_.empty() && chunks_.front()->done; }))
      return std::nullopt;
    taken_ = std::move(chunks_.front());
    chunks_.pop_front();
    weight_ahead_ -= taken_->weight;
    room_.notify_all();
  }
  if (taken_->delivered == taken_->examples.size()) std::rethrow_exception(taken_->failure);
  return std::move(taken_->examples[taken_->delivered++]);
}

}  // namespace seq2seq
