#pragma once

#include <cstdint>
#include <memory>

#include "seq2seq/data/batch.h"
#include "seq2seq/data/corpus.h"
#include "seq2seq/data/filter.h"
#include "seq2seq/data/numbered_text.h"
#include "seq2seq/data/sampler.h"

namespace seq2seq {

/// A batch and the sampler's position after it, which a checkpoint stores once the batch has been used.
struct LoadedBatch {
  Batch batch;
  SamplerPosition after;
};

/// Reads, tokenizes, filters and batches in a background thread, a few batches ahead. `next` throws the
/// errors of that thread.
class Loader {
 public:
  struct Settings {
    BatchOptions batch;
    FilterOptions filter;
    uint64_t seed = 1;
    TextForm form;
    /// This many examples (chosen by the seed) are left to validation, with all their copies.
    uint64_t held_out = 0;
    int64_t prefetch = 4;  ///< batches prepared ahead
    SamplerPosition start;
  };
  Loader(const Corpus& corpus, const TextCodec& source, const TextCodec& target, const Settings& settings);
  ~Loader();
  LoadedBatch next();
  /// What the filter has counted in the first epoch so far.
  FilterCounts counts() const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

/// The indices that a Loader with the same `held_out` and `seed` leaves to validation.
std::vector<uint64_t> held_out_examples(uint64_t corpus_size, uint64_t held_out, uint64_t seed);

}  // namespace seq2seq
