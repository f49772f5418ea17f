#include "seq2seq/decode/steering.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_set>

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

}  // namespace

Steering::Steering(const SearchOptions& options, const OutputRules& rules)
    : options_(options), rules_(rules), phrases_(phrases_of(rules)) {}

bool Steering::needed(const SearchOptions& options, const OutputRules& rules,
                      std::span<const SentenceRules> sentence_rules) {
  return !rules.empty() || options.sample || options.no_repeat_ngram > 0 || options.repetition_penalty > 1 ||
         options.min_length_ratio > 0 ||
         std::any_of(sentence_rules.begin(), sentence_rules.end(), [](const SentenceRules& one) {
           return !one.prefix.empty() || !one.required.empty() ||
                  (one.output != nullptr && !one.output->empty());
         });
}

void Steering::block_ngrams(const std::vector<int64_t>& tokens) const {
  const int64_t n = options_.no_repeat_ngram;
  if (n == 0 || std::ssize(tokens) < n) return;
  const std::span<const int64_t> last(tokens.end() - (n - 1), tokens.end());
  for (auto begin = tokens.begin(); begin + n <= tokens.end(); ++begin) {
    const bool repeatable =
        std::any_of(begin, begin + n, [&](int64_t token) { return rules_.repeatable.contains(token); });
    if (!repeatable && std::equal(last.begin(), last.end(), begin))
      adjustments_[static_cast<size_t>(begin[n - 1])] = unwritable;
  }
}

/// Forbids the ends of banned phrases and adds biases.
void Steering::apply_phrases(const PartialHypothesis& hypothesis) const {
  phrases_.each_continuation(hypothesis.begun, [&](size_t phrase, const Phrase::Edge& edge) {
    int64_t token = edge.token;
    if (token < 0) {  // what <unk> would be written as
      if (token != unknown_written_as(hypothesis.source_position)) return;
      token = Vocabulary::unknown;
    }
    double& adjustment = adjustments_[static_cast<size_t>(token)];
    if (phrase >= rules_.banned.size()) {
      if (edge.usual || edge.to == Phrase::end)
        adjustment += rules_.biased[phrase - rules_.banned.size()].second;
    } else if (edge.to == Phrase::end) {
      adjustment = unwritable;
    }
  });
}

void Steering::adjust(const PartialHypothesis& hypothesis, std::span<const double> log_probabilities) const {
  adjustments_.assign(log_probabilities.size(), 0.0);
  const auto forbid = [&](int64_t token) { adjustments_[static_cast<size_t>(token)] = unwritable; };
  if (options_.repetition_penalty > 1) {
    for (const int64_t token :
         std::unordered_set<int64_t>(hypothesis.tokens.begin(), hypothesis.tokens.end()))
      if (!rules_.repeatable.contains(token))
        adjustments_[static_cast<size_t>(token)] +=
            (options_.repetition_penalty - 1) * log_probabilities[static_cast<size_t>(token)];
  }
  apply_phrases(hypothesis);
  block_ngrams(hypothesis.tokens);
  for (const int64_t token : {Vocabulary::padding, Vocabulary::begin}) forbid(token);
  if (options_.ban_unknown) forbid(Vocabulary::unknown);
  if (!hypothesis.may_end) forbid(Vocabulary::end);
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

/// The next tokens of the prefix, likeliest first.
std::vector<Candidate> Steering::of_prefix(const PartialHypothesis& hypothesis,
                                           std::span<const double> log_probabilities) const {
  adjustments_.assign(log_probabilities.size(), 0.0);
  apply_phrases(hypothesis);
  std::vector<Candidate> result;
  for (const Phrase::Edge& edge : hypothesis.rules->prefix.edges(hypothesis.in_prefix)) {
    if (adjustments_[static_cast<size_t>(edge.token)] == unwritable) continue;  // banned
    // A prefix is generated even if its probability is 0.
    const double given = log_probabilities[static_cast<size_t>(edge.token)];
    result.push_back({edge.token, given > unwritable ? given : std::log(1e-30), 0.0});
  }
  std::stable_sort(result.begin(), result.end(), [](const Candidate& a, const Candidate& b) {
    return a.log_probability > b.log_probability;
  });
  return result;
}

std::vector<Candidate> Steering::drawn(const PartialHypothesis& hypothesis,
                                       std::span<const double> log_probabilities, int64_t count) const {
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
  Random random(mix_seed({hypothesis.rules == nullptr ? 0 : hypothesis.rules->seed, hypothesis.tokens.size(),
                          static_cast<uint64_t>(hypothesis.slot)}));
  std::vector<Candidate> result;
  for (int64_t i = 0; i < count; ++i) {
    const double at = random.uniform() * until.back();
    const auto found = std::min(std::upper_bound(until.begin(), until.end(), at), until.end() - 1);
    const auto word = static_cast<size_t>(words[static_cast<size_t>(found - until.begin())]);
    result.push_back({static_cast<int64_t>(word), log_probabilities[word], adjustments_[word]});
  }
  return result;
}

std::vector<Candidate> Steering::candidates(const PartialHypothesis& hypothesis,
                                            std::span<const double> log_probabilities, int64_t count) const {
  const bool forced =
      hypothesis.rules != nullptr && !hypothesis.rules->prefix.empty() && hypothesis.in_prefix != Phrase::end;
  if (forced) {
    const auto next = of_prefix(hypothesis, log_probabilities);
    return next.empty() || !options_.sample
               ? next
               : std::vector<Candidate>(static_cast<size_t>(count), next.front());
  }
  adjust(hypothesis, log_probabilities);
  scores_.resize(log_probabilities.size());
  for (size_t i = 0; i < scores_.size(); ++i) scores_[i] = log_probabilities[i] + adjustments_[i];
  if (options_.sample) return drawn(hypothesis, log_probabilities, count);
  std::vector<Candidate> result;
  const auto add = [&](int64_t token) {
    const auto at = static_cast<size_t>(token);
    if (scores_[at] > unwritable) result.push_back({token, log_probabilities[at], adjustments_[at]});
  };
  const std::vector<int64_t> best = likeliest(count);
  for (const int64_t token : best) add(token);
  for (const int64_t token : hypothesis.wanted)
    if (std::find(best.begin(), best.end(), token) == best.end()) add(token);
  return result;
}

}  // namespace seq2seq
