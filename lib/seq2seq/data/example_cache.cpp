#include "seq2seq/data/example_cache.h"

#include <algorithm>
#include <limits>

namespace seq2seq {
namespace {

constexpr uint64_t record_header = 3, cache_block_bytes = uint64_t{1} << 16;

/// What all examples of a verdict that leaves them out share.
constexpr uint32_t left_out[][record_header] = {
    {static_cast<uint32_t>(FilterVerdict::keep), 0, 0},
    {static_cast<uint32_t>(FilterVerdict::empty), 0, 0},
    {static_cast<uint32_t>(FilterVerdict::too_long), 0, 0},
    {static_cast<uint32_t>(FilterVerdict::ratio), 0, 0},
    {static_cast<uint32_t>(FilterVerdict::duplicate), 0, 0},
    {static_cast<uint32_t>(FilterVerdict::held_out), 0, 0},
    {static_cast<uint32_t>(FilterVerdict::held_out_copy), 0, 0},
};

bool fits_32_bits(const std::vector<int64_t>& ids) {
  return std::all_of(ids.begin(), ids.end(),
                     [](int64_t id) { return id >= 0 && id <= std::numeric_limits<uint32_t>::max(); });
}

}  // namespace

ExampleCache::ExampleCache(uint64_t corpus_size, uint64_t bytes)
    : limit_(bytes),
      places_(std::min(corpus_size, bytes / 4 / sizeof(std::atomic<Record>))),
      records_(std::make_unique<std::atomic<Record>[]>(places_)),
      bytes_(places_ * sizeof(std::atomic<Record>)) {}

std::optional<JudgedExample> ExampleCache::find(uint64_t index) const {
  if (index >= places_) return std::nullopt;
  const Record record = records_[index].load(std::memory_order_acquire);
  if (record == nullptr) return std::nullopt;
  const uint32_t* source = record + record_header;
  const uint32_t* target = source + record[1];
  return JudgedExample{static_cast<FilterVerdict>(record[0]),
                       {index, {source, target}, {target, target + record[2]}}};
}

void ExampleCache::keep(const JudgedExample& judged) {
  const auto& [index, source, target] = judged.example;
  if (index >= places_ || records_[index].load(std::memory_order_relaxed) != nullptr) return;
  if (judged.verdict != FilterVerdict::keep)
    return records_[index].store(left_out[static_cast<size_t>(judged.verdict)], std::memory_order_release);
  if (!fits_32_bits(source) || !fits_32_bits(target)) return;
  uint32_t* record = room_for(record_header + source.size() + target.size());
  if (record == nullptr) return;
  record[0] = static_cast<uint32_t>(judged.verdict);
  record[1] = static_cast<uint32_t>(source.size());
  record[2] = static_cast<uint32_t>(target.size());
  const auto narrow = [](int64_t id) { return static_cast<uint32_t>(id); };
  uint32_t* end = std::transform(source.begin(), source.end(), record + record_header, narrow);
  std::transform(target.begin(), target.end(), end, narrow);
  records_[index].store(record, std::memory_order_release);
}

/// Null where the bound leaves none.
uint32_t* ExampleCache::room_for(uint64_t words) {
  const std::lock_guard lock(mutex_);
  if (words > free_words_) {
    const uint64_t left = (limit_ - bytes_) / sizeof(uint32_t);
    const uint64_t block = std::max(words, std::min(left, cache_block_bytes / sizeof(uint32_t)));
    if (block > left) return nullptr;
    blocks_.push_back(std::make_unique_for_overwrite<uint32_t[]>(block));
    free_ = blocks_.back().get();
    free_words_ = block;
    bytes_ += block * sizeof(uint32_t);
  }
  uint32_t* room = free_;
  free_ += words;
  free_words_ -= words;
  return room;
}

uint64_t ExampleCache::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace seq2seq
