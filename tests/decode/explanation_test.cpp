#include "seq2seq/decode/explanation.h"

#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "../support/tiny_model.h"

namespace seq2seq::test {
namespace {

constexpr int64_t vocabulary = 9;

TranslationModel model_of(const Architecture& architecture) {
  TranslationModel model;
  const auto codec = std::make_shared<const TextCodec>(WordTokenizerOptions{}, NormalizationOptions{}, "",
                                                       Vocabulary({"a", "b", "c", "d", "e"}));
  model.text = {codec, codec, {architecture.copying, architecture.hierarchical, ""}};
  model.model = tiny_model(tiny_options(architecture), vocabulary);
  return model;
}

// "a Xu b | Xu Yu d Xu", where | separates two sentences for hierarchical encoders. Xu and Yu are unknown.
NumberedSource source_of(const Architecture& architecture) {
  NumberedSource source;
  const std::vector<std::string> words{"a", "Xu", "b", "|", "Xu", "Yu", "d", "Xu"};
  for (const auto& word : words) source.tokens.push_back({word, word});
  const int64_t x = architecture.copying ? vocabulary + 1 : Vocabulary::unknown,
                y = architecture.copying ? vocabulary + 5 : Vocabulary::unknown;
  source.ids = {4, x, 5, architecture.hierarchical ? Vocabulary::begin : 6, x, y, 7, x};
  return source;
}

class ExplanationLaw : public testing::TestWithParam<Architecture> {};

// Compared with single decoding steps, every sum written out.
TEST_P(ExplanationLaw, EqualsTheStepsOfTheSearch) {
  const Architecture architecture = GetParam();
  TranslationModel model = model_of(architecture);
  const NumberedSource source = source_of(architecture);
  Translation::Output output;
  output.tokens = {4, 7, Vocabulary::unknown, 5};
  if (architecture.copying) output.tokens = {4, vocabulary + 1, 7, vocabulary + 5, 5, vocabulary + 1};
  const Explanation explanation = explain(model, source, output);

  ASSERT_EQ(explanation.source.size(), source.ids.size() + 1);
  EXPECT_EQ(explanation.source[3], architecture.hierarchical ? "<s>" : "|");
  EXPECT_EQ(explanation.source.back(), "</s>");
  ASSERT_EQ(explanation.tokens.size(), output.tokens.size() + 1);
  const Example example{0, source.ids, {}};
  const Memory memory = model.model->encode(batch_of({example}).source);
  State state = model.model->start(memory);
  int64_t word = Vocabulary::begin;
  std::vector<double> covered(explanation.source.size(), 0.0);
  double log_probability = 0;
  for (size_t t = 0; t < explanation.tokens.size(); ++t) {
    const auto& token = explanation.tokens[t];
    SCOPED_TRACE(testing::Message() << "token " << t << " " << token.text);
    const Step step = model.model->advance(memory, on_device(at::tensor(std::vector<int64_t>{word})), state);
    state = step.next;
    word = t < output.tokens.size() ? output.tokens[t] : Vocabulary::end;
    const Tensor all = model.model->output()->log_probabilities(step, memory)[0];
    log_probability = all[word].item<double>();
    EXPECT_NEAR(std::log(token.probability), log_probability, 1e-9);
    double copied = 0,
           elsewhere = 1 - step.attention.sum().item<double>();  // 0, or the remainder of local attention
    int64_t position = -1, most = -1;
    for (size_t i = 0; i < covered.size(); ++i) {
      const double attention = step.attention[0][static_cast<int64_t>(i)].item<double>();
      const auto at = static_cast<int64_t>(i);
      EXPECT_NEAR(token.attention[i], attention, 1e-12);
      EXPECT_NEAR(token.coverage[i], covered[i], 1e-12);
      covered[i] += attention;
      const bool mark = i + 1 == covered.size() || source.ids[i] == Vocabulary::begin;
      if (mark) elsewhere += attention;
      if (!mark && (most < 0 || attention > token.attention[static_cast<size_t>(most)])) most = at;
      if (mark || source.ids[i] != word) continue;
      copied += attention;
      if (position < 0 || attention > token.attention[static_cast<size_t>(position)]) position = at;
    }
    if (!architecture.copying) {
      EXPECT_EQ(token.generation, 1);
      EXPECT_FALSE(token.copied);
      EXPECT_EQ(token.source_position, most);
      continue;
    }
    const double gate = 1 / (1 + std::exp(-step.copy_gate[0][0].item<double>()));
    EXPECT_NEAR(token.generation, gate, 1e-12);
    copied *= 1 - gate;
    const double words =
        word < vocabulary
            ? model.model->output()->log_probabilities(step.features)[0][word].exp().item<double>()
            : 0;
    EXPECT_EQ(token.copied, copied > (gate + (1 - gate) * elsewhere) * words);
    EXPECT_EQ(token.source_position, token.copied ? position : most);
  }
  EXPECT_EQ(explanation.tokens[0].text, "a");
  if (architecture.copying) {
    EXPECT_EQ(explanation.tokens[1].text, "Xu");
    EXPECT_TRUE(explanation.tokens[1].copied);
    EXPECT_EQ(explanation.tokens[3].source_position, 5);
  }
}

INSTANTIATE_TEST_SUITE_P(All, ExplanationLaw, testing::ValuesIn([] {
                           std::vector<Architecture> all = all_architectures();
                           std::erase_if(all, [](const Architecture& a) {
                             return !a.transformer_decoder && is<NoAttention>(a.attention);
                           });
                           for (Architecture& a : all)  // so that copied tokens are inside the window
                             if (auto* local = std::get_if<LocalAttention>(&a.attention)) local->window = 9;
                           return all;
                         }()),
                         [](const auto& tested) { return name_of(tested.param); });

TEST(ExplanationJson, TellsEveryToken) {
  const Architecture architecture{.copying = true};
  const NumberedSource source = source_of(architecture);
  Translation::Output output;
  output.text = "a Xu";
  output.score = -0.123456;
  output.tokens = {4, vocabulary + 1};
  const std::string line = explanation_json(explain(model_of(architecture), source, output), output, 3, 1);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto json = nlohmann::json::parse(line);
  EXPECT_EQ(json.at("line"), 3);
  EXPECT_EQ(json.at("output"), 1);
  EXPECT_EQ(json.at("text"), "a Xu");
  EXPECT_EQ(json.at("score"), -0.1235);
  EXPECT_EQ(json.at("source").size(), 9U);
  ASSERT_EQ(json.at("tokens").size(), 3U);
  const auto& copied = json.at("tokens").at(1);
  EXPECT_EQ(copied.at("token"), "Xu");
  EXPECT_EQ(copied.at("copied"), true);
  EXPECT_EQ(copied.at("attention").size(), 9U);
  EXPECT_EQ(copied.at("coverage"), json.at("tokens").at(0).at("attention"));
  for (const char* key : {"source_position", "probability", "p_gen"})
    EXPECT_TRUE(copied.contains(key)) << key;
}

}  // namespace
}  // namespace seq2seq::test
