#include "seq2seq/data/numbered_corpus.h"

#include "seq2seq/core/random.h"
#include "seq2seq/data/hash.h"
#include "seq2seq/data/sampler.h"

namespace seq2seq {
namespace {

// Distinguishes the permutation that selects the held-out examples from those of the epochs.
constexpr uint64_t held_out_key = 0x68656c64206f7574ULL;

Permutation held_out_order(uint64_t corpus_size, uint64_t seed) {
  return {corpus_size, mix_seed({seed, held_out_key})};
}

}  // namespace

NumberedCorpus::NumberedCorpus(const Corpus& corpus, const TextCodec& source, const TextCodec& target,
                               const Settings& settings)
    : corpus_(corpus),
      source_(source),
      target_(target),
      settings_(settings),
      cache_(corpus.size(), settings.cache_bytes) {
  for (const uint64_t index : held_out_examples(corpus.size(), settings.held_out, settings.seed)) {
    const RawExample raw = corpus.at(index);
    held_out_pairs_.insert(hash_pair(raw.source, raw.target));
  }
  if (settings.filter.remove_duplicates) duplicates_ = find_duplicates(corpus);
}

JudgedExample NumberedCorpus::at(uint64_t index) {
  if (std::optional<JudgedExample> kept = cache_.find(index)) return std::move(*kept);
  JudgedExample judged = number(index);
  cache_.keep(judged);
  return judged;
}

JudgedExample NumberedCorpus::number(uint64_t index) const {
  const auto leave_out = [&](FilterVerdict why) { return JudgedExample{why, {index, {}, {}}}; };
  if (!duplicates_.empty() && duplicates_[index]) return leave_out(FilterVerdict::duplicate);
  const RawExample raw = corpus_.at(index);
  if (!held_out_pairs_.empty() && held_out_pairs_.contains(hash_pair(raw.source, raw.target)))
    return leave_out(FilterVerdict::held_out);
  const FilterOptions& filter = settings_.filter;
  NumberedSource source = number_source(source_, raw.source, raw.source_sentences, settings_.form,
                                        filter.truncate_source ? filter.maximum_length : 0);
  std::vector<int64_t> target = number_target(target_, raw.target, source, settings_.form);
  const FilterVerdict verdict = judge_lengths(source.ids.size(), target.size(), filter);
  if (verdict != FilterVerdict::keep) return leave_out(verdict);
  return {verdict, {index, std::move(source.ids), std::move(target)}};
}

std::vector<uint64_t> held_out_examples(uint64_t corpus_size, uint64_t held_out, uint64_t seed) {
  const Permutation order = held_out_order(corpus_size, seed);
  std::vector<uint64_t> indices;
  for (uint64_t index = 0; held_out > 0 && index < corpus_size; ++index)
    if (order(index) < held_out) indices.push_back(index);
  return indices;
}

}  // namespace seq2seq
