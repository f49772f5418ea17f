#include "seq2seq/decode/steering.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "seq2seq/core/random.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq {
namespace {

constexpr double unwritable = -std::numeric_limits<double>::infinity();

std::vector<Phrase> phrases_of(const OutputRules& rules) {
  std::vector<Phrase> phrases = rules.banned;
  for (const auto& [phrase, bias] : rules.biased) phrases.push_back(phrase);
  return phrases;
}

bool within_prefix(const Steering::PartialHypothesis& hypothesis) {
  return hypothesis.rules != nullptr && !hypothesis.rules->prefix.empty() &&
         hypothesis.in_prefix != Phrase::end;
}

Candidate adjusted(double log_probability, const Adjustment& by) {
  // 0 times minus infinity is not a number.
  return {by.index, log_probability, (by.factor == 0 ? 0.0 : by.factor * log_probability) + by.added};
}

/// Null = not listed.
const Adjustment* listed(int64_t token, std::span<const Adjustment> adjustments) {
  const auto found = std::find_if(adjustments.begin(), adjustments.end(),
                                  [&](const Adjustment& one) { return one.index == token; });
  return found == adjustments.end() ? nullptr : &*found;
}

Candidate candidate(int64_t token, double log_probability, std::span<const Adjustment> adjustments) {
  const Adjustment* by = listed(token, adjustments);
  return by == nullptr ? Candidate{token, log_probability, 0.0} : adjusted(log_probability, *by);
}

/// One that is listed.
Candidate candidate(int64_t token, const Steering::Found& found) {
  const Adjustment* by = listed(token, found.adjustments);
  return adjusted(found.adjusted[static_cast<size_t>(by - found.adjustments.data())], *by);
}

}  // namespace

Steering::Steering(const SearchOptions& options, const OutputRules& rules)
    : options_(options), rules_(rules), phrases_(phrases_of(rules)), heeds_replaced_(false) {
  std::map<int64_t, double> effects;
  for (size_t phrase = 0; phrase < phrases_.size(); ++phrase) {
    if (phrases_[phrase].empty()) continue;
    heeds_replaced_ = heeds_replaced_ || phrases_[phrase].heeds_replaced();
    for (const Phrase::Edge& edge : phrases_[phrase].edges(Phrase::start))
      if (const double own = effect(phrase, edge); own != 0) effects[edge.token] += own;
  }
  for (const auto& [token, added] : effects) beginnings_.push_back({token, added});
}

bool Steering::needed(const SearchOptions& options, const OutputRules& rules,
                      std::span<const SentenceRules> sentence_rules) {
  return !rules.empty() || options.sample || options.no_repeat_ngram > 0 || options.repetition_penalty > 1 ||
         options.min_length_ratio > 0 ||
         std::any_of(sentence_rules.begin(), sentence_rules.end(), [](const SentenceRules& one) {
           return !one.prefix.empty() || !one.required.empty() ||
                  (one.output != nullptr && !one.output->empty());
         });
}

/// What is added to the log-probability of a token that goes on with a phrase.
double Steering::effect(size_t phrase, const Phrase::Edge& edge) const {
  if (phrase < rules_.banned.size()) return edge.to == Phrase::end ? unwritable : 0.0;
  return edge.usual || edge.to == Phrase::end ? rules_.biased[phrase - rules_.banned.size()].second : 0.0;
}

/// What is added to <unk> for what it is written as.
double Steering::effect_on_replaced(const PartialHypothesis& hypothesis, int64_t source_position) const {
  if (!heeds_replaced_ || source_position < 0) return 0;
  const int64_t symbol = unknown_written_as(source_position);
  const Adjustment* first = listed(symbol, beginnings_);
  double added = first == nullptr ? 0.0 : first->added;
  for (const PhraseSet::Begun& begun : *hypothesis.begun)
    if (const Phrase::Edge* edge = phrases_[begun.phrase].edge(begun.node, symbol))
      added += effect(begun.phrase, *edge);
  return added;
}

/// Forbids the ends of banned phrases and adds biases.
void Steering::apply_phrases(const PartialHypothesis& hypothesis, AdjustmentRows& rows) const {
  for (const Adjustment& beginning : beginnings_)
    if (beginning.index >= 0) rows.of(beginning.index).added += beginning.added;
  for (const PhraseSet::Begun& begun : *hypothesis.begun)
    for (const Phrase::Edge& edge : phrases_[begun.phrase].edges(begun.node))
      if (const double own = effect(begun.phrase, edge); own != 0 && edge.token >= 0)
        rows.of(edge.token).added += own;
}

void Steering::block_ngrams(std::span<const int64_t> newest_first, AdjustmentRows& rows) const {
  const auto n = static_cast<size_t>(options_.no_repeat_ngram);
  if (n == 0 || newest_first.size() < n) return;
  const auto repeatable = [&](int64_t token) { return rules_.repeatable.contains(token); };
  const auto last = newest_first.first(n - 1);
  if (std::any_of(last.begin(), last.end(), repeatable)) return;
  for (size_t i = 0; i + n <= newest_first.size(); ++i)
    if (const auto before = newest_first.subspan(i + 1, n - 1);
        std::equal(last.begin(), last.end(), before.begin()) && !repeatable(newest_first[i]))
      rows.forbid(newest_first[i]);
}

void Steering::adjust(const PartialHypothesis& hypothesis, std::span<const int64_t> newest_first,
                      AdjustmentRows& rows) const {
  apply_phrases(hypothesis, rows);
  if (within_prefix(hypothesis)) {
    for (const Phrase::Edge& edge : hypothesis.rules->prefix.edges(hypothesis.in_prefix)) rows.of(edge.token);
    return;
  }
  if (options_.repetition_penalty > 1)
    for (const int64_t token : newest_first)
      if (!rules_.repeatable.contains(token)) rows.of(token).factor = options_.repetition_penalty - 1;
  block_ngrams(newest_first, rows);
  if (options_.ban_unknown) rows.forbid(Vocabulary::unknown);
  if (!hypothesis.may_end) rows.forbid(Vocabulary::end);
  if (heeds_replaced_) rows.of(Vocabulary::unknown);
  for (const int64_t token : hypothesis.wanted) rows.of(token);
}

/// Moves <unk> to its place among the best, now that it is known what it would be written as.
void Steering::settle_unknown(const PartialHypothesis& hypothesis, const Found& found,
                              int64_t source_position, std::vector<Candidate>& best) const {
  const double added = effect_on_replaced(hypothesis, source_position);
  if (added == 0) return;
  std::erase_if(best, [](const Candidate& one) { return one.token == Vocabulary::unknown; });
  Candidate unknown = candidate(Vocabulary::unknown, found);
  unknown.adjustment += added;
  if (unknown.score() == unwritable) return;
  const auto place = std::find_if(best.begin(), best.end(), [&](const Candidate& one) {
    return one.score() < unknown.score() || (one.score() == unknown.score() && one.token > unknown.token);
  });
  best.insert(place, unknown);
}

/// The next tokens of the prefix, likeliest first.
std::vector<Candidate> Steering::of_prefix(const PartialHypothesis& hypothesis, const Found& found,
                                           int64_t source_position) const {
  std::vector<Candidate> result;
  for (const Phrase::Edge& edge : hypothesis.rules->prefix.edges(hypothesis.in_prefix)) {
    Candidate next = candidate(edge.token, found);
    if (edge.token == Vocabulary::unknown) next.adjustment += effect_on_replaced(hypothesis, source_position);
    if (next.adjustment == unwritable) continue;  // banned
    next.adjustment = 0;
    // A prefix is generated even if its probability is 0.
    if (next.log_probability == unwritable) next.log_probability = std::log(1e-30);
    result.push_back(next);
  }
  std::stable_sort(result.begin(), result.end(), [](const Candidate& a, const Candidate& b) {
    return a.log_probability > b.log_probability;
  });
  return result;
}

std::vector<Candidate> Steering::candidates(const PartialHypothesis& hypothesis, const Found& found,
                                            int64_t source_position) const {
  if (within_prefix(hypothesis)) return of_prefix(hypothesis, found, source_position);
  std::vector<Candidate> result;
  for (size_t i = 0; i < found.tokens.size(); ++i)
    if (found.log_probabilities[i] > unwritable)
      result.push_back(candidate(found.tokens[i], found.log_probabilities[i], found.adjustments));
  settle_unknown(hypothesis, found, source_position, result);
  const auto best = std::min(std::ssize(result), options_.beam_size);
  result.erase(result.begin() + best, result.end());
  for (const int64_t token : hypothesis.wanted) {
    const Candidate one = candidate(token, found);
    const bool among = std::any_of(result.begin(), result.begin() + best,
                                   [&](const Candidate& other) { return other.token == token; });
    if (!among && one.score() > unwritable) result.push_back(one);
  }
  return result;
}

/// The `count` best tokens by score, ties in the order of their ids.
std::vector<int64_t> Steering::likeliest(int64_t count) const {
  std::vector<int64_t> words;
  const auto better = [&](int64_t a, int64_t b) {
    const double x = scores_[static_cast<size_t>(a)], y = scores_[static_cast<size_t>(b)];
    return x != y ? x > y : a < b;
  };
  for (int64_t word = 0; word < std::ssize(scores_); ++word)
    if (scores_[static_cast<size_t>(word)] > unwritable) words.push_back(word);
  const auto wanted = std::min<int64_t>(count, std::ssize(words));
  std::partial_sort(words.begin(), words.begin() + wanted, words.end(), better);
  words.resize(static_cast<size_t>(wanted));
  return words;
}

std::vector<Candidate> Steering::drawn(const PartialHypothesis& hypothesis,
                                       std::span<const double> log_probabilities,
                                       std::span<const Adjustment> adjustments, int64_t source_position,
                                       int64_t count) const {
  std::vector<double> own;
  for (const Adjustment& one : adjustments) own.push_back(log_probabilities[static_cast<size_t>(one.index)]);
  if (within_prefix(hypothesis)) {
    const auto next = of_prefix(hypothesis, {{}, {}, adjustments, own}, source_position);
    return next.empty() ? next : std::vector<Candidate>(static_cast<size_t>(count), next.front());
  }
  scores_.assign(log_probabilities.begin(), log_probabilities.end());
  for (size_t i = 0; i < own.size(); ++i)
    scores_[static_cast<size_t>(adjustments[i].index)] = adjusted(own[i], adjustments[i]).score();
  const double on_unknown = effect_on_replaced(hypothesis, source_position);
  scores_[Vocabulary::unknown] += on_unknown;
  for (const int64_t token : {Vocabulary::padding, Vocabulary::begin})
    scores_[static_cast<size_t>(token)] = unwritable;

  const int64_t all = std::ssize(scores_);
  const std::vector<int64_t> words = likeliest(options_.sample_top_k > 0 ? options_.sample_top_k : all);
  std::vector<double> until;  // cumulative probabilities
  if (words.empty()) return {};
  const double best = scores_[static_cast<size_t>(words.front())] / options_.temperature;
  double sum = 0;
  for (const int64_t word : words)
    until.push_back(sum += std::exp(scores_[static_cast<size_t>(word)] / options_.temperature - best));
  if (options_.sample_top_p < 1) {
    const auto last = std::lower_bound(until.begin(), until.end(), options_.sample_top_p * sum);
    until.resize(static_cast<size_t>(last - until.begin()) + (last == until.end() ? 0 : 1));
  }
  Random random(mix_seed({hypothesis.rules == nullptr ? 0 : hypothesis.rules->seed,
                          static_cast<uint64_t>(hypothesis.length), static_cast<uint64_t>(hypothesis.slot)}));
  std::vector<Candidate> result;
  for (int64_t i = 0; i < count; ++i) {
    const double at = random.uniform() * until.back();
    const auto found = std::min(std::upper_bound(until.begin(), until.end(), at), until.end() - 1);
    const int64_t word = words[static_cast<size_t>(found - until.begin())];
    result.push_back(candidate(word, log_probabilities[static_cast<size_t>(word)], adjustments));
    if (word == Vocabulary::unknown) result.back().adjustment += on_unknown;
  }
  return result;
}

}  // namespace seq2seq
