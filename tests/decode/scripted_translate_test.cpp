// `translate` of the archive compared with the translator, on text with unknown words, spaces and characters
// of one to four bytes.
#include "seq2seq/model/archive/scripted_translate.h"

#include <gtest/gtest.h>

#include "../data/temporary_folder.h"
#include "../support/tiny_model.h"
#include "seq2seq/core/random.h"
#include "seq2seq/decode/models.h"
#include "seq2seq/decode/translator.h"

namespace seq2seq {
namespace {

struct Case {
  test::Architecture architecture;
  bool characters;
};

class ScriptedTranslateTest : public testing::TestWithParam<Case> {};

TEST_P(ScriptedTranslateTest, GivesWhatTheTranslatorGives) {
  TranslationModel model;
  model.model_options = test::tiny_options(GetParam().architecture);
  model.maximum_length = 12;
  const std::vector<std::string> source{"a", "b", "▁", "ä", "％FF05", "x", "￭", "<unk>"},
      target{"b", "▁", "ä", "％000A", "c", "日", "a"};
  const auto codec = [&](std::vector<std::string> tokens) {
    std::erase(tokens, "<unk>");
    if (GetParam().characters)
      return std::make_shared<const TextCodec>(CharTokenizerOptions{}, NormalizationOptions{}, "",
                                               Vocabulary(tokens));
    return std::make_shared<const TextCodec>(WhitespaceTokenizerOptions{}, NormalizationOptions{}, "",
                                             Vocabulary(tokens));
  };
  if (GetParam().characters)
    model.text_options.tokenizer = CharTokenizerOptions{};
  else
    model.text_options.tokenizer = WhitespaceTokenizerOptions{};
  model.text_options.shared_vocabulary = false;
  model.text = {codec(source), codec(target), {}};
  model.model = Seq2Seq(model.model_options, model.text.source->vocabulary().size(),
                        model.text.target->vocabulary().size());
  model.model_options.initial_range = 1.5;
  model.model->initialize(3);
  model.model->to(at::kDouble);  // so that rounding does not change outputs
  for (Tensor& parameter : model.model->parameters()) parameter.set_data(parameter * 2.5);
  connect_vocabularies(model);
  ASSERT_EQ(why_no_translate(model.model_options, model.text_options), "");

  const TemporaryFolder folder;
  save_model(model, folder.path("model.pt"));
  torch::jit::Module archive = torch::jit::load(folder.path("model.pt"));

  const std::string pieces[] = {"a",        "b",      " ",      "ä",      "％",    "x",    "▁",
                                "￭",        "日本",   "\t",     "<unk>",  "😀",     "</s>", "  ",
                                "\xC2\x85", "\u00A0", "\u3000", "\u200B", "\uFEFF"};
  Random random(5);
  std::vector<SourceLine> lines(40);
  c10::List<std::string> texts;
  for (SourceLine& line : lines) {
    for (uint64_t i = random.below(16); i > 0; --i) line.text += pieces[random.below(std::size(pieces))];
    texts.push_back(line.text);
  }
  TranslatorOptions options;
  options.search.beam_size = 1;
  const DecodingModels models(model);
  DecodingPool pool(models.scorers(1));
  const auto expected = Translator(models, pool, options).translate(lines);
  const at::IValue result = archive.get_method("translate")({texts});
  const auto actual = result.toListRef();
  std::set<std::string> different;
  for (size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(actual[i].toStringRef(), expected[i].outputs.front().text) << "of '" << lines[i].text << "'";
    different.insert(expected[i].outputs.front().text);
  }
  EXPECT_GT(different.size(), 8U);
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const bool characters : {false, true}) {
    all.push_back({{}, characters});
    all.push_back({{.attention = NoAttention{}}, characters});
    test::Architecture copying;
    copying.copying = true;
    all.push_back({copying, characters});
    copying.transformer_encoder = copying.transformer_decoder = true;
    all.push_back({copying, characters});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Models, ScriptedTranslateTest, testing::ValuesIn(cases()), [](const auto& test) {
  return std::string(test.param.characters ? "char_" : "whitespace_") +
         test::name_of(test.param.architecture);
});

TEST(ScriptedTranslate, IsAbsentWithAReason) {
  ModelOptions model;
  TextOptions text;
  EXPECT_EQ(why_no_translate(model, text), "the tokenizer is neither char nor whitespace");
  text.tokenizer = CharTokenizerOptions{};
  EXPECT_EQ(why_no_translate(model, text), "");
  text.normalization.lowercase = true;
  EXPECT_EQ(why_no_translate(model, text), "the text is normalized");
  text.normalization.lowercase = false;
  model.encoder = HierarchicalEncoderOptions{};
  EXPECT_EQ(why_no_translate(model, text), "the encoder needs sentences");
}

}  // namespace
}  // namespace seq2seq
