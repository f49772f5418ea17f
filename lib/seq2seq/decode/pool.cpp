#include "seq2seq/decode/pool.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <iterator>
#include <numeric>
#include <optional>
#include <span>
#include <utility>

#include "seq2seq/core/error.h"
#include "seq2seq/data/batch.h"
#include "seq2seq/decode/target_scores.h"
#include "seq2seq/nn/engine/compute.h"

namespace seq2seq {

namespace {

using Sentences = std::span<const size_t>;  // indices of a request's sources

/// Calls `decode` with all sentences; where memory is too short for that, with halves, quarters and so on.
template <class Decode>
void in_parts_that_fit(Sentences sentences, const std::vector<std::vector<int64_t>>& sources,
                       const Decode& decode) {
  try {
    return decode(sentences);
  } catch (const c10::OutOfMemoryError&) {
    if (sentences.size() == 1)
      throw Error(
          "decoding",
          fmt::format("not enough memory for one sentence of {} tokens", sources[sentences.front()].size()),
          "lower --beam-size, shorten the sentence, or give --device cpu");
  }
  const size_t half = sentences.size() / 2;  // only here, when the failed attempt's tensors are gone
  in_parts_that_fit(sentences.first(half), sources, decode);
  in_parts_that_fit(sentences.subspan(half), sources, decode);
}

std::vector<size_t> all_indices(size_t count) {
  std::vector<size_t> indices(count);
  std::iota(indices.begin(), indices.end(), size_t{0});
  return indices;
}

}  // namespace

/// A submitted request.
class DecodingPool::Task {
 public:
  Task(size_t count, int share) : batches(count), threads(share) {}
  virtual ~Task() = default;
  /// Called on worker threads, several at a time.
  virtual void decode(size_t batch, Scorer& scorer) = 0;
  /// Called once, when no batch is in progress any more. `problem`: null = every batch succeeded.
  virtual void answer(const std::exception_ptr& problem) = 0;

  const size_t batches;
  const int threads;  ///< of LibTorch, per batch
  const Compute compute = Compute::now().kept();
  // Guarded by the pool's mutex: how many batches are taken and done, and their first exception.
  size_t taken = 0, done = 0;
  std::exception_ptr failure = nullptr;
};

/// A request whose batches fill in `found_`.
template <class Found>
class DecodingPool::Promised : public Task {
 public:
  using Task::Task;
  void answer(const std::exception_ptr& problem) override {
    if (problem)
      promise_.set_exception(problem);
    else
      promise_.set_value(std::move(found_));
  }
  std::future<Found> future() { return promise_.get_future(); }

 protected:
  Found found_;

 private:
  std::promise<Found> promise_;
};

class DecodingPool::SearchTask : public Promised<std::vector<SentenceOutputs>> {
 public:
  /// `cut`: the indices of the sources, batch by batch.
  SearchTask(SearchRequest request, std::vector<std::vector<size_t>> cut, int share)
      : Promised(cut.size(), share), request_(std::move(request)), sentences_(std::move(cut)) {
    found_.resize(request_.sources.size());
  }

  void decode(size_t batch, Scorer& scorer) override {
    const Sentences sentences = sentences_[batch];
    if (!request_.batch_invariant || scorer.batch_invariant())
      return in_parts_that_fit(sentences, request_.sources,
                               [&](Sentences part) { search_part(part, scorer); });
    at::set_num_threads(1);  // until the next task of this worker
    for (size_t i = 0; i < sentences.size(); ++i) search_part(sentences.subspan(i, 1), scorer);
  }

 private:
  void search_part(Sentences sentences, Scorer& scorer) {
    std::vector<Example> examples;
    std::vector<SentenceRules> rules;
    for (const size_t i : sentences) {
      examples.push_back({examples.size(), request_.sources[i], {}});
      if (!request_.sentence_rules.empty()) rules.push_back(request_.sentence_rules[i]);
    }
    auto found = seq2seq::search(scorer, to_tensors(make_batch(examples)).source, request_.search,
                                 request_.rules, rules);
    for (size_t i = 0; i < sentences.size(); ++i) found_[sentences[i]] = std::move(found[i]);
  }

  SearchRequest request_;
  std::vector<std::vector<size_t>> sentences_;  // of each batch
};

class DecodingPool::ScoringTask : public Promised<std::vector<Hypothesis>> {
 public:
  ScoringTask(ScoringRequest request, int share)
      : Promised(request.sources.empty() ? 0 : 1, share), request_(std::move(request)) {}

  void decode(size_t, Scorer& scorer) override {
    in_parts_that_fit(all_indices(request_.sources.size()), request_.sources,
                      [&](Sentences part) { score_part(part, scorer); });
  }

 private:
  void score_part(Sentences sentences, Scorer& scorer) {
    std::vector<Example> examples;
    std::vector<std::vector<int64_t>> targets;
    for (const size_t i : sentences) {
      examples.push_back({examples.size(), request_.sources[i], {}});
      targets.push_back(request_.targets[i]);
    }
    auto found = score_targets(scorer, to_tensors(make_batch(examples)).source, targets);
    std::move(found.begin(), found.end(), std::back_inserter(found_));
  }

  ScoringRequest request_;
};

DecodingPool::DecodingPool(std::vector<std::unique_ptr<Scorer>> scorers, size_t capacity)
    : scorers_(std::move(scorers)),
      threads_(at::get_num_threads()),
      capacity_(capacity > 0 ? capacity : 2 * scorers_.size()),
      begun_(std::ssize(scorers_)) {
  TORCH_CHECK(!scorers_.empty(), "a pool needs a scorer");
  for (const auto& own : scorers_)
    workers_.emplace_back([this, &scorer = *own](const std::stop_token& stop) {
      at::set_num_threads(threads_each(workers()));
      begun_.count_down();
      work(stop, scorer);
    });
  begun_.wait();
  at::set_num_threads(threads_);  // the workers' settings would partly apply to threads started later
}

DecodingPool::~DecodingPool() {
  for (std::jthread& worker : workers_) worker.request_stop();
  workers_.clear();
  for (const auto& task : queue_)
    task->answer(std::make_exception_ptr(
        Error("decoding", "was ended before this request was answered", "ask another pool")));
  at::set_num_threads(at::get_num_threads());  // as above
}

int DecodingPool::threads_each(size_t batches) const {
  return std::max(1, threads_ / static_cast<int>(std::min(workers(), batches)));
}

std::future<std::vector<SentenceOutputs>> DecodingPool::search(SearchRequest request) {
  check(request.search);
  TORCH_CHECK(request.sentence_rules.empty() || request.sentence_rules.size() == request.sources.size(),
              "rules for every sentence, or for none");
  TORCH_CHECK(request.batch_size > 0 && request.max_batch_tokens > 0, "a batch has sentences");
  auto batches = sentence_batches(request.sources, request.batch_size, request.max_batch_tokens);
  const int threads = batches.empty() ? 1 : threads_each(batches.size());
  auto task = std::make_shared<SearchTask>(std::move(request), std::move(batches), threads);
  auto future = task->future();
  submit(std::move(task));
  return future;
}

std::future<std::vector<Hypothesis>> DecodingPool::score(ScoringRequest request) {
  TORCH_CHECK(request.sources.size() == request.targets.size(), "a target for each source");
  auto task = std::make_shared<ScoringTask>(std::move(request), threads_each(workers()));
  auto future = task->future();
  submit(std::move(task));
  return future;
}

void DecodingPool::submit(std::shared_ptr<Task> task) {
  if (task->batches == 0) return task->answer(nullptr);
  {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return queue_.size() < capacity_; });
    queue_.push_back(std::move(task));
  }
  filled_.notify_all();
}

void DecodingPool::work(const std::stop_token& stop, Scorer& scorer) {
  for (;;) {
    std::shared_ptr<Task> task;
    size_t batch = 0;
    bool timed = false;
    {
      std::unique_lock lock(mutex_);
      filled_.wait(lock, stop, [&] { return !queue_.empty(); });
      if (stop.stop_requested()) return;
      task = queue_.front();
      batch = task->taken++;
      timed = timed_;
      if (task->taken == task->batches) queue_.pop_front();
    }
    room_.notify_one();
    std::exception_ptr failure;
    PartTimes times;
    try {
      if (at::get_num_threads() != task->threads) at::set_num_threads(task->threads);
      const ComputeScope scope(task->compute);
      std::optional<PartClock> clock;
      if (timed) clock.emplace(Part::search);
      task->decode(batch, scorer);
      if (clock) times = clock->times();
    } catch (...) {
      failure = std::current_exception();
    }
    finish_batch(task, failure, times);
  }
}

void DecodingPool::time_parts() {
  const std::lock_guard lock(mutex_);
  timed_ = true;
}

PartTimes DecodingPool::part_times() const {
  const std::lock_guard lock(mutex_);
  return part_times_;
}

void DecodingPool::finish_batch(const std::shared_ptr<Task>& task, const std::exception_ptr& failure,
                                const PartTimes& times) {
  bool last = false;
  {
    const std::lock_guard lock(mutex_);
    part_times_.add(times, task->threads);
    if (failure && !task->failure) task->failure = failure;
    if (task->failure && task->taken < task->batches) {  // skip the remaining batches
      task->done += task->batches - task->taken;
      task->taken = task->batches;
      queue_.pop_front();
    }
    last = ++task->done == task->batches;
  }
  room_.notify_one();
  if (last) task->answer(task->failure);
}

}  // namespace seq2seq
