// The promise of --batch-invariant: outputs and scores of a sentence are the same to the last bit, whatever is decoded beside
// it, in which order and by how many threads.
#include <ATen/Parallel.h>
#include <gmock/gmock.h>

#include <functional>
#include <numeric>
#include <string>
#include <utility>

#include "../support/tiny_model.h"
#include "decode_support.h"
#include "seq2seq/core/random.h"
#include "seq2seq/decode/ensemble.h"
#include "seq2seq/decode/pool.h"
#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/ops/kernel_sets.h"

namespace seq2seq {
namespace {

using test::Architecture;

constexpr int64_t model_words = 150;  // no multiple of what kernels compute at a time

struct InvarianceCase {
  std::string name;
  std::vector<Architecture> members;  ///< several: an ensemble
  std::function<void(SearchRequest&)> ask = [](SearchRequest&) {};
  bool shortlisted = false;
  EnsembleMean mean = EnsembleMean::linear;
  WeightFormat weights = WeightFormat::float32;
};

/// One way to decode the same sentences.
struct Setting {
  int64_t batch_size = 1;
  size_t workers = 1;
  int threads = 1;
  bool shuffled = false;
};

/// What differs in the first sentence that is not found alike; empty if all are.
std::string first_difference(const std::vector<SentenceOutputs>& actual,
                             const std::vector<SentenceOutputs>& expected) {
  if (actual.size() != expected.size()) return "the number of sentences";
  for (size_t i = 0; i < expected.size(); ++i) {
    if (actual[i].why != expected[i].why || actual[i].size() != expected[i].size())
      return "sentence " + std::to_string(i) + ": the number of outputs";
    for (size_t rank = 0; rank < expected[i].size(); ++rank) {
      const Hypothesis &a = actual[i][rank], &b = expected[i][rank];
      const auto differ = [&](const std::string& what) {
        return "sentence " + std::to_string(i) + ", output " + std::to_string(rank) + ": " + what;
      };
      if (a.tokens != b.tokens) return differ("tokens");
      if (a.token_log_probabilities != b.token_log_probabilities || a.log_probability != b.log_probability)
        return differ("log-probabilities");
      if (a.score != b.score) return differ("score");
      if (a.source_positions != b.source_positions || a.missing != b.missing) return differ("the rest");
    }
  }
  return "";
}

using MakeScorer = std::function<std::unique_ptr<Scorer>()>;

/// Decodes the sentences of `request` with `make`'s scorers, and puts what is found into their order.
std::vector<SentenceOutputs> found_in(const Setting& setting, const MakeScorer& make, SearchRequest request) {
  std::vector<size_t> order(request.sources.size());
  std::iota(order.begin(), order.end(), size_t{0});
  if (setting.shuffled) {
    Random random(static_cast<uint64_t>(setting.batch_size));
    for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  }
  const SearchRequest plain = request;
  for (size_t i = 0; i < order.size(); ++i) {
    request.sources[i] = plain.sources[order[i]];
    if (!plain.sentence_rules.empty()) request.sentence_rules[i] = plain.sentence_rules[order[i]];
  }
  request.batch_size = setting.batch_size;
  request.batch_invariant = true;
  std::vector<std::unique_ptr<Scorer>> scorers;
  for (size_t i = 0; i < setting.workers; ++i) scorers.push_back(make());
  at::set_num_threads(setting.threads);
  DecodingPool pool(std::move(scorers));
  const auto shuffled = pool.search(std::move(request)).get();
  std::vector<SentenceOutputs> found(shuffled.size());
  for (size_t i = 0; i < order.size(); ++i) found[order[i]] = shuffled[i];
  return found;
}

/// 40 sentences of 1 to 30 tokens, some of them unknown, with which a model that copies does most.
std::vector<Words> uneven_sentences(bool copying) {
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < 40; ++i) lengths.push_back(1 + i * 17 % 30);
  std::vector<Words> sentences;
  for (const Example& example :
       test::random_examples(lengths, std::vector<int64_t>(lengths.size(), 0), model_words))
    sentences.push_back(example.source);
  for (Words& sentence : sentences)
    for (size_t s = 0; s < sentence.size(); ++s)
      if (copying && s % 3 == 1) sentence[s] = model_words + static_cast<int64_t>(s / 2);
  return sentences;
}

/// Candidates of which there are many more for a long sentence than for a short one.
std::shared_ptr<const Shortlist> uneven_shortlist() {
  Shortlist result;
  result.frequent = {4, 5, 77};
  result.candidates.resize(model_words);
  for (int64_t id = Vocabulary::special_count; id < model_words; ++id)
    for (int64_t i = 0; i <= id % 5; ++i)
      result.candidates[static_cast<size_t>(id)].push_back(Vocabulary::special_count +
                                                           (id * (7 + 4 * i)) % 146);
  return std::make_shared<const Shortlist>(result);
}

class BatchInvariance : public testing::TestWithParam<InvarianceCase> {
 protected:
  BatchInvariance() {
    for (const Architecture& architecture : GetParam().members) {
      Seq2Seq model = test::tiny_model(test::wide_options(architecture), model_words, 0.3);
      model->to(at::kFloat);
      weights.push_back(std::make_shared<WeightStore>(model->parameters(), GetParam().weights));
      models.push_back(std::move(model));
      copying = copying || architecture.copying;
    }
    request.sources = uneven_sentences(copying);
    request.search = {.beam_size = 3, .n_best = 2, .max_length = 8};
    GetParam().ask(request);
  }
  ~BatchInvariance() override { at::set_num_threads(threads); }

  std::unique_ptr<Scorer> scorer() const {
    std::vector<std::unique_ptr<Scorer>> members;
    for (size_t i = 0; i < models.size(); ++i)
      members.push_back(std::make_unique<ModelScorer>(models[i], weights[i], shortlist));
    if (members.size() == 1) return std::move(members.front());
    return std::make_unique<EnsembleScorer>(std::move(members), GetParam().mean);
  }

  const int threads = at::get_num_threads();
  std::vector<Seq2Seq> models;
  std::vector<std::shared_ptr<WeightStore>> weights;
  std::shared_ptr<const Shortlist> shortlist = GetParam().shortlisted ? uneven_shortlist() : nullptr;
  bool copying = false;
  SearchRequest request;
};

TEST_P(BatchInvariance, OutputsAreTheSameToTheLastBit) {
  if (!test::test_device().is_cpu()) GTEST_SKIP() << "steps are the CPU's";
  bool best = true;  // of this machine's sets, with which all settings are tried
  for (const KernelSet* set : kernel_sets()) {
    if (set->steps == nullptr || !set->serves(at::empty({1}))) continue;
    SCOPED_TRACE(set->name);
    const ComputeScope scope(&Compute::set, set);
    EXPECT_TRUE(scorer()->batch_invariant());
    const auto make = [&] { return scorer(); };
    const auto expected = found_in({}, make, request);
    for (const int64_t batch_size : {1, 7, 32, 64})
      for (const size_t workers : {1, 2})
        for (const int each : {1, 2}) {  // threads of a worker
          if (!best && (batch_size == 1 || batch_size == 64 || workers != static_cast<size_t>(each)))
            continue;
          const Setting setting{batch_size, workers, each * static_cast<int>(workers), true};
          EXPECT_EQ(first_difference(found_in(setting, make, request), expected), "")
              << batch_size << " sentences, " << workers << " workers, " << each << " threads each";
        }
    best = false;
  }
}

Architecture of_lstm() {
  return {};
}
Architecture of_gru() {
  return {.cell = Cell::gru, .attention = DotAttention{}, .input_feeding = false, .layers = 2};
}
Architecture of_transformer() {
  Architecture a{.layers = 2};
  a.transformer_encoder = a.transformer_decoder = true;
  return a;
}
Architecture of_copying(Architecture a) {
  a.copying = true;
  if (!a.transformer_decoder) a.coverage = LinearCoverage{};
  return a;
}

void sampled(SearchRequest& request) {
  request.search.sample = true;
  for (size_t i = 0; i < request.sources.size(); ++i) request.sentence_rules.push_back({.seed = i});
}

/// Bans and biases of phrases, prefixes and required phrases of some sentences, n-grams that may not repeat.
void ruled(SearchRequest& request) {
  request.search.no_repeat_ngram = 2;
  request.search.repetition_penalty = 1.2;
  request.rules.banned = {{9}, {20, 21}};
  request.rules.biased = {{{30}, 1.0}, {{31, 32}, -0.5}};
  for (int64_t i = 0; i < std::ssize(request.sources); ++i) {
    SentenceRules rules;
    if (i % 3 == 0) rules.prefix = {40 + i, 41};
    if (i % 3 == 1) rules.required = {{90 + i}, {50, 51}};
    request.sentence_rules.push_back(rules);
  }
}

/// Sentences without any rule, which alone are searched another way, beside some with a prefix.
void partly_ruled(SearchRequest& request) {
  request.search.ban_unknown = true;
  request.search.min_length = 3;
  request.sentence_rules.resize(request.sources.size());
  for (size_t i = 0; i < request.sources.size(); i += 5) request.sentence_rules[i].prefix = {60, 61};
}

void penalized(SearchRequest& request) {
  request.search.beam_size = 4;
  request.search.beam_groups = 2;
  request.search.coverage_penalty = CoveragePenalty::wu;
  request.search.stepwise_penalty = true;
}

std::vector<InvarianceCase> invariance_cases() {
  return {
      {"Lstm", {of_lstm()}},
      {"Gru", {of_gru()}},
      {"Transformer", {of_transformer()}},
      {"Copying", {of_copying(of_lstm())}},
      {"CopyingTransformer", {of_copying(of_transformer())}},
      {"Ensemble", {of_lstm(), of_transformer()}},
      {.name = "GeometricEnsemble",
       .members = {of_gru(), of_copying(of_lstm()), of_transformer()},
       .mean = EnsembleMean::log},
      {"EnsembleWithCopying", {of_transformer(), of_copying(of_lstm())}, ruled},
      {.name = "Shortlist", .members = {of_lstm()}, .shortlisted = true},
      {.name = "ShortlistAndRules", .members = {of_transformer()}, .ask = ruled, .shortlisted = true},
      {.name = "ShortlistAndCopying", .members = {of_copying(of_lstm())}, .ask = ruled, .shortlisted = true},
      {"Sampling", {of_transformer()}, sampled},
      {"SamplingWithCopying", {of_copying(of_lstm())}, sampled},
      {"Rules", {of_lstm()}, ruled},
      {"RulesOfSome", {of_copying(of_transformer())}, partly_ruled},
      {.name = "ShortlistAndRulesOfSome", .members = {of_gru()}, .ask = partly_ruled, .shortlisted = true},
      {"Penalties", {of_lstm()}, penalized},
      {.name = "Int8", .members = {of_lstm()}, .weights = WeightFormat::int8},
      {.name = "Int8Ensemble", .members = {of_gru(), of_transformer()}, .weights = WeightFormat::int8},
      {.name = "Int8ShortlistAndCopying",
       .members = {of_copying(of_lstm())},
       .ask = ruled,
       .shortlisted = true,
       .weights = WeightFormat::int8},
      {.name = "Bfloat16", .members = {of_copying(of_transformer())}, .weights = WeightFormat::bfloat16},
  };
}

INSTANTIATE_TEST_SUITE_P(Models, BatchInvariance, testing::ValuesIn(invariance_cases()),
                         [](const auto& tested) { return tested.param.name; });

/// Claims what it does not keep: its log-probabilities depend on the number of sentences by the last bits.
class NeighbourlyScorer : public ModelScorer {
 public:
  using ModelScorer::ModelScorer;
  Expansion expand(const Tensor& tokens, State& state, int64_t k, const std::vector<int64_t>& banned,
                   const Adjustments& adjustments) override {
    Expansion found = ModelScorer::expand(tokens, state, k, banned, adjustments);
    found.best.log_probabilities =
        found.best.log_probabilities * (1 + 1e-6 * static_cast<double>(tokens.size(0)));
    return found;
  }
  bool batch_invariant() override { return true; }
};

TEST(BatchInvarianceTest, NoticesTheSmallestDependence) {
  if (!test::test_device().is_cpu()) GTEST_SKIP() << "steps are the CPU's";
  const int threads = at::get_num_threads();
  Seq2Seq model = test::tiny_model(test::wide_options(of_lstm()), model_words, 0.3);
  model->to(at::kFloat);
  const auto weights = std::make_shared<WeightStore>(model->parameters());
  const auto make = [&] { return std::make_unique<NeighbourlyScorer>(model, weights); };
  SearchRequest request{.sources = uneven_sentences(false)};
  request.search = {.beam_size = 1, .max_length = 8};
  EXPECT_EQ(first_difference(found_in({}, make, request), found_in({}, make, request)), "");
  EXPECT_THAT(first_difference(found_in({.batch_size = 7}, make, request), found_in({}, make, request)),
              testing::HasSubstr("log-probabilities"));
  at::set_num_threads(threads);
}

}  // namespace
}  // namespace seq2seq
