#include "seq2seq/decode/pool.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <mutex>
#include <numeric>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>

#include "../data/temporary_folder.h"
#include "decode_support.h"
#include "seq2seq/core/clock.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/random.h"
#include "seq2seq/decode/target_scores.h"
#include "seq2seq/nn/cpu/parallel.h"
#include "seq2seq/nn/engine/compute.h"

namespace seq2seq {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

using Answers = std::vector<SentenceOutputs>;

/// Sleeps for a random time before each batch.
class SlowScorer : public TableScorer {
 public:
  using TableScorer::TableScorer;
  void begin(const SourceBatch& source) override {
    std::this_thread::sleep_for(std::chrono::microseconds(random_.below(3000)));
    TableScorer::begin(source);
  }

 private:
  static inline uint64_t made = 0;
  Random random_{++made};
};

/// Throws for sentences that begin with 7 or 6.
class FaultyScorer : public SlowScorer {
 public:
  using SlowScorer::SlowScorer;
  void begin(const SourceBatch& source) override {
    SlowScorer::begin(source);
    const Tensor first = source.ids.select(1, 0);
    if (first.eq(7).any().item<bool>()) throw Error("the word d", "is not for this model", "leave it out");
    if (first.eq(6).any().item<bool>()) throw std::runtime_error("c");
  }
};

template <class One>
std::vector<std::unique_ptr<Scorer>> scorers_of(int count) {
  std::vector<std::unique_ptr<Scorer>> list;
  for (int i = 0; i < count; ++i) list.push_back(echo_scorer<One>());
  return list;
}

/// `count` random sentences of one to nine tokens.
std::vector<Words> drawn_sentences(Random& random, uint64_t count) {
  std::vector<Words> sentences(count);
  for (Words& sentence : sentences)
    for (uint64_t length = 1 + random.below(9); length > 0; --length)
      sentence.push_back(static_cast<int64_t>(4 + random.below(4)));
  return sentences;
}

/// A request with random sentences, options and rules.
SearchRequest drawn_request(Random& random) {
  SearchRequest request;
  request.sources = drawn_sentences(random, random.below(8));
  request.batch_size = static_cast<int64_t>(1 + random.below(4));
  if (random.below(2) == 0) request.max_batch_tokens = static_cast<int64_t>(1 + random.below(30));
  request.batch_invariant = random.below(4) == 0;
  request.search.beam_size = static_cast<int64_t>(1 + random.below(4));
  request.search.n_best =
      static_cast<int64_t>(1 + random.below(static_cast<uint64_t>(request.search.beam_size)));
  if (random.below(3) == 0) request.search.max_length = 3;
  if (random.below(3) == 0) request.rules.banned = {{5}};
  request.search.sample = random.below(3) == 0;
  if (random.below(2) == 0 || request.search.sample)
    for (size_t i = 0; i < request.sources.size(); ++i) {
      request.sentence_rules.push_back({.seed = i});
      if (random.below(2) == 0) request.sentence_rules.back().prefix = {7, 4};
    }
  return request;
}

/// The expected result: one sentence at a time, without a pool.
Answers answers_of(const SearchRequest& request) {
  const auto scorer = echo_scorer();
  Answers answers;
  for (size_t i = 0; i < request.sources.size(); ++i) {
    std::vector<SentenceRules> rules;
    if (!request.sentence_rules.empty()) rules.push_back(request.sentence_rules[i]);
    answers.push_back(
        search(*scorer, source_batch({request.sources[i]}), request.search, request.rules, rules).front());
  }
  return answers;
}

template <class Outputs>
void expect_equal(const std::vector<Outputs>& actual, const std::vector<Outputs>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    ASSERT_EQ(actual[i].size(), expected[i].size());
    for (size_t rank = 0; rank < actual[i].size(); ++rank) {
      EXPECT_EQ(actual[i][rank].tokens, expected[i][rank].tokens);
      EXPECT_EQ(actual[i][rank].score, expected[i][rank].score);
      EXPECT_EQ(actual[i][rank].token_log_probabilities, expected[i][rank].token_log_probabilities);
      EXPECT_EQ(actual[i][rank].source_positions, expected[i][rank].source_positions);
    }
  }
}

std::string text_of_failure(auto future) {
  return error_of([&] { future.get(); });
}

// Requests with different options, in one pool that is reused.
TEST(DecodingPool, AnswersDependOnTheRequestAlone) {
  for (const int workers : {1, 2, 3}) {
    DecodingPool pool(scorers_of<SlowScorer>(workers));
    EXPECT_EQ(pool.workers(), static_cast<size_t>(workers));
    Random random(5);
    for (int round = 0; round < 3; ++round) {
      std::vector<SearchRequest> requests;
      std::vector<std::future<Answers>> answers;
      for (int i = 0; i < 12; ++i) {
        requests.push_back(drawn_request(random));
        answers.push_back(pool.search(requests.back()));
      }
      for (size_t i = 0; i < requests.size(); ++i) expect_equal(answers[i].get(), answers_of(requests[i]));
    }
  }
}

TEST(DecodingPool, ScoresTargets) {
  DecodingPool pool(scorers_of<SlowScorer>(2));
  const ScoringRequest request{{{4, 5}, {6}, {5}}, {{4, 4}, {}, {5, 7}}};
  std::vector<std::future<std::vector<Hypothesis>>> answers;
  for (int i = 0; i < 9; ++i) answers.push_back(pool.score(request));
  using Scores = std::vector<std::vector<Hypothesis>>;
  const auto expected = score_targets(*echo_scorer(), source_batch(request.sources), request.targets);
  for (auto& answer : answers) expect_equal(Scores{answer.get()}, Scores{expected});
  EXPECT_TRUE(pool.score({}).get().empty());
  EXPECT_TRUE(pool.search({}).get().empty());
}

TEST(DecodingPool, AFailureIsThatOfItsRequestAlone) {
  for (const int workers : {1, 3}) {
    DecodingPool pool(scorers_of<FaultyScorer>(workers));
    SearchRequest good{.sources = {{4}, {5, 4}, {5}}, .batch_size = 1}, bad = good, unforeseen = good;
    bad.sources.insert(bad.sources.end(), {{5}, {7}, {4}, {5}, {7}, {4}, {4}});
    unforeseen.sources.push_back({6, 6, 6});
    for (int round = 0; round < 3; ++round) {
      auto first = pool.search(good), second = pool.search(bad), third = pool.search(unforeseen),
           fourth = pool.search(good);
      auto fifth = pool.score({{{7}}, {{4}}});
      expect_equal(first.get(), answers_of(good));
      EXPECT_THAT(text_of_failure(std::move(second)), HasSubstr("the word d: is not for this model"));
      EXPECT_THROW(third.get(), std::runtime_error);
      expect_equal(fourth.get(), answers_of(good));
      EXPECT_THAT(text_of_failure(std::move(fifth)), HasSubstr("the word d"));
    }
  }
}

/// Has memory for two sentences of three tokens with </s>, or for fewer that are longer.
class ShortOfMemoryScorer : public TableScorer {
 public:
  using TableScorer::TableScorer;
  void begin(const SourceBatch& source) override {
    TORCH_CHECK_WITH(OutOfMemoryError, source.ids.numel() <= 6, "CUDA out of memory");
    TableScorer::begin(source);
  }
};

TEST(DecodingPool, ABatchThatDoesNotFitIntoMemoryIsDecodedInParts) {
  DecodingPool pool(scorers_of<ShortOfMemoryScorer>(2));
  const SearchRequest request{.sources = {{4}, {5, 4}, {6}, {7, 7, 7}, {5}}, .batch_size = 4};
  expect_equal(pool.search(request).get(), answers_of(request));
  const ScoringRequest outputs{request.sources, {{4, 4}, {}, {5, 7}, {4}, {6}}};
  using Scores = std::vector<std::vector<Hypothesis>>;
  expect_equal(Scores{pool.score(outputs).get()},
               Scores{score_targets(*echo_scorer(), source_batch(outputs.sources), outputs.targets)});
  const std::string message =
      "decoding: not enough memory for one sentence of 6 tokens; lower --beam-size, shorten the sentence, or "
      "give --device cpu";
  EXPECT_EQ(text_of_failure(pool.search({.sources = {{4}, {4, 4, 4, 4, 4, 4}}})), message);
  EXPECT_EQ(text_of_failure(pool.score({{{4, 4, 4, 4, 4, 4}}, {{4}}})), message);
}

/// Notes the sizes [sentences, tokens] of its batches.
class MeasuringScorer : public TableScorer {
 public:
  using TableScorer::TableScorer;
  void begin(const SourceBatch& source) override {
    sizes.emplace_back(source.ids.size(0), source.ids.size(1));
    TableScorer::begin(source);
  }
  std::vector<std::pair<int64_t, int64_t>> sizes;
};

TEST(DecodingPool, BatchesAreBoundedBySentencesAndBySourceTokens) {
  auto scorer = echo_scorer<MeasuringScorer>();
  auto& sizes = scorer->sizes;
  DecodingPool pool(list_of(std::move(scorer)));
  SearchRequest request{.sources = {{4}, {5, 4, 4, 4, 4}, {6}, {7, 7, 7}, {5}, {4, 5, 6}}, .batch_size = 3};
  const auto sizes_of = [&](const SearchRequest& asked) {
    expect_equal(pool.search(asked).get(), answers_of(asked));
    return std::exchange(sizes, {});
  };
  using Sizes = std::vector<std::pair<int64_t, int64_t>>;
  EXPECT_EQ(sizes_of(request), (Sizes{{3, 6}, {3, 2}}));
  request.max_batch_tokens = 8;
  EXPECT_EQ(sizes_of(request), (Sizes{{1, 6}, {2, 4}, {3, 2}}));
  request.batch_size = 2;
  EXPECT_EQ(sizes_of(request), (Sizes{{1, 6}, {2, 4}, {2, 2}, {1, 2}}));
  request.max_batch_tokens = 1;
  EXPECT_EQ(sizes_of(request), (Sizes{{1, 6}, {1, 4}, {1, 4}, {1, 2}, {1, 2}, {1, 2}}));
}

TEST(DecodingPool, OptionsThatContradictEachOtherAreRefusedAtOnce) {
  DecodingPool pool(echo_scorers(1));
  EXPECT_ANY_THROW(pool.search({.sources = {{4}}, .max_batch_tokens = 0}));
  EXPECT_THROW(pool.search({.sources = {{4}}, .search = {.beam_size = 1, .n_best = 2}}), UsageError);
  EXPECT_ANY_THROW(pool.search({.sources = {{4}, {5}}, .sentence_rules = {{}}}));
  EXPECT_ANY_THROW(pool.score({{{4}}, {}}));
}

/// Waits at each batch until the gate is open.
class GatedScorer : public TableScorer {
 public:
  using TableScorer::TableScorer;
  void begin(const SourceBatch& source) override {
    ++arrived;
    gate.wait();
    TableScorer::begin(source);
  }
  static inline std::atomic<int> arrived = 0;
  static inline std::shared_future<void> gate;
};

void wait_until(const std::function<bool()>& holds) {
  for (int i = 0; i < 20000 && !holds(); ++i) std::this_thread::sleep_for(1ms);
  ASSERT_TRUE(holds());
}

TEST(DecodingPool, TheQueueIsBounded) {
  std::promise<void> open;
  GatedScorer::arrived = 0;
  GatedScorer::gate = open.get_future().share();
  constexpr int workers = 2, waiting = 3, all = 12;
  DecodingPool pool(scorers_of<GatedScorer>(workers), waiting);
  std::atomic<int> submitted = 0;
  std::vector<std::future<Answers>> answers;
  std::jthread client([&] {
    for (int i = 0; i < all; ++i) {
      answers.push_back(pool.search({.sources = {{4 + i % 4}}}));
      ++submitted;
    }
  });
  wait_until([&] { return submitted == workers + waiting && GatedScorer::arrived == workers; });
  std::this_thread::sleep_for(20ms);
  EXPECT_EQ(submitted, workers + waiting);
  open.set_value();
  client.join();
  for (int i = 0; i < all; ++i)
    EXPECT_EQ(answers[static_cast<size_t>(i)].get().at(0).at(0).tokens, (Words{4 + i % 4, 4 + i % 4}));
}

/// Sleeps for five milliseconds before each batch.
class SteadyScorer : public TableScorer {
 public:
  using TableScorer::TableScorer;
  void begin(const SourceBatch& source) override {
    std::this_thread::sleep_for(5ms);
    TableScorer::begin(source);
  }
};

TEST(DecodingPool, EndsWithRequestsWaiting) {
  for (const int workers : {1, 3}) {
    std::vector<std::future<Answers>> answers;
    {
      DecodingPool pool(scorers_of<SteadyScorer>(workers), 1000);
      for (int i = 0; i < 100; ++i)
        answers.push_back(pool.search({.sources = std::vector<Words>(4, Words{5}), .batch_size = 1}));
    }
    for (auto& answer : answers) ASSERT_EQ(answer.wait_for(0s), std::future_status::ready);
    EXPECT_THAT(text_of_failure(std::move(answers.back())), HasSubstr("decoding: was ended"));
  }
  const DecodingPool idle(echo_scorers(3));
}

/// Records the number of threads and the kernels of each batch.
class ObservingScorer : public TableScorer {
 public:
  using TableScorer::TableScorer;
  void begin(const SourceBatch& source) override {
    TableScorer::begin(source);
    note(threads, at::get_num_threads());
    note(teams, threads_of_a_loop());
    kernels = Compute::now().kernels;
  }
  /// The number of threads that `parallel_for` uses.
  static int threads_of_a_loop() {
    std::mutex mutex;
    std::set<std::thread::id> all;
    parallel_for(1000, 1, [&](int64_t, int64_t) {
      const std::lock_guard lock(mutex);
      all.insert(std::this_thread::get_id());
    });
    return static_cast<int>(all.size());
  }
  static inline std::set<int> threads, teams;
  static inline std::atomic<Kernels> kernels;

 private:
  static void note(std::set<int>& all, int value) {
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    all.insert(value);
  }
};

class DecodingPoolThreads : public testing::Test {
 protected:
  ~DecodingPoolThreads() override { at::set_num_threads(before_); }

  /// The different numbers of threads of the batches.
  std::set<int> seen(auto future) {
    future.get();
    EXPECT_EQ(ObservingScorer::threads, ObservingScorer::teams);
    ObservingScorer::teams.clear();
    return std::exchange(ObservingScorer::threads, {});
  }
  /// On this thread and on a new one.
  static void expect_threads(int count) {
    EXPECT_EQ(at::get_num_threads(), count);
    EXPECT_EQ(ObservingScorer::threads_of_a_loop(), count);
    std::jthread([&] {
      EXPECT_EQ(at::get_num_threads(), count);
      EXPECT_EQ(ObservingScorer::threads_of_a_loop(), count);
    });
  }

 private:
  int before_ = at::get_num_threads();
};

TEST_F(DecodingPoolThreads, AreSharedOutAndGivenBack) {
  at::set_num_threads(4);
  {
    DecodingPool pool(scorers_of<ObservingScorer>(2));
    expect_threads(4);
    const std::vector<Words> sources(5, Words{4});
    EXPECT_EQ(seen(pool.search({.sources = sources, .batch_size = 1})), std::set<int>{2});
    EXPECT_EQ(seen(pool.search({.sources = sources})), std::set<int>{4});  // the other worker is idle
    EXPECT_EQ(seen(pool.search({.sources = sources, .batch_invariant = true})), std::set<int>{1});
    EXPECT_EQ(seen(pool.score({sources, sources})), std::set<int>{2});
    EXPECT_EQ(seen(pool.search({.sources = sources, .batch_size = 1})), std::set<int>{2});
    EXPECT_EQ(at::get_num_threads(), 4);
    EXPECT_EQ(ObservingScorer::threads_of_a_loop(), 4);
  }
  expect_threads(4);
  { const DecodingPool pool(echo_scorers(4)); }
  expect_threads(4);
  {
    DecodingPool pool(scorers_of<ObservingScorer>(3));
    at::set_num_threads(2);
    EXPECT_EQ(seen(pool.search({.sources = {{4}, {5}, {6}, {7}}, .batch_size = 1})), std::set<int>{1});
  }
  expect_threads(2);
}

/// Needs time to encode and to look at its vocabulary.
class TimedScorer : public TableScorer {
 public:
  static constexpr std::chrono::milliseconds encoding = 3ms, choosing = 2ms;
  using TableScorer::TableScorer;
  void begin(const SourceBatch& source) override {
    const PartScope timed(Part::encoder);
    std::this_thread::sleep_for(encoding);
    TableScorer::begin(source);
  }
  Distribution distribution(const Tensor& tokens, State& state) override {
    const PartScope timed(Part::vocabulary);
    std::this_thread::sleep_for(choosing);
    return TableScorer::distribution(tokens, state);
  }
};

TEST_F(DecodingPoolThreads, AddUpWhatTheyDo) {
  at::set_num_threads(4);
  const SearchRequest request{.sources = {{4}, {5}, {6}, {7}}, .batch_size = 1};
  DecodingPool pool(scorers_of<TimedScorer>(2));
  pool.search(request).get();
  EXPECT_EQ(pool.part_times().seconds, PartTimes{}.seconds);  // as long as nobody asks
  pool.time_parts();
  EXPECT_EQ(pool.threads(), 4);
  const auto begin = Clock::now();
  pool.search(request).get();
  const double all = 4 * seconds_since(begin);
  const PartTimes times = pool.part_times();
  const auto in = [&](Part part) { return times.seconds[static_cast<size_t>(part)]; };
  EXPECT_GE(in(Part::encoder), 4 * 2 * 0.003);  // batches, threads each
  EXPECT_GE(in(Part::vocabulary), 4 * 2 * 0.002);
  EXPECT_GT(in(Part::search), 0);
  EXPECT_EQ(in(Part::rules), 0);
  EXPECT_LE(std::accumulate(times.seconds.begin(), times.seconds.end(), 0.0), all);
}

TEST_F(DecodingPoolThreads, TakeOverWhatIsInForceWhereARequestIsMade) {
  DecodingPool pool(scorers_of<ObservingScorer>(1));
  pool.search({.sources = {{4}}}).get();
  EXPECT_EQ(ObservingScorer::kernels, Kernels::fast);
  {
    const ComputeScope plain(&Compute::kernels, Kernels::plain);
    pool.search({.sources = {{4}}}).get();
  }
  EXPECT_EQ(ObservingScorer::kernels, Kernels::plain);
  pool.search({.sources = {{4}}}).get();
  EXPECT_EQ(ObservingScorer::kernels, Kernels::fast);
}

}  // namespace
}  // namespace seq2seq
