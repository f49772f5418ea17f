#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "seq2seq/data/corpus.h"
#include "seq2seq/data/filter.h"

namespace seq2seq {

/// The examples of a training corpus that are left to validation.
struct HeldOut {
  std::vector<uint64_t> examples;  ///< ascending
  uint64_t copies = 0;             ///< other examples that are the same pairs: not trained on either
};

/// Draws `wanted` (0 = 1%, at most 1000) usable pairs, those that `judge` keeps: first from pairs that occur
/// once, and where these are too few, one example of each pair that occurs more often. Reads the corpus once,
/// with 8 bytes an example meanwhile, and judges hardly more pairs than it draws. Leaves something to train
/// on: throws Error where it cannot, or where `wanted` leaves nothing. `filter` is what `judge` goes by.
HeldOut draw_held_out(const Corpus& corpus, uint64_t wanted, uint64_t seed, const FilterOptions& filter,
                      const std::function<FilterVerdict(uint64_t index, const RawExample&)>& judge);

/// The same as earlier versions drew it, whose runs are resumed: any examples of the corpus, repeated and
/// empty ones as well. `copies` is not counted. Throws Error when `wanted` is all.
HeldOut draw_any_held_out(const Corpus& corpus, uint64_t wanted, uint64_t seed);

/// Throws what `draw_held_out` would throw for any filter: of a corpus of one pair none can be held out.
void check_can_hold_out(const Corpus& corpus);

}  // namespace seq2seq
