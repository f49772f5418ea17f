#include "seq2seq/data/held_out.h"

#include <algorithm>
#include <string>
#include <unordered_set>

#include "seq2seq/core/error.h"
#include "seq2seq/core/log.h"
#include "seq2seq/core/random.h"
#include "seq2seq/data/hash.h"
#include "seq2seq/data/sampler.h"

namespace seq2seq {
namespace {

// Distinguishes the permutation that selects the held-out examples from those of the epochs.
constexpr uint64_t held_out_key = 0x68656c64206f7574ULL;
constexpr const char* give_validation =
    "give validation files: --valid-source and --valid-target, or --valid";

Permutation held_out_order(uint64_t corpus_size, uint64_t seed) {
  return {corpus_size, mix_seed({seed, held_out_key})};
}

uint64_t number_to_hold_out(uint64_t corpus_size, uint64_t wanted) {
  return wanted > 0 ? wanted : std::clamp<uint64_t>(corpus_size / 100, 1, 1000);
}

std::string counted(uint64_t count, const char* noun) {
  return format_count(static_cast<int64_t>(count)) + " " + noun + (count == 1 ? "" : "s");
}

/// How often each pair of a corpus occurs.
class PairCounts {
 public:
  explicit PairCounts(const Corpus& corpus) {
    hashes_.reserve(corpus.size());
    for (uint64_t index = 0; index < corpus.size(); ++index) hashes_.push_back(hash_of(corpus.at(index)));
    std::sort(hashes_.begin(), hashes_.end());
  }
  static uint64_t hash_of(const RawExample& raw) { return hash_pair(raw.source, raw.target); }
  uint64_t of(uint64_t hash) const {
    const auto [first, last] = std::equal_range(hashes_.begin(), hashes_.end(), hash);
    return static_cast<uint64_t>(last - first);
  }

 private:
  std::vector<uint64_t> hashes_;  // sorted
};

struct Drawn {
  uint64_t index, copies;
};

HeldOut held_out_of(const std::vector<Drawn>& drawn) {
  HeldOut result;
  for (const auto& [index, copies] : drawn) {
    result.examples.push_back(index);
    result.copies += copies;
  }
  std::sort(result.examples.begin(), result.examples.end());
  return result;
}

/// Of a corpus with so many different usable pairs, when all of them have been drawn.
[[noreturn]] void refuse(const Corpus& corpus, uint64_t usable, uint64_t wanted, const FilterCounts& judged,
                         const FilterOptions& filter) {
  const std::string place = corpus.files().describe();
  if (usable == 0)
    throw Error(place, "no pair is left to train on: " + judged.describe(filter.maximum_length),
                judged.remedy(filter));
  if (usable == 1)
    throw Error(place,
                "has one pair that can be trained on: were it held out for validation, nothing would be left",
                give_validation);
  throw Error(place,
              "has " + counted(usable, "different pair") + " that can be trained on, " +
                  counted(wanted, "example") + (wanted == 1 ? " is" : " are") + " to be held out",
              "lower --held-out to " + std::to_string(usable - 1) + " or less, or " + give_validation);
}

}  // namespace

void check_can_hold_out(const Corpus& corpus) {
  if (corpus.size() == 1) refuse(corpus, 1, 1, {}, {});
}

HeldOut draw_held_out(const Corpus& corpus, uint64_t wanted, uint64_t seed, const FilterOptions& filter,
                      const std::function<FilterVerdict(uint64_t index, const RawExample&)>& judge) {
  const uint64_t number = number_to_hold_out(corpus.size(), wanted);
  const PairCounts counts(corpus);
  const Permutation order = held_out_order(corpus.size(), seed);
  std::vector<Drawn> drawn;
  FilterCounts judged;
  bool something_left = false;
  std::unordered_set<uint64_t> repeated;  // those judged
  for (const bool once : {true, false}) {
    for (uint64_t at = 0; at < corpus.size() && !(drawn.size() == number && something_left); ++at) {
      const uint64_t index = order(at);
      const RawExample raw = corpus.at(index);
      const uint64_t hash = PairCounts::hash_of(raw), count = counts.of(hash);
      if ((count == 1) != once || (!once && !repeated.insert(hash).second)) continue;
      const FilterVerdict verdict = judge(index, raw);
      judged.count(verdict, count);
      if (verdict != FilterVerdict::keep) continue;
      if (drawn.size() < number)
        drawn.push_back({index, count - 1});
      else
        something_left = true;
    }
  }
  if (!something_left) {
    if (drawn.size() < 2 || wanted > 0) refuse(corpus, drawn.size(), number, judged, filter);
    drawn.resize(drawn.size() / 2);  // few pairs, repeated often
  }
  return held_out_of(drawn);
}

HeldOut draw_any_held_out(const Corpus& corpus, uint64_t wanted, uint64_t seed) {
  const uint64_t size = corpus.size(), number = number_to_hold_out(size, wanted);
  if (number >= size)
    throw Error(corpus.files().describe(),
                "has " + counted(size, "example") + ", " + std::to_string(number) + " are to be held out",
                give_validation);
  const Permutation order = held_out_order(size, seed);
  HeldOut result;
  for (uint64_t index = 0; index < size; ++index)
    if (order(index) < number) result.examples.push_back(index);
  return result;
}

}  // namespace seq2seq
