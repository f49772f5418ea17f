#include "seq2seq/data/loader.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <unordered_set>

#include "seq2seq/core/random.h"
#include "seq2seq/data/hash.h"

namespace seq2seq {
namespace {

// Distinguishes the permutation that selects the held-out examples from those of the epochs.
constexpr uint64_t held_out_key = 0x68656c64206f7574ULL;

Permutation held_out_order(uint64_t corpus_size, uint64_t seed) {
  return {corpus_size, mix_seed({seed, held_out_key})};
}

/// Thrown to leave the sampler in the middle of a window when the loader is destroyed.
struct Stopped {};

}  // namespace

struct Loader::Implementation {
  Implementation(const Corpus& corpus_, const TextCodec& source_, const TextCodec& target_,
                 const Settings& settings_)
      : corpus(corpus_),
        source(source_),
        target(target_),
        settings(settings_),
        sampler(
            corpus_.size(), [this](uint64_t index, Example& example) { return read(index, example); },
            settings_.batch, settings_.seed) {
    for (const uint64_t index : held_out_examples(corpus.size(), settings.held_out, settings.seed)) {
      const RawExample raw = corpus.at(index);
      held_out_pairs.insert(hash_pair(raw.source, raw.target));
    }
    if (settings.filter.remove_duplicates) duplicates = find_duplicates(corpus);
    sampler.seek(settings.start);
    thread = std::thread([this] { run(); });
  }

  ~Implementation() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    changed.notify_all();
    thread.join();
  }

  bool read(uint64_t index, Example& example) {
    if (stopping) throw Stopped{};
    if (!duplicates.empty() && duplicates[index]) return count(&FilterCounts::duplicate, false);
    const RawExample raw = corpus.at(index);
    if (!held_out_pairs.empty() && held_out_pairs.contains(hash_pair(raw.source, raw.target))) return false;
    NumberedSource numbered =
        number_source(source, raw.source, raw.source_sentences, settings.form,
                      settings.filter.truncate_source ? settings.filter.maximum_length : 0);
    example.target = number_target(target, raw.target, numbered, settings.form);
    example.source = std::move(numbered.ids);
    switch (judge_lengths(example.source.size(), example.target.size(), settings.filter)) {
      case FilterVerdict::keep:
        return count(&FilterCounts::kept, true);
      case FilterVerdict::empty:
        return count(&FilterCounts::empty, false);
      case FilterVerdict::too_long:
        return count(&FilterCounts::too_long, false);
      case FilterVerdict::ratio:
        return count(&FilterCounts::ratio, false);
    }
    return false;
  }

  bool count(uint64_t FilterCounts::*field, bool kept) {
    if (sampler.position().epoch == 0) {
      const std::lock_guard lock(mutex);
      ++(counts.*field);
    }
    return kept;
  }

  void run() {
    try {
      for (;;) {
        LoadedBatch loaded{make_batch(sampler.next()), sampler.position()};
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return stopping || queue.size() < capacity(); });
        queue.push_back(std::move(loaded));
        changed.notify_all();
      }
    } catch (const Stopped&) {
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
      changed.notify_all();
    }
  }

  size_t capacity() const { return static_cast<size_t>(settings.prefetch > 0 ? settings.prefetch : 1); }

  LoadedBatch next() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return !queue.empty() || failure; });
    if (queue.empty()) std::rethrow_exception(failure);
    LoadedBatch loaded = std::move(queue.front());
    queue.pop_front();
    changed.notify_all();
    return loaded;
  }

  const Corpus& corpus;
  const TextCodec& source;
  const TextCodec& target;
  const Settings settings;
  std::unordered_set<uint64_t> held_out_pairs;  // by hash, so that every copy of a held-out pair is left out
  std::vector<bool> duplicates;
  Sampler sampler;
  mutable std::mutex mutex;
  std::condition_variable changed;
  std::deque<LoadedBatch> queue;
  std::exception_ptr failure;
  FilterCounts counts;
  std::atomic<bool> stopping = false;
  std::thread thread;
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

std::vector<uint64_t> held_out_examples(uint64_t corpus_size, uint64_t held_out, uint64_t seed) {
  const Permutation order = held_out_order(corpus_size, seed);
  std::vector<uint64_t> indices;
  for (uint64_t index = 0; held_out > 0 && index < corpus_size; ++index)
    if (order(index) < held_out) indices.push_back(index);
  return indices;
}

}  // namespace seq2seq
