#include "seq2seq/data/sampler.h"

#include <algorithm>
#include <array>
#include <bit>
#include <tuple>

#include "seq2seq/core/error.h"
#include "seq2seq/core/random.h"

namespace seq2seq {

std::span<const char* const> option_names(BatchUnit) {
  static constexpr std::array<const char*, 2> names = {"tokens", "sentences"};
  return names;
}

Permutation::Permutation(uint64_t size, uint64_t seed) : size_(size) {
  const auto bits = static_cast<uint64_t>(std::bit_width(size > 0 ? size - 1 : 0));
  half_bits_ = std::max<uint64_t>(1, (bits + 1) / 2);
  mask_ = (uint64_t{1} << half_bits_) - 1;
  for (uint64_t round = 0; round < rounds; ++round) keys_[round] = mix_seed({seed, round});
}

uint64_t Permutation::operator()(uint64_t index) const {
  do {
    uint64_t left = index >> half_bits_, right = index & mask_;
    for (const uint64_t key : keys_) {
      const uint64_t mixed = left ^ (Random(right ^ key).next() & mask_);
      left = right;
      right = mixed;
    }
    index = left << half_bits_ | right;
  } while (index >= size_);
  return index;
}

Permutation epoch_order(uint64_t corpus_size, uint64_t seed, uint64_t epoch) {
  return {corpus_size, mix_seed({seed, epoch})};
}

namespace {

/// The size of a batch as a padded rectangle, </s> included.
struct Rectangle {
  size_t count = 0, source_width = 0, target_width = 0;
  Rectangle with(const Example& example) const {
    return {count + 1, std::max(source_width, example.source.size() + 1),
            std::max(target_width, example.target.size() + 1)};
  }
  bool fits(const BatchOptions& options) const {
    const auto size = static_cast<size_t>(options.size);
    if (options.unit == BatchUnit::sentences) return count <= size;
    return count * source_width <= size && count * target_width <= size;
  }
};

std::vector<std::vector<Example>> cut(std::vector<Example> window, const BatchOptions& options) {
  std::sort(window.begin(), window.end(), [](const Example& a, const Example& b) {
    return std::tuple(a.target.size(), a.source.size(), a.index) <
           std::tuple(b.target.size(), b.source.size(), b.index);
  });
  std::vector<std::vector<Example>> batches;
  Rectangle rectangle;
  for (auto& example : window) {
    if (batches.empty() || !rectangle.with(example).fits(options)) {
      batches.emplace_back();
      rectangle = {};
    }
    rectangle = rectangle.with(example);
    batches.back().push_back(std::move(example));
  }
  return batches;
}

}  // namespace

Sampler::Sampler(uint64_t corpus_size, Read read, const BatchOptions& options, uint64_t seed)
    : size_(corpus_size), read_(std::move(read)), options_(options), seed_(seed) {}

void Sampler::fill_window() {
  const Permutation order = epoch_order(size_, seed_, position_.epoch);
  std::vector<Example> window;
  uint64_t filled = 0;
  auto take = [&](Example&& example) {
    filled += options_.weight(example);
    window.push_back(std::move(example));
  };
  uint64_t at = position_.window_begin;
  if (next_window_first_) {
    take(std::move(*next_window_first_));
    next_window_first_.reset();
    ++at;
  }
  // Read on to the first example of the next window: only then is it known whether there is one, so that
  // `position` after the last batch is the beginning of the next epoch, whatever is filtered out.
  for (; at < size_; ++at) {
    Example example;
    example.index = order(at);
    if (!read_(example.index, example)) continue;
    if (filled >= options_.window_weight()) {
      next_window_first_ = std::move(example);
      break;
    }
    take(std::move(example));
  }
  window_end_ = at;
  batches_ = cut(std::move(window), options_);
  Random random(mix_seed({seed_, position_.epoch, position_.window_begin}));
  for (size_t i = batches_.size(); i > 1; --i) std::swap(batches_[i - 1], batches_[random.below(i)]);
  window_ready_ = true;
}

std::vector<Example> Sampler::next() {
  if (!window_ready_) fill_window();
  if (batches_.empty()) throw EmptyEpoch{};
  if (position_.batch >= batches_.size())
    throw Error("training data", "the stored position lies outside the corpus",
                "resume with the files of the first run");
  std::vector<Example> batch = std::move(batches_[position_.batch++]);
  if (position_.batch == batches_.size()) {
    const bool epoch_ends = window_end_ >= size_;
    position_ = {position_.epoch + (epoch_ends ? 1 : 0), epoch_ends ? 0 : window_end_, 0};
    window_ready_ = false;
    batches_.clear();
  }
  return batch;
}

uint64_t Sampler::waiting() const {
  uint64_t examples = 0;
  for (uint64_t i = position_.batch; i < batches_.size(); ++i) examples += batches_[i].size();
  return examples;
}

void Sampler::seek(const SamplerPosition& position) {
  position_ = position;
  window_ready_ = false;
  next_window_first_.reset();
  batches_.clear();
}

bool Sampler::at_epoch_start() const {
  return position_.window_begin == 0 && position_.batch == 0;
}

}  // namespace seq2seq
