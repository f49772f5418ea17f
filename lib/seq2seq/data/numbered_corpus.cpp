#include "seq2seq/data/numbered_corpus.h"

#include <algorithm>

#include "seq2seq/data/hash.h"

namespace seq2seq {

JudgedExample PairNumbering::operator()(uint64_t index, const RawExample& raw) const {
  NumberedSource numbered = number_source(source, raw.source, raw.source_sentences, form,
                                          filter.truncate_source ? filter.maximum_length : 0);
  std::vector<int64_t> target_ids = number_target(target, raw.target, numbered, form);
  const FilterVerdict verdict = judge_lengths(numbered.ids.size(), target_ids.size(), filter);
  if (verdict != FilterVerdict::keep) return {verdict, {index, {}, {}}};
  return {verdict, {index, std::move(numbered.ids), std::move(target_ids)}};
}

NumberedCorpus::NumberedCorpus(const Corpus& corpus, const TextCodec& source, const TextCodec& target,
                               const Settings& settings)
    : corpus_(corpus),
      numbering_{source, target, settings.filter, settings.form},
      held_out_(settings.held_out),
      cache_(corpus.size(), settings.cache_bytes) {
  for (const uint64_t index : held_out_) {
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
  if (std::binary_search(held_out_.begin(), held_out_.end(), index))
    return leave_out(FilterVerdict::held_out);
  if (!duplicates_.empty() && duplicates_[index]) return leave_out(FilterVerdict::duplicate);
  const RawExample raw = corpus_.at(index);
  if (!held_out_pairs_.empty() && held_out_pairs_.contains(hash_pair(raw.source, raw.target)))
    return leave_out(FilterVerdict::held_out_copy);
  return numbering_(index, raw);
}

}  // namespace seq2seq
