#pragma once

#include <cstdint>
#include <memory>

#include "seq2seq/core/options.h"
#include "seq2seq/data/batch.h"
#include "seq2seq/data/corpus.h"
#include "seq2seq/data/filter.h"
#include "seq2seq/data/numbered_text.h"
#include "seq2seq/data/sampler.h"

namespace seq2seq {

/// What loading may cost. Batches are the same in any case.
struct LoaderOptions {
  int64_t threads = 0;
  int64_t cache_mib = 512;
  static void fields(auto& o, auto& f) {
    f("loader-threads", o.threads,
      "threads that tokenize the training text; 0 = 1 where the processor trains, else up to 4",
      in_range(0, 1024));
    f("cache-mib", o.cache_mib,
      "MiB of memory for text that has been tokenized, so that later epochs need not do it again; 0 = none",
      in_range(0, 1000000));
  }
  uint64_t cache_bytes() const { return static_cast<uint64_t>(cache_mib) << 20; }
};

/// A batch, and what a checkpoint stores once it has been used.
struct LoadedBatch {
  Batch batch;
  SamplerPosition after;  ///< the sampler's position
  FilterCounts counted;   ///< Loader::Settings::counted of a loader that starts there
};

/// Reads, tokenizes, filters and batches in threads of its own: a few batches ahead, and the examples of the
/// next window. `next` throws the errors of these threads, behind the batches that come before them.
class Loader {
 public:
  struct Settings {
    BatchOptions batch;
    FilterOptions filter;
    uint64_t seed = 1;
    TextForm form;
    std::vector<uint64_t> held_out;  ///< ascending; these are not trained on, nor are their copies
    int64_t prefetch = 4;            ///< batches prepared ahead
    SamplerPosition start;
    /// What has become of the pairs of the first epoch that come before the window of `start`.
    FilterCounts counted;
    int64_t threads = 1;  ///< that tokenize
    uint64_t cache_bytes = LoaderOptions{}.cache_bytes();
  };
  Loader(const Corpus& corpus, const TextCodec& source, const TextCodec& target, const Settings& settings);
  ~Loader();
  LoadedBatch next();
  /// What has become of the pairs of the first epoch, as far as the batches that were delivered reach: whole
  /// windows.
  FilterCounts counts() const;
  /// Memory of the text that later epochs need not tokenize again.
  uint64_t cached_bytes() const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace seq2seq
