#include "seq2seq/decode/search.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "../support/tiny_model.h"
#include "decode_support.h"
#include "seq2seq/core/error.h"

namespace seq2seq {
namespace {

constexpr double tolerance = 1e-9;
constexpr int64_t vocabulary = 7;  // <unk>, 4, 5, 6 and </s> can be generated

using test::Architecture;

Seq2Seq random_model(const Architecture& architecture) {
  ModelOptions options = test::tiny_options(architecture);
  options.initial_range = 1.2;  // wide, so that the distributions are far from uniform
  Seq2Seq model(options, vocabulary, vocabulary);
  model->initialize(11);
  if (options.copying) model->set_source_to_target({-1, -1, -1, -1, 4, 5, -1});
  model->to(at::kDouble);
  test::move_to_test_device(*model);
  return model;
}

/// The log-probability of `output` and its </s>, by the training forward pass.
double teacher_forced(Seq2Seq& model, const Words& source, const Words& output) {
  const at::NoGradGuard no_grad;
  Words input{Vocabulary::begin}, target = output;
  input.insert(input.end(), output.begin(), output.end());
  target.push_back(Vocabulary::end);
  const Memory memory = model->encode(source_batch({source}).to(test::test_device()));
  const StepSequence steps =
      model->decode(memory, at::tensor(input, test::on_device(at::kLong)).unsqueeze(0));
  const Tensor scores =
      model->output()->log_probabilities(steps.as_hypotheses(), memory);  // [T, V] or [T, V + S]
  return scores.gather(1, at::tensor(target, test::on_device(at::kLong)).unsqueeze(1)).sum().item<double>();
}

/// Every output of at most `longest` of these tokens.
std::vector<Words> all_outputs(int64_t longest, const Words& words) {
  std::vector<Words> all{{}};
  for (size_t i = 0; i < all.size(); ++i) {
    if (std::ssize(all[i]) == longest) continue;
    for (const int64_t word : words) {
      Words longer = all[i];
      longer.push_back(word);
      all.push_back(longer);
    }
  }
  return all;
}

Words greedy(Seq2Seq& model, const Words& source, int64_t longest) {
  const at::NoGradGuard no_grad;
  const Memory memory = model->encode(source_batch({source}).to(test::test_device()));
  State state = model->start(memory);
  Words output;
  int64_t word = Vocabulary::begin;
  while (std::ssize(output) < longest) {
    const Step step = model->advance(memory, at::tensor({word}, test::on_device(at::kLong)), state);
    state = step.next;
    const Tensor scores = model->output()->log_probabilities(step, memory)[0];
    scores[Vocabulary::padding] = scores[Vocabulary::begin] = -1e9;
    word = scores.argmax().item<int64_t>();
    if (word == Vocabulary::end) break;
    output.push_back(word);
  }
  return output;
}

void expect_same(const std::vector<Hypothesis>& found, const std::vector<Hypothesis>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].tokens, expected[i].tokens);
    EXPECT_EQ(found[i].source_positions, expected[i].source_positions);
    EXPECT_NEAR(found[i].log_probability, expected[i].log_probability, tolerance);
    EXPECT_NEAR(found[i].score, expected[i].score, tolerance);
  }
}

// Models this small gain nothing from a second thread.
class OneThread : public testing::Environment {
  void SetUp() override { at::set_num_threads(1); }
};
const auto* const one_thread = testing::AddGlobalTestEnvironment(new OneThread);

const std::vector<Words> sentences{
    {4, 5, 6, 1, 4, 4, 5}, {6}, {5, 5}, {4, 6, 5, 4}, {1, 1, 6}, {6, 4, 4, 5, 6, 5}, {2, 4, 2, 6, 5}};

class SearchLaw : public testing::TestWithParam<Architecture> {
 protected:
  Seq2Seq model = random_model(GetParam());
  ModelScorer scorer{model};
};

TEST_P(SearchLaw, WideBeamIsExhaustiveEnumeration) {
  constexpr int64_t longest = 3, wanted = 8;
  const Words source{4, 5, 6};
  Words words{Vocabulary::unknown, 4, 5, 6};
  if (GetParam().copying)
    words.push_back(vocabulary + 2);  // the source's 6, which the target vocabulary lacks
  std::vector<Hypothesis> all;
  for (const Words& output : all_outputs(longest, words))
    all.push_back({output, teacher_forced(model, source, output), 0, {}});
  for (const auto penalty : {LengthPenalty::none, LengthPenalty::average, LengthPenalty::wu}) {
    const SearchOptions options{
        .beam_size = 200, .n_best = wanted, .length_penalty = penalty, .max_length = longest};
    for (Hypothesis& one : all)
      one.score = hypothesis_score(one.log_probability, std::ssize(one.tokens) + 1, options);
    std::sort(all.begin(), all.end(), [](auto& a, auto& b) { return a.score > b.score; });
    const auto found = search(scorer, source_batch({source}), options).front();
    ASSERT_EQ(std::ssize(found), wanted);
    for (size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i].tokens, all[i].tokens);
      EXPECT_NEAR(found[i].score, all[i].score, tolerance);
    }
  }
}

TEST_P(SearchLaw, BeamOfOneIsGreedy) {
  for (const auto penalty : {LengthPenalty::none, LengthPenalty::average}) {
    const SearchOptions options{.beam_size = 1, .length_penalty = penalty, .max_length = 12};
    const auto found = search(scorer, source_batch(sentences), options);
    for (size_t i = 0; i < sentences.size(); ++i)
      EXPECT_EQ(found[i].front().tokens, greedy(model, sentences[i], 12));
  }
}

TEST_P(SearchLaw, ScoreIsTheTeacherForcedOne) {
  const auto found = search(scorer, source_batch(sentences), {.beam_size = 4, .n_best = 4, .max_length = 6});
  for (size_t i = 0; i < sentences.size(); ++i)
    for (const Hypothesis& hypothesis : found[i])
      EXPECT_NEAR(hypothesis.log_probability, teacher_forced(model, sentences[i], hypothesis.tokens),
                  tolerance);
}

TEST_P(SearchLaw, BatchMatesChangeNothing) {
  const SearchOptions options{.beam_size = 3, .n_best = 3, .length_penalty = LengthPenalty::wu};
  const auto together = search(scorer, source_batch(sentences), options);
  for (size_t i = 0; i < sentences.size(); ++i)
    expect_same(together[i], search(scorer, source_batch({sentences[i]}), options).front());
}

INSTANTIATE_TEST_SUITE_P(Architectures, SearchLaw, testing::ValuesIn(test::all_architectures()),
                         [](const auto& tested) { return test::name_of(tested.param); });

class Search : public testing::Test {
 protected:
  Seq2Seq model = random_model({Cell::lstm, AdditiveAttention{}, true, 1});
  ModelScorer scorer{model};
};

/// Records the rows of each step and the sentences that are kept.
class CountingScorer : public ModelScorer {
 public:
  using ModelScorer::ModelScorer;
  State start() override {
    rows.clear();
    return ModelScorer::start();
  }
  Expansion expand(const Tensor& tokens, State& state, int64_t k, const std::vector<int64_t>& banned,
                   const Adjustments& adjustments) override {
    rows.push_back(tokens.size(0));
    return ModelScorer::expand(tokens, state, k, banned, adjustments);
  }
  void keep_sentences(const Tensor& kept) override {
    left.push_back(kept.size(0));
    ModelScorer::keep_sentences(kept);
  }
  std::vector<int64_t> rows, left;
};

// Each sentence has its own length limit, so that they finish one after the other.
TEST_F(Search, FinishedSentencesLeaveTheBatch) {
  CountingScorer counting(model);
  const std::vector<Words> different{{4}, Words(3, 5), Words(6, 6), Words(9, 4), Words(12, 5)};
  const SearchOptions options{.beam_size = 2, .min_length = 18};
  const auto together = search(counting, source_batch(different), options);
  EXPECT_EQ(counting.rows.front(), 5);
  EXPECT_EQ(counting.rows[1], 10);
  EXPECT_FALSE(counting.left.empty());
  EXPECT_LT(counting.rows.back(), 10);
  for (size_t i = 0; i < different.size(); ++i)
    expect_same(together[i], search(scorer, source_batch({different[i]}), options).front());
}

TEST_F(Search, OutputsAreSortedAndDistinct) {
  for (const auto& outputs :
       search(scorer, source_batch(sentences), {.beam_size = 6, .n_best = 6, .max_length = 5})) {
    ASSERT_EQ(outputs.size(), 6U);
    std::set<Words> distinct;
    for (size_t i = 0; i < outputs.size(); ++i) {
      distinct.insert(outputs[i].tokens);
      if (i > 0) {
        EXPECT_GE(outputs[i - 1].score, outputs[i].score);
      }
    }
    EXPECT_EQ(distinct.size(), outputs.size());
  }
}

TEST_F(Search, LengthsAreWithinTheLimits) {
  for (const int64_t beam : {1, 5}) {
    for (const auto& outputs : search(scorer, source_batch(sentences),
                                      {.beam_size = beam, .n_best = beam, .min_length = 3, .max_length = 4}))
      for (const Hypothesis& hypothesis : outputs) {
        EXPECT_GE(hypothesis.tokens.size(), 3U);
        EXPECT_LE(hypothesis.tokens.size(), 4U);
        EXPECT_EQ(hypothesis.source_positions.size(), hypothesis.tokens.size());
      }
    for (const auto& outputs :
         search(scorer, source_batch(sentences), {.beam_size = beam, .min_length = 15, .max_length = 15})) {
      EXPECT_EQ(outputs.front().tokens.size(), 15U);
    }
  }
}

TEST_F(Search, UnknownWordsCanBeBanned) {
  for (const bool ban : {false, true}) {
    bool found = false;
    for (const auto& outputs : search(scorer, source_batch(sentences),
                                      {.beam_size = 5, .n_best = 5, .max_length = 4, .ban_unknown = ban}))
      for (const Hypothesis& hypothesis : outputs)
        found |= std::count(hypothesis.tokens.begin(), hypothesis.tokens.end(), Vocabulary::unknown) > 0;
    EXPECT_EQ(found, !ban);
  }
}

TEST_F(Search, BrokenModelIsReported) {
  const at::NoGradGuard no_grad;
  model->target_embedding()->weight.fill_(std::nan(""));
  for (const auto& outputs : search(scorer, source_batch(sentences), {})) {
    EXPECT_TRUE(outputs.empty());
    EXPECT_EQ(outputs.why, NoOutput::not_numbers);
  }
}

// Greedy search finds 4 6 (0.6 * 0.4), the beam 5 5 (0.4 * 0.9).
TEST(SearchTable, BeamFindsWhatGreedySearchMisses) {
  TableScorer scorer(vocabulary, [](int64_t, const Words& prefix) -> std::map<int64_t, double> {
    if (prefix.empty()) return {{4, std::log(0.6)}, {5, std::log(0.4)}};
    if (prefix.size() == 2) return {{Vocabulary::end, 0.0}};
    if (prefix[0] == 4) return {{4, std::log(0.3)}, {5, std::log(0.3)}, {6, std::log(0.4)}};
    return {{5, std::log(0.9)}, {6, std::log(0.1)}};
  });
  const auto greedy_output = search(scorer, source_batch({{4}}), {.beam_size = 1}).front().front();
  EXPECT_EQ(greedy_output.tokens, (Words{4, 6}));
  EXPECT_NEAR(greedy_output.log_probability, std::log(0.24), tolerance);
  const auto outputs = search(scorer, source_batch({{4}}), {.beam_size = 2, .n_best = 2}).front();
  EXPECT_EQ(outputs[0].tokens, (Words{5, 5}));
  EXPECT_NEAR(outputs[0].log_probability, std::log(0.36), tolerance);
  EXPECT_EQ(outputs[1].tokens, (Words{4, 6}));
}

// The log-probability of 4 </s> is -2.0, that of 4 5 6 </s> -2.4, which is more per token.
TEST(SearchTable, LengthPenaltyPrefersTheLongerOutput) {
  TableScorer scorer(vocabulary, [](int64_t, const Words& prefix) -> std::map<int64_t, double> {
    switch (prefix.size()) {
      case 0:
        return {{4, -1.0}};
      case 1:
        return {{Vocabulary::end, -1.0}, {5, -1.1}};
      case 2:
        return {{6, -0.2}};
      default:
        return {{Vocabulary::end, -0.1}};
    }
  });
  const auto best = [&](LengthPenalty penalty, double alpha) {
    const SearchOptions options{.beam_size = 2, .length_penalty = penalty, .length_penalty_alpha = alpha};
    return search(scorer, source_batch({{4}}), options).front().front();
  };
  EXPECT_EQ(best(LengthPenalty::none, 1).tokens, (Words{4}));
  EXPECT_NEAR(best(LengthPenalty::none, 1).score, -2.0, tolerance);
  EXPECT_EQ(best(LengthPenalty::average, 1).tokens, (Words{4, 5, 6}));
  EXPECT_NEAR(best(LengthPenalty::average, 1).score, -2.4 / 4, tolerance);
  EXPECT_EQ(best(LengthPenalty::wu, 1).tokens, (Words{4, 5, 6}));
  EXPECT_NEAR(best(LengthPenalty::wu, 1).score, -2.4 * 6 / 9, tolerance);
  EXPECT_EQ(best(LengthPenalty::wu, 0).tokens, (Words{4}));
}

TEST(CoverageScore, IsWhatThePapersSay) {
  const std::vector<double> looked{0.5, 1.5, 1.0, 0.0};
  SearchOptions options{.coverage_penalty_beta = 0.4};
  EXPECT_EQ(coverage_score(looked, options), 0);
  options.coverage_penalty = CoveragePenalty::wu;
  EXPECT_NEAR(coverage_score(looked, options), 0.4 * (std::log(0.5) + std::log(1e-10)), 1e-12);
  options.coverage_penalty = CoveragePenalty::summary;
  EXPECT_NEAR(coverage_score(looked, options), -0.4 * 0.5, 1e-12);
}

// 4 4 is more probable than 5 4, but attends to the first source token twice.
TEST(SearchTable, CoveragePenaltyPrefersWordsThatWereNotLookedAt) {
  TableScorer scorer(
      vocabulary,
      [](int64_t, const Words& prefix) -> std::map<int64_t, double> {
        if (prefix.size() == 2) return {{Vocabulary::end, 0.0}};
        if (prefix.size() == 1) return {{Vocabulary::end, -9.0}, {4, -1.0}};
        return {{4, -0.5}, {5, -0.7}};
      },
      // A hypothesis that begins with 5 attends to another token in its second step.
      [](const Words& prefix) { return static_cast<int64_t>(prefix.size() == 1 && prefix[0] == 5); });
  SearchOptions options{.beam_size = 2, .length_penalty = LengthPenalty::none};
  EXPECT_EQ(search(scorer, source_batch({{4, 5}}), options).front().front().tokens, (Words{4, 4}));
  for (const bool stepwise : {false, true}) {
    options.coverage_penalty = CoveragePenalty::summary;
    options.coverage_penalty_beta = 0.5;
    options.stepwise_penalty = stepwise;
    const auto best = search(scorer, source_batch({{4, 5}}), options).front().front();
    EXPECT_EQ(best.tokens, (Words{5, 4}));
    EXPECT_NEAR(best.log_probability, -1.7, tolerance);
  }
}

// Two complete hypotheses end the search of a beam of two, although longer ones would have better scores;
// with more patience search finds them.
TEST(SearchTable, PatienceWaitsForMoreHypotheses) {
  TableScorer scorer(vocabulary, [](int64_t, const Words& prefix) -> std::map<int64_t, double> {
    if (prefix.size() == 6) return {{Vocabulary::end, 0.0}};
    return {{Vocabulary::end, -1.0}, {4, -1.05}};
  });
  SearchOptions options{.beam_size = 2, .length_penalty = LengthPenalty::average};
  EXPECT_EQ(search(scorer, source_batch({{4}}), options).front().front().tokens.size(), 0U);
  options.patience = 4;
  EXPECT_EQ(search(scorer, source_batch({{4}}), options).front().front().tokens.size(), 6U);
}

TEST(SearchTable, SourcePositionIsTheMostAttendedWord) {
  TableScorer scorer(
      vocabulary,
      [](int64_t, const Words& prefix) -> std::map<int64_t, double> {
        if (prefix.size() == 3) return {{Vocabulary::end, 0.0}};
        return {{4, -0.1}, {5, -2.0}};
      },
      [](const Words& prefix) { return static_cast<int64_t>(2 - prefix.size() % 3); });
  const auto output = search(scorer, source_batch({{4, 5, 6}}), {.beam_size = 2}).front().front();
  EXPECT_EQ(output.source_positions, (std::vector<int64_t>{2, 1, 0}));
}

TEST(LengthPenaltyScore, EqualsTheFormula) {
  SearchOptions options{.length_penalty = LengthPenalty::average, .length_penalty_alpha = 1};
  EXPECT_DOUBLE_EQ(hypothesis_score(-6.0, 4, options), -1.5);
  options.length_penalty_alpha = 0.5;
  EXPECT_DOUBLE_EQ(hypothesis_score(-6.0, 4, options), -3.0);
  options.length_penalty = LengthPenalty::wu;
  options.length_penalty_alpha = 1;
  EXPECT_DOUBLE_EQ(hypothesis_score(-6.0, 7, options), -3.0);
  options.length_penalty_alpha = 2;
  EXPECT_DOUBLE_EQ(hypothesis_score(-6.0, 7, options), -1.5);
  EXPECT_DOUBLE_EQ(hypothesis_score(-6.0, 7, SearchOptions{.length_penalty = LengthPenalty::none}), -6.0);
}

TEST(SearchOptionsCheck, RefusesWhatDoesNotFit) {
  EXPECT_THROW(check(SearchOptions{.beam_size = 2, .n_best = 3}), UsageError);
  EXPECT_THROW(check(SearchOptions{.min_length = 9, .max_length = 8}), UsageError);
  EXPECT_THROW(check(SearchOptions{.length_penalty = LengthPenalty::none, .length_penalty_alpha = 0.6}),
               UsageError);
  EXPECT_NO_THROW(check(SearchOptions{.beam_size = 3, .n_best = 3, .min_length = 8}));
}

}  // namespace
}  // namespace seq2seq
