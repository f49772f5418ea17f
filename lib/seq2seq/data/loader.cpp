#include "seq2seq/data/loader.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "seq2seq/core/error.h"
#include "seq2seq/data/numbered_corpus.h"
#include "seq2seq/data/read_ahead.h"

namespace seq2seq {
namespace {

/// Thrown to leave the sampler in the middle of a window when the loader is destroyed.
struct Stopped {};

NumberedCorpus::Settings numbering_of(const Loader::Settings& settings) {
  return {.filter = settings.filter,
          .form = settings.form,
          .held_out = settings.held_out,
          .cache_bytes = settings.cache_bytes};
}

}  // namespace

struct Loader::Implementation {
  Implementation(const Corpus& corpus, const TextCodec& source, const TextCodec& target,
                 const Settings& settings)
      : capacity(static_cast<size_t>(std::max<int64_t>(1, settings.prefetch))),
        examples(corpus, source, target, numbering_of(settings)),
        reading(
            corpus.size(), [this](uint64_t index) { return examples.at(index); }, settings.batch,
            settings.seed, settings.start, std::max<int64_t>(1, settings.threads)),
        sampler(
            corpus.size(), [this](uint64_t, Example& example) { return take(example); }, settings.batch,
            settings.seed),
        filter(settings.filter),
        origin(corpus.files().describe()),
        read(settings.counted),
        begun(settings.counted),
        finished(settings.counted),
        counts(settings.counted) {
    sampler.seek(settings.start);
    batching = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }

  /// Both go through the corpus in the same order: this is the example that the sampler asks for.
  bool take(Example& example) {
    std::optional<JudgedExample> judged = reading.next(*stopping);
    if (!judged) throw Stopped{};
    if (sampler.position().epoch == 0) read.count(judged->verdict);
    example = std::move(judged->example);
    return judged->verdict == FilterVerdict::keep;
  }

  void run(const std::stop_token& stop) {
    stopping = &stop;
    try {
      for (;;) {
        LoadedBatch loaded = load();
        std::unique_lock lock(mutex);
        if (!changed.wait(lock, stop, [&] { return queue.size() < capacity; })) return;
        queue.push_back({std::move(loaded), begun});
        changed.notify_all();
      }
    } catch (const Stopped&) {
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
      changed.notify_all();
    }
  }

  LoadedBatch load() {
    const bool first_epoch = sampler.position().epoch == 0;
    Batch batch = [&] {
      try {
        return make_batch(sampler.next());
      } catch (const EmptyEpoch&) {
        throw Error(origin, "no pair is left to train on: " + read.describe(filter.maximum_length),
                    read.remedy(filter));
      }
    }();
    if (first_epoch) count_windows();
    return {std::move(batch), sampler.position(), finished};
  }

  void count_windows() {
    begun = read;
    // The sampler has read one more, the first of the next window.
    if (begun.total() > sampler.window_end()) --begun.kept;
    begun.waiting = sampler.waiting();
    if (sampler.position().batch == 0) finished = begun;
  }

  LoadedBatch next() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return !queue.empty() || failure; });
    if (queue.empty()) std::rethrow_exception(failure);
    auto [loaded, counts_then] = std::move(queue.front());
    queue.pop_front();
    counts = counts_then;
    changed.notify_all();
    return std::move(loaded);
  }

  struct Prepared {
    LoadedBatch loaded;
    FilterCounts counts;
  };

  const size_t capacity;
  NumberedCorpus examples;
  ReadAhead reading;
  Sampler sampler;
  const FilterOptions filter;
  const std::string origin;
  // Of the first epoch: what the sampler has read, its windows up to that of the last batch, and without that
  // one unless it is delivered.
  FilterCounts read, begun, finished;
  const std::stop_token* stopping = nullptr;  // of the thread that reads them
  mutable std::mutex mutex;                   // of all below
  std::condition_variable_any changed;
  std::deque<Prepared> queue;
  std::exception_ptr failure;
  FilterCounts counts;    // `begun` at the last batch delivered
  std::jthread batching;  // last, so that it ends first
};

Loader::Loader(const Corpus& corpus, const TextCodec& source, const TextCodec& target,
               const Settings& settings)
    : implementation_(std::make_unique<Implementation>(corpus, source, target, settings)) {}
Loader::~Loader() = default;

LoadedBatch Loader::next() {
  return implementation_->next();
}

FilterCounts Loader::counts() const {
  const std::lock_guard lock(implementation_->mutex);
  return implementation_->counts;
}

uint64_t Loader::cached_bytes() const {
  return implementation_->examples.cached_bytes();
}

}  // namespace seq2seq
