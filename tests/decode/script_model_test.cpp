// A model called through its script methods decodes like the model itself; errors in the methods are named.
#include "seq2seq/decode/script_model.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <torch/script.h>

#include <cmath>

#include "../data/temporary_folder.h"
#include "../support/tiny_model.h"
#include "decode_support.h"
#include "seq2seq/core/error.h"
#include "seq2seq/decode/search.h"
#include "seq2seq/decode/target_scores.h"
#include "seq2seq/model/archive/torchscript.h"

namespace seq2seq {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing::ThrowsMessage;

class ScriptModelTest : public testing::TestWithParam<test::Architecture> {};

TEST_P(ScriptModelTest, SearchFindsTheSame) {
  constexpr int64_t vocabulary = 9;
  Seq2Seq model = test::tiny_model(test::tiny_options(GetParam()), vocabulary, 1.2);
  const TemporaryFolder folder;
  const std::string path = folder.path("foreign.pt");
  to_torchscript(model).save(path);
  const auto script = std::make_shared<ScriptModel>(path, vocabulary, vocabulary, at::kCPU);
  EXPECT_EQ(script->copies(), GetParam().copying);
  ModelScorer modules(model);
  ScriptScorer methods(script);
  const auto examples = test::examples_for(GetParam());
  std::vector<Words> sources;
  for (const Example& example : examples) sources.push_back(example.source);
  sources.insert(sources.end(), {sources[1], {5, 6, 7, 8, 4, 5, 6, 7, 8}, {4}});
  SearchOptions options;
  options.beam_size = options.n_best = 4;
  options.max_length = 7;
  const auto expected = search(modules, source_batch(sources), options);
  const auto actual = search(methods, source_batch(sources), options);
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(actual[i].size(), expected[i].size());
    for (size_t rank = 0; rank < expected[i].size(); ++rank) {
      EXPECT_EQ(actual[i][rank].tokens, expected[i][rank].tokens) << "sentence " << i << ", output " << rank;
      EXPECT_NEAR(actual[i][rank].score, expected[i][rank].score, 1e-6);
      if (model->has_attention()) {
        EXPECT_EQ(actual[i][rank].source_positions, expected[i][rank].source_positions);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Architectures, ScriptModelTest, testing::ValuesIn(test::all_architectures()),
                         [](const auto& test) { return test::name_of(test.param); });

// A valid archive with five target tokens, whose distribution is constant.
constexpr const char* encode = R"(
def encode(self, source_ids: Tensor, source_lengths: Tensor) -> List[Tensor]:
    return [source_ids]
)";
constexpr const char* start = R"(
def start(self, memory: List[Tensor]) -> List[Tensor]:
    return [memory[0][:, 0]]
)";
std::string step(const std::string& scores = "torch.zeros([n, 5]).log_softmax(1)",
                 const std::string& attention = "torch.zeros([n, 0])", const std::string& state = "state") {
  return "def step(self, memory: List[Tensor], tokens: Tensor, state: List[Tensor]) -> Tuple[Tensor, Tensor, "
         "List[Tensor]]:\n"
         "    n = tokens.size(0)\n"
         "    return " +
         scores + ", " + attention + ", " + state + "\n";
}

class WrongScriptTest : public testing::Test {
 protected:
  std::shared_ptr<ScriptModel> load(const std::vector<std::string>& sources) const {
    torch::jit::Module module("Foreign");
    for (const std::string& source : sources) module.define(source);
    module.save(path);
    return std::make_shared<ScriptModel>(path, 5, 5, at::kCPU);
  }
  void expect_refused(const std::vector<std::string>& sources, const std::string& problem) const {
    EXPECT_THAT([&] { load(sources); },
                ThrowsMessage<Error>(AllOf(StartsWith(path + ": "), HasSubstr(problem),
                                           HasSubstr("docs/archives.md"), Not(HasSubstr("\n")))))
        << problem;
  }
  TemporaryFolder folder;
  std::string path = folder.path("foreign.pt");
};

TEST_F(WrongScriptTest, TheGoodOneIsGood) {
  const auto model = load({encode, start, step()});
  EXPECT_FALSE(model->has_attention());
  EXPECT_FALSE(model->copies());
}

TEST_F(WrongScriptTest, WhatIsMissingIsNamed) {
  expect_refused({start, step()}, "has no method 'encode'");
  expect_refused({encode, step()}, "has no method 'start'");
  expect_refused({encode, start}, "has no method 'step'");
}

TEST_F(WrongScriptTest, WhatIsMistypedIsNamed) {
  expect_refused({"def encode(self, source_ids: Tensor) -> Tensor:\n    return source_ids\n", start, step()},
                 "its method 'encode' is (Tensor) -> Tensor, not (Tensor, Tensor) -> Tensor[]");
  expect_refused({encode, "def start(self, memory: Tensor) -> List[Tensor]:\n    return [memory]\n", step()},
                 "its method 'start' is (Tensor) -> Tensor[], not (Tensor[]) -> Tensor[]");
}

TEST_F(WrongScriptTest, WhatHasOtherShapesIsNamed) {
  expect_refused(
      {encode, start, step("torch.zeros([n, 6]).log_softmax(1)")},
      "gives log-probabilities [3, 6] Float for 3 sentences of 4 ids and a target vocabulary of 5");
  expect_refused({encode, start, step("torch.zeros([n, 5])")}, "must add up to 1");
  expect_refused({encode, start, step("torch.zeros([n, 5]).log_softmax(1)", "torch.zeros([n, 2])")},
                 "gives attention [3, 2] Float");
  expect_refused(
      {encode, start, step("torch.zeros([n, 5]).log_softmax(1)", "torch.zeros([n, 0])", "state + state")},
      "gives a state of 2 tensors, and gets one of 1");
  expect_refused(
      {encode, "def start(self, memory: List[Tensor]) -> List[Tensor]:\n    return [memory[0][0]]\n", step()},
      "its method 'start' gives a tensor [4] Long for 3 sentences");
  expect_refused({encode, start, step("torch.zeros([n, 5]).matmul(torch.zeros([2, 2]))")},
                 "its method 'step' fails: ");
}

TEST_F(WrongScriptTest, SumsNearOneAreRenormalizedWithOneWarning) {
  const SearchOptions options{.beam_size = 3, .n_best = 3, .max_length = 3};
  const std::vector<Words> sources{{4}, {4, 4}};
  ScriptScorer exact(load({encode, start, step()}));
  const auto expected = search(exact, source_batch(sources), options);
  for (const double sum : {0.96, 1.009, 1.04}) {
    const std::string scores = "torch.zeros([n, 5]).log_softmax(1) + " + std::to_string(std::log(sum));
    testing::internal::CaptureStderr();
    ScriptScorer scorer(load({encode, start, step(scores)}));
    const auto actual = search(scorer, source_batch(sources), options);
    const auto steered = search(scorer, source_batch({sources[0]}), options, {.banned = {{4, 4, 4, 4}}});
    const auto scored = score_targets(scorer, source_batch({sources[0]}), std::vector<Words>{{4}});
    const std::string messages = testing::internal::GetCapturedStderr();
    EXPECT_THAT(messages, HasSubstr("foreign.pt: the probabilities of its method 'step' add up to " +
                                    std::to_string(sum).substr(0, 4)));
    EXPECT_EQ(std::count(messages.begin(), messages.end(), '\n'), 1);
    for (size_t rank = 0; rank < 3; ++rank) {
      EXPECT_EQ(actual[1][rank].tokens, expected[1][rank].tokens);
      EXPECT_NEAR(actual[1][rank].score, expected[1][rank].score, 1e-6);
      EXPECT_NEAR(steered[0][rank].score, expected[0][rank].score, 1e-6);
    }
    EXPECT_NEAR(scored.front().log_probability, 2 * std::log(0.2), 1e-6);
  }
}

TEST_F(WrongScriptTest, OtherSumsAreRefusedAndNotNumbersToldApart) {
  const std::string even = "torch.zeros([n, 5]).log_softmax(1)";
  expect_refused({encode, start, step(even + " + 0.06")}, "add up to 1.062");
  expect_refused({encode, start, step(even + " - 0.06")}, "add up to 0.9418");
  expect_refused({encode, start, step(even + " - float('inf')")}, "add up to 0,");
  expect_refused({encode, start, step(even + " + float('nan')")}, "are not numbers (NaN)");
}

TEST_F(WrongScriptTest, ASentenceWhoseSumIsWrongIsRefusedAlone) {
  // 6 gives a sum of 1.65, 8 the square root of -1.
  ScriptScorer scorer(load({encode, start,
                            step("torch.zeros([n, 5]).log_softmax(1) + (memory[0][:, :1] == 6) * 0.5 + "
                                 "torch.sqrt(7.0 - memory[0][:, :1]) * 0.0")}));
  const SearchOptions options{.beam_size = 2, .max_length = 2};
  for (const auto& rules : {OutputRules{}, OutputRules{.banned = {{4, 4, 4, 4}}}}) {
    const auto found = search(scorer, source_batch({{4}, {6}, {8}, {4}}), options, rules);
    EXPECT_EQ(found[0].size(), 1U);
    EXPECT_EQ(found[1].why, NoOutput::not_distribution);
    EXPECT_EQ(found[2].why, NoOutput::not_numbers);
    EXPECT_EQ(found[3].size(), 1U);
  }
  const auto scored = score_targets(scorer, source_batch({{4}, {6}}), std::vector<Words>{{4}, {4}});
  EXPECT_NEAR(scored[0].log_probability, 2 * std::log(0.2), 1e-6);
  EXPECT_TRUE(std::isnan(scored[1].log_probability));
}

// Ends that have no probability are none, not outputs with the score of minus infinity.
TEST_F(WrongScriptTest, ProbabilitiesOfZeroAreNoOutputs) {
  ScriptScorer scorer(
      load({encode, start,
            step("torch.tensor([0.0, 0.0, 0.0, -float('inf'), 0.0]).log_softmax(0).repeat([n, 1])")}));
  const auto found = search(scorer, source_batch({{4}}), {.beam_size = 2, .max_length = 3});
  EXPECT_TRUE(found.front().empty());
  EXPECT_EQ(found.front().why, NoOutput::endless);
}

// As in traced code, where sizes read as numbers become constants.
TEST_F(WrongScriptTest, SizesWrittenIntoTheCodeAreFound) {
  expect_refused(
      {encode, "def start(self, memory: List[Tensor]) -> List[Tensor]:\n    return [torch.zeros([3])]\n",
       step()},
      "its method 'start' gives a tensor [3] Float for 1 sentences");
  expect_refused({encode, start, step("torch.zeros([n, 5]).log_softmax(1)", "torch.zeros([n, 4])")},
                 "gives attention [1, 4] Float for 1 sentences of 2 ids");
}

TEST_F(WrongScriptTest, WhatChangesLaterIsFoundThen) {
  const auto model = load({encode, start, step("torch.zeros([n, 5 + n // 4]).log_softmax(1)")});
  ScriptScorer scorer(model);
  EXPECT_NO_THROW(search(scorer, source_batch({{4}, {4}, {4}}), {.beam_size = 1, .max_length = 2}));
  EXPECT_THAT(
      [&] {
        search(scorer, source_batch({{4}, {4}, {4}, {4}}), {.beam_size = 1});
      },
      ThrowsMessage<Error>(HasSubstr("gives log-probabilities [4, 6] Float")));
}

TEST_F(WrongScriptTest, EachThreadHasAttributesOfItsOwn) {
  torch::jit::Module module("Foreign");
  module.register_attribute("word", c10::IntType::get(), int64_t{0});
  module.register_parameter("weight", at::ones({3}), false);
  for (const std::string& source :
       {std::string("def encode(self, source_ids: Tensor, source_lengths: Tensor) -> List[Tensor]:\n"
                    "    self.word += 1\n    return [source_ids + self.word]\n"),
        std::string(start), step()})
    module.define(source);
  module.save(path);
  const auto model = std::make_shared<ScriptModel>(path, 5, 5, at::kCPU);
  const auto other = model->for_another_thread();
  const SourceBatch source = source_batch({{4}});
  const Tensor first = model->encode(source)[0];
  model->encode(source);
  EXPECT_TRUE(other->encode(source)[0].equal(first));
}

}  // namespace
}  // namespace seq2seq
