// Rules of search, compared with the enumeration of every output.
#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "../support/tiny_model.h"
#include "decode_support.h"
#include "seq2seq/core/error.h"
#include "seq2seq/decode/ensemble.h"
#include "seq2seq/decode/search.h"
#include "seq2seq/decode/target_scores.h"

namespace seq2seq {
namespace {

constexpr double rule_tolerance = 1e-9;
constexpr int64_t vocabulary_size = 7, longest = 4;
const Words source{4, 5, 6, 5};

Seq2Seq random_model(const test::Architecture& architecture, uint64_t seed = 11) {
  ModelOptions options = test::tiny_options(architecture);
  options.initial_range = 1.2;
  Seq2Seq model(options, vocabulary_size, vocabulary_size);
  model->initialize(seed);
  if (options.copying) model->set_source_to_target({-1, -1, -1, -1, 4, 5, -1});
  model->to(at::kDouble);
  test::move_to_test_device(*model);
  return model;
}

struct Output {
  Words tokens;
  std::vector<double> log_probabilities;
  double sum = 0;
};

/// Every output of at most `longest` tokens, with its log-probabilities.
std::vector<Output> enumerated(Scorer& scorer, const Words& words) {
  std::vector<Words> all{{}};
  for (size_t i = 0; i < all.size(); ++i)
    for (const int64_t word : words)
      if (std::ssize(all[i]) < longest) {
        Words longer = all[i];
        longer.push_back(word);
        all.push_back(longer);
      }
  const auto scored = score_targets(scorer, source_batch(std::vector<Words>(all.size(), source)), all);
  std::vector<Output> outputs;
  for (size_t i = 0; i < all.size(); ++i)
    outputs.push_back({all[i], scored[i].token_log_probabilities, scored[i].log_probability});
  return outputs;
}

class RulesLaw : public testing::TestWithParam<bool> {
 protected:
  static constexpr int64_t wanted = 10;
  Seq2Seq model = random_model([] {
    test::Architecture a;
    a.copying = GetParam();
    return a;
  }());
  ModelScorer scorer{model};
  Words words = GetParam() ? Words{1, 4, 5, 6, vocabulary_size + 2} : Words{1, 4, 5, 6};
  std::vector<Output> all = enumerated(scorer, words);
  SearchOptions options{
      .beam_size = 1000, .n_best = wanted, .length_penalty = LengthPenalty::none, .max_length = longest};

  /// Search finds the best of the outputs that `allowed` accepts, by log-probability plus `bonus`.
  void expect_best(
      const OutputRules& rules, const SentenceRules& sentence,
      const std::function<bool(const Words&)>& allowed,
      const std::function<double(const Output&)>& bonus = [](const Output&) { return 0.0; }) {
    std::vector<std::pair<double, const Output*>> ranked;
    for (const Output& output : all)
      if (allowed(output.tokens)) ranked.emplace_back(output.sum + bonus(output), &output);
    std::stable_sort(ranked.begin(), ranked.end(), [](auto& a, auto& b) { return a.first > b.first; });
    const auto found = search(scorer, source_batch({source}), options, rules, std::vector{sentence}).front();
    ASSERT_EQ(found.size(), std::min<size_t>(wanted, ranked.size()));
    for (size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i].tokens, ranked[i].second->tokens) << i;
      EXPECT_NEAR(found[i].score, ranked[i].first, rule_tolerance);
      EXPECT_NEAR(found[i].log_probability, ranked[i].second->sum, rule_tolerance);
      ASSERT_EQ(found[i].token_log_probabilities.size(), found[i].tokens.size() + 1);
      for (size_t t = 0; t < found[i].token_log_probabilities.size(); ++t)
        EXPECT_NEAR(found[i].token_log_probabilities[t], ranked[i].second->log_probabilities[t],
                    rule_tolerance);
    }
  }
};

bool holds(const Words& tokens, const Words& phrase) {
  return std::search(tokens.begin(), tokens.end(), phrase.begin(), phrase.end()) != tokens.end();
}

TEST_P(RulesLaw, BannedPhrases) {
  expect_best({.banned = {{5}, {4, 6}, {6, 6, 1}}}, {}, [](const Words& t) {
    return !holds(t, {5}) && !holds(t, {4, 6}) && !holds(t, {6, 6, 1});
  });
}

TEST_P(RulesLaw, NoNgramTwice) {
  for (const int64_t n : {1, 2}) {
    options.no_repeat_ngram = n;
    const auto repeats = [&](const Words& t, const std::set<int64_t>& ignored) {
      std::set<Words> seen;
      for (int64_t i = 0; i + n <= std::ssize(t); ++i) {
        const Words ngram(t.begin() + i, t.begin() + i + n);
        const bool counts =
            std::none_of(ngram.begin(), ngram.end(), [&](int64_t w) { return ignored.contains(w); });
        if (counts && !seen.insert(ngram).second) return true;
      }
      return false;
    };
    expect_best({}, {}, [&](const Words& t) { return !repeats(t, {}); });
    expect_best({.repeatable = {4}}, {}, [&](const Words& t) { return !repeats(t, {4}); });
  }
}

TEST_P(RulesLaw, Prefixes) {
  for (const Words& prefix : {Words{5}, Words{6, 6}, Words{1, 5, 4}, Words{4, 4, 4, 4}})
    expect_best({}, {.prefix = Phrase(prefix)}, [&](const Words& t) {
      return t.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), t.begin());
    });
}

TEST_P(RulesLaw, RequiredPhrases) {
  // Hypotheses completed at the maximum length may lack a phrase; they rank last.
  for (const auto& required :
       {std::vector<Words>{{5}}, {{6, 4}}, {{5}, {4, 6}}, {{5, 6}, {6}}, {{6, 6, 4}}, {{4, 5}, {4, 6}}}) {
    options.n_best = 3;
    const std::vector<Phrase> phrases(required.begin(), required.end());
    const auto found = search(scorer, source_batch({source}), options, {},
                              std::vector<SentenceRules>{{.required = phrases}});
    ASSERT_EQ(found.front().size(), 3U);
    std::vector<const Output*> ranked;
    for (const Output& output : all)
      if (std::all_of(required.begin(), required.end(),
                      [&](const Words& p) { return holds(output.tokens, p); }))
        ranked.push_back(&output);
    std::stable_sort(ranked.begin(), ranked.end(), [](auto* a, auto* b) { return a->sum > b->sum; });
    for (size_t i = 0; i < std::min<size_t>(3, ranked.size()); ++i) {
      EXPECT_EQ(found.front()[i].tokens, ranked[i]->tokens);
      EXPECT_NEAR(found.front()[i].score, ranked[i]->sum, rule_tolerance);
    }
  }
}

// A narrow beam generates required phrases that it would not find by itself.
TEST_P(RulesLaw, ANarrowBeamMeetsWhatIsRequired) {
  options.beam_size = 4;
  options.n_best = 1;
  for (const Words& phrase : {Words{5, 5}, Words{6, 1}, Words{4, 6, 4}}) {
    const auto best = search(scorer, source_batch({source}), options, {},
                             std::vector<SentenceRules>{{.required = {Phrase(phrase)}}});
    EXPECT_TRUE(holds(best.front().front().tokens, phrase));
  }
}

// Phrases that go on with the same token offer it once.
TEST_P(RulesLaw, RequiredPhrasesThatBeginAlikeDoNotFillTheBeamTwice) {
  options.beam_size = options.n_best = 2;
  for (const int64_t word : {1, 4, 5, 6})
    for (const auto& phrases : {std::vector<Phrase>{{word}, {word}}, {{word, 4}, {word, 4}, {word}}}) {
      const auto found = search(scorer, source_batch({source}), options, {},
                                std::vector<SentenceRules>{{.required = phrases}});
      std::set<Words> distinct;
      for (const Hypothesis& one : found.front()) distinct.insert(one.tokens);
      EXPECT_EQ(distinct.size(), found.front().size()) << word;
    }
}

// Outputs that end with the phrase too early are complete first.
TEST(RequiredPhrases, DoNotEndTheSearchWhereTheyFitBadly) {
  TableScorer scorer(vocabulary_size, [](int64_t, const Words& prefix) -> std::map<int64_t, double> {
    if (!prefix.empty() && prefix.back() == 5) return {{Vocabulary::end, -0.01}, {4, -5.0}};
    if (prefix.size() == 6) return {{5, -0.1}};
    return {{4, -0.1}, {5, -3.0}};
  });
  const SearchOptions narrow{.beam_size = 2, .max_length = 10};
  const auto found =
      search(scorer, source_batch({{4}}), narrow, {}, std::vector<SentenceRules>{{.required = {Phrase{5}}}});
  EXPECT_EQ(found.front().best().tokens, (Words{4, 4, 4, 4, 4, 4, 5}));
}

TEST_P(RulesLaw, Biases) {
  for (const double bias : {1.5, -1.5})
    expect_best(
        {.biased = {{{5}, bias}, {{6, 4}, 2 * bias}}}, {}, [](const Words&) { return true; },
        [&](const Output& output) {
          double sum = 0;
          for (size_t i = 0; i < output.tokens.size(); ++i) {
            sum += output.tokens[i] == 5 ? bias : 0;
            sum += output.tokens[i] == 6 ? 2 * bias : 0;
            sum += i > 0 && output.tokens[i - 1] == 6 && output.tokens[i] == 4 ? 2 * bias : 0;
          }
          return sum;
        });
}

TEST_P(RulesLaw, RepetitionPenalty) {
  options.repetition_penalty = 1.7;
  expect_best(
      {.repeatable = {6}}, {}, [](const Words&) { return true; },
      [&](const Output& output) {
        double sum = 0;
        std::set<int64_t> seen;
        for (size_t i = 0; i < output.tokens.size(); ++i)
          if (!seen.insert(output.tokens[i]).second && output.tokens[i] != 6)
            sum += 0.7 * output.log_probabilities[i];
        return sum;
      });
}

// Sentences of different lengths, each with rules of its own, leave the batch one after the other.
TEST_P(RulesLaw, BatchMatesChangeNothing) {
  const std::vector<Words> sentences{source, {6}, Words(9, 5), {4, 5}, {5, 6, 4, 4, 6}};
  const std::vector<SentenceRules> own{
      {.prefix = {5, 4}},
      {},
      {.required = {{6, 5}, {4}}},
      {.output = std::make_shared<const OutputRules>(OutputRules{.banned = {{6}}, .repeatable = {4}})},
      {.prefix = {6}, .required = {{5}}}};
  const OutputRules rules{.banned = {{4, 4}}, .biased = {{{6, 5}, 0.7}, {{1}, -2.0}}};
  const SearchOptions narrow{
      .beam_size = 3, .n_best = 3, .max_length_ratio = 2, .repetition_penalty = 1.2, .no_repeat_ngram = 3};
  const auto together = search(scorer, source_batch(sentences), narrow, rules, own);
  for (size_t i = 0; i < sentences.size(); ++i) {
    const auto alone =
        search(scorer, source_batch({sentences[i]}), narrow, rules, std::vector{own[i]}).front();
    ASSERT_EQ(together[i].size(), alone.size()) << i;
    ASSERT_FALSE(alone.empty()) << i;
    for (size_t rank = 0; rank < alone.size(); ++rank) {
      EXPECT_EQ(together[i][rank].tokens, alone[rank].tokens) << i;
      EXPECT_NEAR(together[i][rank].score, alone[rank].score, rule_tolerance) << i;
    }
  }
}

TEST_P(RulesLaw, RatiosOfLengths) {
  options.min_length_ratio = 0.5;  // of four source tokens
  options.max_length_ratio = 0.75;
  expect_best({}, {}, [](const Words& t) { return t.size() >= 2 && t.size() <= 3; });
}

INSTANTIATE_TEST_SUITE_P(Models, RulesLaw, testing::Bool(),
                         [](const auto& tested) { return tested.param ? "Copying" : "Generating"; });

/// 4 with probability 0.6, 5 with 0.3 or 6 with 0.1, then </s>.
TableScorer weather() {
  return TableScorer(vocabulary_size, [](int64_t, const Words& prefix) -> std::map<int64_t, double> {
    if (!prefix.empty()) return {{Vocabulary::end, 0.0}};
    return {{4, std::log(0.6)}, {5, std::log(0.3)}, {6, std::log(0.1)}};
  });
}

std::map<int64_t, double> frequencies(SearchOptions options) {
  constexpr int draws = 4000;
  TableScorer scorer = weather();
  options.sample = true;
  options.beam_size = 1;
  std::map<int64_t, double> counts;
  std::vector<SentenceRules> rules(draws);
  for (size_t i = 0; i < rules.size(); ++i) rules[i].seed = i;
  for (const auto& outputs : search(scorer, source_batch(std::vector<Words>(draws, {4})), options, {}, rules))
    counts[outputs.front().tokens.front()] += 1.0 / draws;
  return counts;
}

TEST(Sampling, FollowsTheDistribution) {
  // 4 standard deviations of 4,000 draws are 0.03.
  auto found = frequencies({});
  EXPECT_NEAR(found[4], 0.6, 0.03);
  EXPECT_NEAR(found[5], 0.3, 0.03);
  found = frequencies({.temperature = 0.5});
  EXPECT_NEAR(found[4], 0.36 / 0.46, 0.03);
  found = frequencies({.sample_top_k = 2});
  EXPECT_NEAR(found[4], 2.0 / 3, 0.03);
  EXPECT_FALSE(found.contains(6));
  found = frequencies({.sample_top_p = 0.85});
  EXPECT_NEAR(found[5], 1.0 / 3, 0.03);
  EXPECT_FALSE(found.contains(6));
  EXPECT_EQ(frequencies({.sample_top_p = 0.5}).size(), 1U);
}

TEST(Sampling, DependsOnTheSeedAloneAndKeepsTheModelsProbabilities) {
  Seq2Seq model = random_model({});
  ModelScorer scorer(model);
  const SearchOptions options{.beam_size = 5, .n_best = 5, .max_length = 6, .sample = true};
  const std::vector<SentenceRules> rules{{.seed = 7}, {.seed = 8}, {.seed = 7}};
  const auto together = search(scorer, source_batch({source, source, source}), options, {}, rules);
  const auto alone = search(scorer, source_batch({source}), options, {}, std::vector{rules[1]});
  std::set<Words> different;
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(together[0][i].tokens, together[2][i].tokens);
    EXPECT_EQ(together[1][i].tokens, alone[0][i].tokens);
    different.insert(together[0][i].tokens);
    const auto scored =
        score_targets(scorer, source_batch({source}), std::vector<Words>{together[0][i].tokens});
    EXPECT_NEAR(together[0][i].log_probability, scored.front().log_probability, rule_tolerance);
  }
  EXPECT_GT(different.size(), 2U);
  EXPECT_NE(together[0][0].tokens, together[1][0].tokens);
}

TEST(DiverseBeam, GroupsAvoidEachOthersWords) {
  const auto first_words = [](double diversity) {
    TableScorer scorer = weather();
    std::set<int64_t> words;
    const auto found = search(scorer, source_batch({{4}}),
                              {.beam_size = 3,
                               .n_best = 3,
                               .stopping = Stopping::exhaustive,
                               .beam_groups = 3,
                               .diversity = diversity});
    for (const auto& output : found.front()) words.insert(output.tokens.front());
    return words;
  };
  EXPECT_EQ(first_words(0), (std::set<int64_t>{4}));
  EXPECT_EQ(first_words(1), (std::set<int64_t>{4, 5}));  // log 0.1 is worse than log 0.6 - 1
  EXPECT_EQ(first_words(2), (std::set<int64_t>{4, 5, 6}));
}

// Each group writes two of the six outputs, although the others would fill all places.
TEST(DiverseBeam, EachGroupFillsItsShare) {
  TableScorer scorer(9, [](int64_t, const Words& prefix) -> std::map<int64_t, double> {
    if (prefix.size() == 2) return {{Vocabulary::end, 0.0}};
    if (prefix.empty()) return {{4, std::log(0.9)}, {5, std::log(0.06)}, {6, std::log(0.04)}};
    return {{4, std::log(0.4)}, {5, std::log(0.3)}, {6, std::log(0.2)}, {7, std::log(0.1)}};
  });
  for (const int64_t n_best : {6, 3, 4, 1})
    for (const auto stopping : {Stopping::patience, Stopping::first, Stopping::exhaustive}) {
      const auto found = search(scorer, source_batch({{4}}),
                                {.beam_size = 6,
                                 .n_best = n_best,
                                 .length_penalty = LengthPenalty::none,
                                 .stopping = stopping,
                                 .beam_groups = 3,
                                 .diversity = 10})
                             .front();
      ASSERT_EQ(std::ssize(found), n_best);
      std::map<int64_t, int64_t> by_first_word;
      std::set<Words> different;
      for (const Hypothesis& output : found) {
        ++by_first_word[output.tokens.front()];
        different.insert(output.tokens);
      }
      EXPECT_EQ(std::ssize(different), n_best);
      for (int64_t i = 1; i < n_best; ++i) EXPECT_GE(found[i - 1].score, found[i].score);
      if (n_best == 1) {
        EXPECT_EQ(found[0].tokens, (Words{4, 4}));
      }
      if (n_best == 6) {
        EXPECT_EQ(by_first_word, (std::map<int64_t, int64_t>{{4, 4}, {5, 2}}));
      }
      if (n_best == 3) {
        EXPECT_GE(by_first_word.size(), 2U);
      }
    }
}

// With no price on what others chose all groups find the same, and must look further.
TEST(DiverseBeam, AnOutputFoundTwiceCountsOnce) {
  TableScorer scorer(9, [](int64_t, const Words& prefix) -> std::map<int64_t, double> {
    if (prefix.size() == 1) return {{Vocabulary::end, 0.0}};
    return {{4, std::log(0.4)}, {5, std::log(0.3)}, {6, std::log(0.2)}, {7, std::log(0.1)}};
  });
  const auto found = search(scorer, source_batch({{4}}),
                            {.beam_size = 4, .n_best = 4, .max_length = 3, .beam_groups = 2, .diversity = 0})
                         .front();
  std::set<Words> different;
  for (const Hypothesis& output : found) different.insert(output.tokens);
  EXPECT_EQ(different, (std::set<Words>{{4}, {5}}));  // both beams hold these two alone
  EXPECT_EQ(found.size(), 2U);
}

TEST(WithoutOutput, TheReasonIsTold) {
  const double nothing = -std::numeric_limits<double>::infinity(), nan = std::nan("");
  const auto why = [](const std::map<int64_t, double>& next, const SearchOptions& options,
                      const OutputRules& rules = {}) {
    TableScorer scorer(vocabulary_size, [&](int64_t, const Words&) { return next; });
    const auto found = search(scorer, source_batch({{4}}), options, rules);
    EXPECT_TRUE(found.front().empty());
    return found.front().why;
  };
  for (const bool steered : {false, true}) {
    const OutputRules rules{.banned = steered ? std::vector<Phrase>{{6}} : std::vector<Phrase>{}};
    EXPECT_EQ(why({{4, nan}}, {}, rules), NoOutput::not_numbers);
    EXPECT_EQ(why({{4, nothing}}, {}, rules), NoOutput::zeros);
    EXPECT_EQ(why({{4, 0.0}}, {.max_length = 3}, rules), NoOutput::endless);
  }
  EXPECT_EQ(why({{5, 0.0}}, {}, {.banned = {{5}}}), NoOutput::rules);
  EXPECT_EQ(why({{1, 0.0}}, {.ban_unknown = true}), NoOutput::rules);
}

// Sentences beside one that fails are what they are without it.
TEST(WithoutOutput, OneSentenceAlone) {
  TableScorer scorer(vocabulary_size, [](int64_t first, const Words& prefix) -> std::map<int64_t, double> {
    if (prefix.size() < 2) return {{first, -0.5}, {6, -1.0}};
    return {{Vocabulary::end, first == 5 ? std::nan("") : -0.1}};
  });
  for (const bool steered : {false, true}) {
    const OutputRules rules{.banned = steered ? std::vector<Phrase>{{1}} : std::vector<Phrase>{}};
    const auto found = search(scorer, source_batch({{4}, {5}, {4, 4}}), {.beam_size = 2}, rules);
    EXPECT_EQ(found[0].best().tokens, (Words{4, 4}));
    EXPECT_EQ(found[2].best().tokens, (Words{4, 4}));
    EXPECT_EQ(found[0].why, NoOutput::none);
    EXPECT_EQ(found[1].why, NoOutput::not_numbers);
    EXPECT_THROW(found[1].best(), Error);
  }
}

TEST(StoppingRules, FirstAndExhaustive) {
  // Shorter outputs are complete earlier; longer ones have better length-normalized scores.
  TableScorer scorer(vocabulary_size, [](int64_t, const Words& prefix) -> std::map<int64_t, double> {
    if (prefix.size() == 6) return {{Vocabulary::end, 0.0}};
    return {{Vocabulary::end, -1.0}, {4, -1.05}};
  });
  const auto length = [&](Stopping stopping) {
    return search(scorer, source_batch({{4}}), {.beam_size = 2, .stopping = stopping})
        .front()
        .front()
        .tokens.size();
  };
  EXPECT_EQ(length(Stopping::first), 0U);
  EXPECT_EQ(length(Stopping::patience), 0U);
  EXPECT_EQ(length(Stopping::exhaustive), 6U);
}

class EnsembleLaw : public testing::TestWithParam<EnsembleMean> {};

// Members of three architectures, one of which copies.
TEST_P(EnsembleLaw, IsTheMeanOfTheMembers) {
  test::Architecture rnn, transformer, copying;
  transformer.transformer_encoder = transformer.transformer_decoder = true;
  copying.copying = true;
  copying.cell = Cell::gru;
  std::vector<Seq2Seq> models{random_model(rnn, 1), random_model(transformer, 2), random_model(copying, 3)};
  const auto members = [&] {
    std::vector<std::unique_ptr<Scorer>> all;
    for (const Seq2Seq& model : models) all.push_back(std::make_unique<ModelScorer>(model));
    return all;
  };
  EnsembleScorer ensemble(members(), GetParam());
  const SourceBatch batch = source_batch({source, {6}, {5, 4}});
  const std::vector<Words> targets{{4, 5}, {6}, {vocabulary_size, 1, 4}};
  std::vector<Tensor> each;
  const c10::InferenceMode no_gradients;
  auto own = members();
  std::vector<State> states;
  for (const auto& member : own) {
    member->begin(batch);
    states.push_back(member->start());
  }
  ensemble.begin(batch);
  State state = ensemble.start();
  for (const int64_t word : {Vocabulary::begin, int64_t{5}, int64_t{4}}) {
    const Tensor tokens = at::full({3}, word, test::on_device(at::kLong));
    std::vector<Tensor> probabilities, attention;
    for (size_t i = 0; i < own.size(); ++i) {
      const Distribution one = own[i]->distribution(tokens, states[i]);
      Tensor padded = at::zeros({3, vocabulary_size + batch.ids.size(1)}, test::on_device(at::kDouble));
      padded.narrow(1, 0, one.log_probabilities.size(1)).copy_(one.log_probabilities.exp());
      probabilities.push_back(padded);
      attention.push_back(one.attention);
    }
    Tensor expected = (probabilities[0] + probabilities[1] + probabilities[2]) / 3;
    if (GetParam() == EnsembleMean::log) {
      expected = (probabilities[0] * probabilities[1] * probabilities[2]).pow(1.0 / 3);
      expected = expected / expected.sum(1, true);
    }
    const Distribution actual = ensemble.distribution(tokens, state);
    EXPECT_TRUE(at::allclose(actual.log_probabilities.exp(), expected, 1e-9, 1e-12));
    EXPECT_TRUE(
        at::allclose(actual.attention, (attention[0] + attention[1] + attention[2]) / 3, 1e-9, 1e-12));
  }
}

TEST_P(EnsembleLaw, TheSameModelTwiceIsTheModel) {
  Seq2Seq model = random_model({});
  ModelScorer scorer(model);
  std::vector<std::unique_ptr<Scorer>> members;
  for (int i = 0; i < 2; ++i) members.push_back(std::make_unique<ModelScorer>(model));
  EnsembleScorer ensemble(std::move(members), GetParam());
  const std::vector<Words> sentences{source, {6}, {5, 5, 5, 4, 6, 6, 4}, {4}};
  const SearchOptions options{.beam_size = 3, .n_best = 3};
  const auto expected = search(scorer, source_batch(sentences), options);
  const auto actual = search(ensemble, source_batch(sentences), options);
  for (size_t i = 0; i < sentences.size(); ++i)
    for (size_t rank = 0; rank < 3; ++rank) {
      EXPECT_EQ(actual[i][rank].tokens, expected[i][rank].tokens);
      EXPECT_EQ(actual[i][rank].source_positions, expected[i][rank].source_positions);
      EXPECT_NEAR(actual[i][rank].score, expected[i][rank].score, rule_tolerance);
    }
}

INSTANTIATE_TEST_SUITE_P(Means, EnsembleLaw, testing::Values(EnsembleMean::linear, EnsembleMean::log),
                         [](const auto& tested) { return test::name_of_value(tested.param); });

/// Scores targets with single decoding steps instead of the training forward pass.
class SteppingScorer : public ModelScorer {
 public:
  using ModelScorer::ModelScorer;
  TargetScores score_targets(const Tensor& inputs, const Tensor& outputs) override {
    return Scorer::score_targets(inputs, outputs);  // NOLINT(bugprone-parent-virtual-call)
  }
};

class TargetScoresLaw : public testing::TestWithParam<test::Architecture> {};

TEST_P(TargetScoresLaw, StepsEqualTheTrainingEntrance) {
  Seq2Seq model = random_model(GetParam());
  ModelScorer scorer(model);
  SteppingScorer stepping(model);
  const std::vector<Words> sources{source, {6}, {5, 5, 5, 4, 6, 6}}, targets{{4, 5, 6}, {}, {6, 1, 4, 4, 5}};
  const auto expected = score_targets(scorer, source_batch(sources), targets);
  const auto actual = score_targets(stepping, source_batch(sources), targets);
  for (size_t i = 0; i < sources.size(); ++i) {
    EXPECT_EQ(actual[i].tokens, targets[i]);
    ASSERT_EQ(actual[i].token_log_probabilities.size(), targets[i].size() + 1);
    double sum = 0;
    for (size_t t = 0; t <= targets[i].size(); ++t) {
      EXPECT_NEAR(actual[i].token_log_probabilities[t], expected[i].token_log_probabilities[t],
                  rule_tolerance);
      sum += actual[i].token_log_probabilities[t];
    }
    EXPECT_NEAR(actual[i].log_probability, sum, rule_tolerance);
    EXPECT_EQ(actual[i].score, actual[i].log_probability);
    EXPECT_EQ(actual[i].source_positions, expected[i].source_positions);
  }
}

INSTANTIATE_TEST_SUITE_P(Architectures, TargetScoresLaw, testing::ValuesIn(test::all_architectures()),
                         [](const auto& tested) { return test::name_of(tested.param); });

class ShortlistLaw : public testing::TestWithParam<bool> {
 protected:
  Seq2Seq model = random_model([] {
    test::Architecture a;
    a.copying = GetParam();
    return a;
  }());
  std::vector<Words> sentences{source, {6}, {5, 5, 4}, {6, 4, 6}};
  SearchOptions options{.beam_size = 4, .n_best = 4, .max_length = 5};
  std::vector<SentenceOutputs> found(const Shortlist& shortlist, const OutputRules& rules = {},
                                     const std::vector<SentenceRules>& sentence_rules = {}) {
    ModelScorer scorer(model, nullptr, std::make_shared<Shortlist>(shortlist));
    return search(scorer, source_batch(sentences), options, rules, sentence_rules);
  }
  static void expect_equal(const std::vector<SentenceOutputs>& actual,
                           const std::vector<SentenceOutputs>& expected) {
    ASSERT_EQ(actual.size(), expected.size());
    for (size_t i = 0; i < actual.size(); ++i) {
      ASSERT_EQ(actual[i].size(), expected[i].size());
      for (size_t rank = 0; rank < expected[i].size(); ++rank) {
        EXPECT_EQ(actual[i][rank].tokens, expected[i][rank].tokens);
        EXPECT_NEAR(actual[i][rank].score, expected[i][rank].score, rule_tolerance);
        EXPECT_NEAR(actual[i][rank].log_probability, expected[i][rank].log_probability, rule_tolerance);
      }
    }
  }
  static std::set<int64_t> words_in(const std::vector<SentenceOutputs>& all) {
    std::set<int64_t> words;
    for (const auto& outputs : all)
      for (const Hypothesis& output : outputs) words.insert(output.tokens.begin(), output.tokens.end());
    return words;
  }
};

TEST_P(ShortlistLaw, OfAllWordsChangesNothing) {
  const Shortlist everything{std::vector<Words>(vocabulary_size), {4, 5, 6}};
  ModelScorer scorer(model);
  expect_equal(found(everything), search(scorer, source_batch(sentences), options));
  options.repetition_penalty = 1.3;
  options.no_repeat_ngram = 2;
  const OutputRules rules{.banned = {{5, 4}}, .biased = {{{4, 6}, 1.5}, {{1}, -0.5}}};
  const std::vector<SentenceRules> own{
      {.required = {{6, 6}}}, {.prefix = {5}}, {}, {.required = {{4}, {5, 6}}}};
  expect_equal(found(everything, rules, own), search(scorer, source_batch(sentences), options, rules, own));
}

// Without 6 among its words: a sentence that asks for 6 finds what it finds where 6 is one of them, and its neighbours find
// what they find without.
TEST_P(ShortlistLaw, HasTheWordsThatRulesAskFor) {
  const std::vector<Words> candidates(vocabulary_size);
  const Shortlist without{candidates, {4, 5}}, with{candidates, {4, 5, 6}};
  EXPECT_FALSE(words_in(found(without)).contains(6));
  struct Asking {
    std::set<size_t> sentences;
    OutputRules rules;
    std::vector<SentenceRules> own;
  };
  const std::vector<Asking> all{
      {{1}, {}, {{}, {.prefix = {5, 6}}, {}, {}}},
      {{0}, {}, {{.required = {{6, 4}}}, {}, {}, {}}},
      {{0, 2}, {}, {{.required = {{6}}}, {}, {.prefix = {6}}, {}}},
      {{0, 1, 2, 3}, {.biased = {{{6}, 3.0}}}, std::vector<SentenceRules>(sentences.size())},
  };
  for (const Asking& asking : all) {
    const auto actual = found(without, asking.rules, asking.own),
               listed = found(with, asking.rules, asking.own), unlisted = found(without);
    for (size_t i = 0; i < sentences.size(); ++i) {
      const bool asks = asking.sentences.contains(i);
      expect_equal({actual[i]}, {asks ? listed[i] : unlisted[i]});
      EXPECT_TRUE(asks || !words_in({actual[i]}).contains(6)) << "sentence " << i;
    }
    EXPECT_TRUE(words_in(actual).contains(6));
  }
  EXPECT_FALSE(words_in(found(without, {.banned = {{4, 6}}, .biased = {{{6}, -1.0}}})).contains(6));
}

// 6 is not a candidate of any source token, 5 only of 4. Source tokens can still be copied.
TEST_P(ShortlistLaw, LeavesOutTheOthers) {
  std::vector<Words> candidates(vocabulary_size);
  candidates[4] = {5};
  const std::set<int64_t> words = words_in(found({candidates, {}}));
  EXPECT_FALSE(words.contains(6));
  EXPECT_TRUE(words.contains(5));
  EXPECT_EQ(words.contains(4), GetParam());
  EXPECT_EQ(*words.rbegin() >= vocabulary_size,
            GetParam());  // the source's 6, which the target vocabulary lacks
}

// What a sentence may write does not depend on its neighbours.
TEST_P(ShortlistLaw, EachSentenceHasItsOwnWords) {
  const Shortlist own{{{}, {}, {}, {}, {5}, {4}, {6}}, {}};
  sentences = {{4, 4}, {6}, {5, 5, 5}, {6, 4, 6}};
  std::vector<std::set<int64_t>> allowed{{5}, {6}, {4}, {5, 6}};
  if (GetParam()) allowed = {{5, 4}, {6}, {4, 5}, {5, 6, 4}};  // the model can copy 4 and 5
  const auto together = found(own);
  for (size_t i = 0; i < sentences.size(); ++i) {
    const std::vector<Words> alone{sentences[i]};
    ModelScorer scorer(model, nullptr, std::make_shared<Shortlist>(own));
    expect_equal({together[i]}, search(scorer, source_batch(alone), options));
    for (const int64_t word : words_in({together[i]}))
      EXPECT_TRUE(word >= vocabulary_size || word == Vocabulary::unknown || allowed[i].contains(word))
          << "sentence " << i << ", word " << word;
  }
}

// Also where a neighbour may write more.
TEST_P(ShortlistLaw, TheRestSharesTheProbability) {
  const c10::InferenceMode no_gradients;
  std::vector<Words> candidates(vocabulary_size);
  candidates[5] = {4};
  ModelScorer all(model), few(model, nullptr, std::make_shared<Shortlist>(Shortlist{candidates, {5}}));
  const SourceBatch batch = source_batch({{6, 6}, {5, 5, 5}});
  all.begin(batch);
  few.begin(batch);
  State state = all.start();
  const Tensor begin = at::full({2}, Vocabulary::begin, test::on_device(at::kLong));
  const Tensor whole = all.distribution(begin, state).log_probabilities[0];
  state = few.start();
  const Expansion best = few.expand(begin, state, 3, {0, 2}, {});
  const Tensor known =
      whole.index_select(0, at::tensor({0, 1, 2, 3, 5}, test::on_device(at::kLong))).logsumexp(0);
  for (int64_t i = 0; i < 3; ++i) {
    const auto token = best.best.tokens[0][i].item<int64_t>();
    EXPECT_NE(token, 4);
    EXPECT_NE(token, 6);
    if (GetParam()) continue;  // copying takes a share
    EXPECT_NEAR(best.best.log_probabilities[0][i].item<double>(), (whole[token] - known).item<double>(),
                rule_tolerance);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, ShortlistLaw, testing::Bool(),
                         [](const auto& tested) { return tested.param ? "Copying" : "Generating"; });

}  // namespace
}  // namespace seq2seq
