// What rules do to the next token, compared with their definition for each token of a small vocabulary.
#include "seq2seq/decode/steering.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>
#include <set>
#include <span>
#include <vector>

#include "seq2seq/core/random.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq {
namespace {

using Tokens = std::vector<int64_t>;

constexpr int64_t word_count = 9, kept_count = 3, looked_at = 2;
constexpr double forbidden = -std::numeric_limits<double>::infinity();

/// Phrases of one sequence each.
struct Sequences {
  std::vector<Tokens> banned;
  std::vector<std::pair<Tokens, double>> biased;
};
const Sequences sequences{
    {{4}, {5, 6}, {6, 6, 7}, {8, unknown_written_as(looked_at)}, {unknown_written_as(looked_at + 1)}},
    {{{5, 7}, 1.5},
     {{7}, -2.25},
     {{8, 5, 8}, 0.5},
     {{unknown_written_as(looked_at), 5}, 3.0},
     {{7, 1}, 1.0}}};

OutputRules rules_of(const Sequences& all) {
  OutputRules rules{.repeatable = {8}, .unknown_is_replaced = true};
  for (const Tokens& one : all.banned) rules.banned.emplace_back(one);
  for (const auto& [one, bias] : all.biased) rules.biased.emplace_back(Phrase(one), bias);
  return rules;
}

bool ends_with(const Tokens& tokens, const Tokens& last) {
  return tokens.size() >= last.size() && std::equal(last.rbegin(), last.rend(), tokens.rbegin());
}

bool repeatable(int64_t token) {
  return token == 8;
}

/// <unk> for what it was written as.
Tokens as_tokens(Tokens symbols) {
  for (int64_t& symbol : symbols) symbol = symbol < 0 ? Vocabulary::unknown : symbol;
  return symbols;
}

/// What is added to the log-probability of `token` after `history`, by the definition of the rules. In the
/// history <unk> is what it was written as.
double defined(const SearchOptions& options, const Tokens& history, int64_t token, double log_probability,
               bool may_end) {
  if (token == Vocabulary::padding || token == Vocabulary::begin) return forbidden;
  if (token == Vocabulary::end && !may_end) return forbidden;
  if (token == Vocabulary::unknown && options.ban_unknown) return forbidden;
  double sum = 0;
  // The next token counts as itself and as what it is written as.
  Tokens symbols{token};
  if (token == Vocabulary::unknown) symbols.push_back(unknown_written_as(looked_at));
  for (const int64_t symbol : symbols) {
    Tokens after = history;
    after.push_back(symbol);
    for (const Tokens& banned : sequences.banned)
      if (ends_with(after, banned)) return forbidden;
    for (const auto& [phrase, bias] : sequences.biased)
      for (size_t length = 1; length <= phrase.size(); ++length)
        if (ends_with(after, Tokens(phrase.begin(), phrase.begin() + static_cast<std::ptrdiff_t>(length))))
          sum += bias;
  }
  Tokens tokens = as_tokens(history);
  if (std::count(tokens.begin(), tokens.end(), token) > 0 && !repeatable(token))
    sum += (options.repetition_penalty - 1) * log_probability;
  const int64_t n = options.no_repeat_ngram;
  tokens.push_back(token);
  if (n > 0 && std::ssize(tokens) > n) {
    const Tokens last(tokens.end() - n, tokens.end());
    if (std::none_of(last.begin(), last.end(), repeatable) &&
        std::search(tokens.begin(), tokens.end() - 1, last.begin(), last.end()) != tokens.end() - 1)
      return forbidden;
  }
  return sum;
}

std::vector<double> drawn_log_probabilities(Random& random) {
  std::vector<double> weights(word_count);
  for (double& weight : weights) weight = random.uniform() + 0.01;
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (double& weight : weights) weight = std::log(weight / sum);
  return weights;
}

/// What a scorer finds in one row.
struct Row {
  Tokens tokens;
  std::vector<double> log_probabilities, adjusted;

  Row(const std::vector<double>& all, std::span<const Adjustment> adjustments, int64_t k) {
    std::vector<double> scores = all;
    scores[Vocabulary::padding] = scores[Vocabulary::begin] = forbidden;
    for (const Adjustment& one : adjustments) {
      const auto at = static_cast<size_t>(one.index);
      adjusted.push_back(all[at]);
      scores[at] = all[at] * (1 + one.factor) + one.added;
    }
    tokens.resize(all.size());
    std::iota(tokens.begin(), tokens.end(), 0);
    const auto score = [&](int64_t token) { return scores[static_cast<size_t>(token)]; };
    std::stable_sort(tokens.begin(), tokens.end(), [&](int64_t a, int64_t b) { return score(a) > score(b); });
    tokens.resize(static_cast<size_t>(k));
    for (const int64_t token : tokens)
      log_probabilities.push_back(score(token) == forbidden ? forbidden : all[static_cast<size_t>(token)]);
  }
};

std::vector<SearchOptions> all_options() {
  std::vector<SearchOptions> all;
  for (const double penalty : {1.0, 1.4})
    for (const int64_t ngram : {0, 1, 2, 3})
      for (const bool ban_unknown : {false, true})
        all.push_back({.beam_size = kept_count,
                       .ban_unknown = ban_unknown,
                       .repetition_penalty = penalty,
                       .no_repeat_ngram = ngram});
  return all;
}

Tokens random_history(Random& random, int64_t length) {
  Tokens history;
  while (std::ssize(history) < length) {
    const auto token = 3 + static_cast<int64_t>(random.uniform() * 6);  // 3 stands for <unk>
    history.push_back(token == 3 ? unknown_written_as(looked_at) : token);
  }
  return history;
}

PhraseSet::State begun_by(const Steering& steering, const Tokens& history) {
  PhraseSet::State begun;
  for (const int64_t symbol : history) begun = steering.phrases().after(begun, symbol, [](size_t) {});
  return begun;
}

/// The best by definition, then those of `wanted` that are not among them.
std::vector<Candidate> defined_candidates(const SearchOptions& options, const Tokens& history,
                                          const std::vector<double>& log_probabilities, bool may_end,
                                          const Tokens& wanted) {
  std::vector<Candidate> all;
  for (int64_t token = 0; token < word_count; ++token) {
    const double given = log_probabilities[static_cast<size_t>(token)];
    const double added = defined(options, history, token, given, may_end);
    if (added != forbidden) all.push_back({token, given, added});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Candidate& a, const Candidate& b) { return a.score() > b.score(); });
  const auto best = all.begin() + std::min(std::ssize(all), kept_count);
  std::vector<Candidate> result(all.begin(), best);
  for (const int64_t token : wanted)
    std::copy_if(best, all.end(), std::back_inserter(result),
                 [&](const Candidate& one) { return one.token == token; });
  return result;
}

TEST(Steering, FollowsTheDefinitionOfTheRules) {
  Random random(3);
  const OutputRules rules = rules_of(sequences);
  for (const SearchOptions& options : all_options()) {
    const Steering steering(options, rules);
    ASSERT_TRUE(steering.heeds_replaced());
    for (int64_t trial = 0; trial < 200; ++trial) {
      const Tokens history = random_history(random, trial % 8), tokens = as_tokens(history), wanted{6, 4};
      const PhraseSet::State begun = begun_by(steering, history);
      const bool may_end = trial % 2 == 0;
      const Steering::PartialHypothesis hypothesis{
          .length = std::ssize(history), .wanted = wanted, .begun = &begun, .may_end = may_end};
      AdjustmentRows rows;
      steering.adjust(hypothesis, Tokens(tokens.rbegin(), tokens.rend()), rows);
      rows.end_row();
      const auto adjustments = rows.collected().of(0);
      std::set<int64_t> listed;
      for (const Adjustment& one : adjustments) EXPECT_TRUE(listed.insert(one.index).second) << one.index;

      const auto all = drawn_log_probabilities(random);
      const Row row(all, adjustments, kept_count + 1);
      const auto actual = steering.candidates(
          hypothesis, {row.tokens, row.log_probabilities, adjustments, row.adjusted}, looked_at);
      const auto right = defined_candidates(options, history, all, may_end, wanted);
      ASSERT_EQ(actual.size(), right.size());
      for (size_t i = 0; i < actual.size(); ++i) {
        EXPECT_EQ(actual[i].token, right[i].token) << i;
        EXPECT_EQ(actual[i].log_probability, right[i].log_probability);
        EXPECT_NEAR(actual[i].adjustment, right[i].adjustment, 1e-12);
      }
      for (const Candidate& draw : steering.drawn(hypothesis, all, adjustments, looked_at, 5)) {
        const double given = all[static_cast<size_t>(draw.token)];
        EXPECT_EQ(draw.log_probability, given);
        EXPECT_NEAR(draw.adjustment, defined(options, history, draw.token, given, may_end), 1e-12);
      }
    }
  }
}

TEST(Steering, RowsAreApart) {
  AdjustmentRows rows;
  rows.of(7).added += 0.5;
  rows.of(2).factor = 0.25;
  rows.of(7).added += 1.0;
  rows.end_row();
  rows.end_row();
  rows.forbid(7);
  rows.of(7).added += 1.0;
  rows.end_row();
  const Adjustments& all = rows.collected();
  ASSERT_EQ(all.begins, (Tokens{0, 2, 2, 3}));
  EXPECT_EQ(all.of(0)[0].index, 7);
  EXPECT_EQ(all.of(0)[0].added, 1.5);
  EXPECT_EQ(all.of(0)[0].factor, 0);
  EXPECT_EQ(all.of(0)[1].index, 2);
  EXPECT_EQ(all.of(0)[1].factor, 0.25);
  EXPECT_EQ(all.of(2)[0].added, forbidden);
  rows.clear();
  EXPECT_EQ(rows.of(7).added, 0);
}

// Two sequences begin with 4 or 5; 4 is banned, and 5 is written although its probability is 0.
TEST(Steering, PrefixesAreWrittenUnlessBanned) {
  Phrase::Graph graph(3);
  graph[Phrase::start] = {{4, 2}, {5, 2}};
  graph[2] = {{6, Phrase::end}};
  const SentenceRules own{.prefix = Phrase(graph)};
  const OutputRules rules{.banned = {{4}}, .biased = {{{5}, 2.0}}};
  const SearchOptions options{.beam_size = kept_count, .repetition_penalty = 2};
  const Steering steering(options, rules);
  const PhraseSet::State begun;
  const Steering::PartialHypothesis hypothesis{.begun = &begun, .rules = &own};
  AdjustmentRows rows;
  steering.adjust(hypothesis, {}, rows);
  rows.end_row();
  const auto adjustments = rows.collected().of(0);
  std::vector<double> all(word_count, -2.0);
  all[5] = forbidden;
  const Row row(all, adjustments, kept_count);
  const auto next = steering.candidates(
      hypothesis, {row.tokens, row.log_probabilities, adjustments, row.adjusted}, looked_at);
  ASSERT_EQ(next.size(), 1U);
  EXPECT_EQ(next[0].token, 5);
  EXPECT_EQ(next[0].log_probability, std::log(1e-30));
  EXPECT_EQ(next[0].adjustment, 0);
  EXPECT_EQ(steering.drawn(hypothesis, all, adjustments, looked_at, 4).size(), 4U);
}

}  // namespace
}  // namespace seq2seq
