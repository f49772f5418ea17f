#include "seq2seq/data/filter.h"

#include <algorithm>

#include "seq2seq/core/log.h"
#include "seq2seq/data/hash.h"

namespace seq2seq {

std::string FilterCounts::describe(int64_t maximum_length) const {
  auto count = [](uint64_t value) { return format_count(static_cast<int64_t>(value)); };
  std::string reasons;
  auto add = [&](uint64_t value, const std::string& what) {
    if (value > 0) reasons += (reasons.empty() ? "" : ", ") + count(value) + " " + what;
  };
  add(held_out, "held out");
  add(held_out_copies, held_out_copies == 1 ? "copy of held-out pairs" : "copies of held-out pairs");
  add(empty, "empty");
  add(too_long, "over " + count(static_cast<uint64_t>(maximum_length)) + " tokens");
  add(ratio, "of unlike lengths");
  add(duplicate, duplicate == 1 ? "duplicate" : "duplicates");
  add(waiting, "still to come in the batches that were begun");
  return "trained on " + count(trained_on()) + " of " + count(total()) + " pairs" +
         (reasons.empty() ? "" : " (" + reasons + ")");
}

bool FilterCounts::keeps_few() const {
  return empty + too_long + ratio > kept;
}

std::string FilterCounts::remedy(const FilterOptions& options) const {
  if (too_long >= empty && too_long >= ratio && too_long > 0)
    return options.truncate_source ? "raise --max-length"
                                   : "raise --max-length, or add --truncate-source to cut long sources";
  if (ratio >= empty && ratio > 0) return "raise --max-ratio, or leave it out";
  return "look at the files with 'seq2seq check': each line needs words on both sides";
}

void FilterCounts::count(FilterVerdict verdict, uint64_t pairs) {
  switch (verdict) {
    case FilterVerdict::keep:
      kept += pairs;
      break;
    case FilterVerdict::empty:
      empty += pairs;
      break;
    case FilterVerdict::too_long:
      too_long += pairs;
      break;
    case FilterVerdict::ratio:
      ratio += pairs;
      break;
    case FilterVerdict::duplicate:
      duplicate += pairs;
      break;
    case FilterVerdict::held_out:
      held_out += pairs;
      break;
    case FilterVerdict::held_out_copy:
      held_out_copies += pairs;
      break;
  }
}

uint64_t FilterCounts::total() const {
  return kept + empty + too_long + ratio + duplicate + held_out + held_out_copies;
}

FilterVerdict judge_lengths(size_t source, size_t target, const FilterOptions& options) {
  const auto [shorter, longer] = std::minmax(source, target);
  if (shorter == 0) return FilterVerdict::empty;
  if (longer > static_cast<size_t>(options.maximum_length)) return FilterVerdict::too_long;
  if (options.maximum_ratio > 0 &&
      static_cast<double>(longer) > options.maximum_ratio * static_cast<double>(shorter))
    return FilterVerdict::ratio;
  return FilterVerdict::keep;
}

std::vector<bool> find_duplicates(const Corpus& corpus) {
  struct Entry {
    uint64_t hash, index;
    auto operator<=>(const Entry&) const = default;
  };
  std::vector<Entry> entries;
  entries.reserve(corpus.size());
  for (uint64_t index = 0; index < corpus.size(); ++index) {
    const RawExample example = corpus.at(index);
    entries.push_back({hash_pair(example.source, example.target), index});
  }
  std::sort(entries.begin(), entries.end());
  std::vector<bool> duplicate(corpus.size(), false);
  for (size_t i = 1; i < entries.size(); ++i)
    if (entries[i].hash == entries[i - 1].hash) duplicate[entries[i].index] = true;
  return duplicate;
}

}  // namespace seq2seq
