#include "seq2seq/decode/models.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>

#include <functional>

#include "../data/temporary_folder.h"
#include "../support/compare.h"
#include "../support/tiny_model.h"
#include "decode_support.h"
#include "seq2seq/core/error.h"
#include "seq2seq/decode/pool.h"
#include "seq2seq/decode/translator.h"
#include "seq2seq/nn/engine/compute.h"

namespace seq2seq {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::shared_ptr<const TextCodec> word_codec(const std::vector<std::string>& words) {
  return std::make_shared<const TextCodec>(WordTokenizerOptions{}, NormalizationOptions{}, "",
                                           Vocabulary(words));
}

/// A tiny model with these text options and codecs.
TranslationModel model_with(const TextOptions& options, std::shared_ptr<const TextCodec> source,
                            std::shared_ptr<const TextCodec> target, uint64_t seed = 1) {
  TranslationModel model;
  model.text_options = options;
  model.text = {std::move(source), std::move(target), {}};
  model.model_options = test::tiny_options({});
  model.model = Seq2Seq(model.model_options, model.text.source->vocabulary().size(),
                        model.text.target->vocabulary().size());
  model.model->initialize(seed);
  return model;
}

TextOptions words_apart() {
  TextOptions options;
  options.tokenizer = WordTokenizerOptions{};
  options.shared_vocabulary = false;
  return options;
}

/// The error of loading both as an ensemble, empty if there is none.
std::string refusal_of(const TranslationModel& first, const TranslationModel& second) {
  const TemporaryFolder folder;
  save_model(first, folder.path("first.pt"));
  save_model(second, folder.path("second.pt"));
  return error_of([&] {
    DecodingModels::load({folder.path("first.pt"), folder.path("second.pt")}, EnsembleMean::linear, at::kCPU);
  });
}

TEST(DecodingModels, AnEnsembleReadsAndWritesTheSameText) {
  const auto ab = word_codec({"a", "b"}), cd = word_codec({"c", "d"});
  const TranslationModel first = model_with(words_apart(), ab, cd);
  EXPECT_EQ(refusal_of(first, model_with(words_apart(), ab, cd, 2)), "");
  EXPECT_THAT(refusal_of(first, model_with(words_apart(), ab, ab)), HasSubstr("has other vocabularies than"));
  EXPECT_THAT(refusal_of(first, model_with(words_apart(), cd, cd)), HasSubstr("has other vocabularies than"));

  const std::function<void(TextOptions&)> changes[] = {
      [](TextOptions& o) { o.normalization.nfkc = true; },
      [](TextOptions& o) { o.normalization.lowercase = true; },
      [](TextOptions& o) { o.sentence_separator = "|"; },
      [](TextOptions& o) { o.tokenizer = WhitespaceTokenizerOptions{}; },
  };
  for (const auto& change : changes) {
    TextOptions other = words_apart();
    change(other);
    EXPECT_THAT(refusal_of(first, model_with(other, ab, cd)),
                AllOf(HasSubstr("second.pt: reads text another way than "), HasSubstr("first.pt")));
  }
  TextOptions given = words_apart();  // only how the vocabularies were built
  given.minimum_frequency = 3;
  given.vocabulary_size = 100;
  EXPECT_EQ(refusal_of(first, model_with(given, ab, cd)), "");
}

// The pieces are the same, but the SentencePiece models that split text into them are not.
TEST(DecodingModels, AnEnsembleHasTheSameSubwordModels) {
  int lines = 40;
  const auto next_line = [&](std::string& line) {
    line = lines % 3 == 0 ? "the small house" : lines % 3 == 1 ? "a tall mouse sees it" : "it is the tallest";
    return lines-- > 0;
  };
  const std::string state = train_sentencepiece(next_line, 0, {}, {}, 1);
  const auto codec = [&](const std::string& learned) {
    return std::make_shared<const TextCodec>(SentencePieceTokenizerOptions{}, NormalizationOptions{}, learned,
                                             Vocabulary(sentencepiece_tokens(learned)));
  };
  TextOptions options;
  options.shared_vocabulary = false;
  const auto one = codec(state), other = codec(state + "\xA0\x06\x01");  // an unknown protobuf field
  ASSERT_EQ(one->vocabulary(), other->vocabulary());
  const TranslationModel first = model_with(options, one, one);
  EXPECT_EQ(refusal_of(first, model_with(options, one, one)), "");
  EXPECT_THAT(refusal_of(first, model_with(options, other, one)), HasSubstr("reads text another way"));
  EXPECT_THAT(refusal_of(first, model_with(options, one, other)), HasSubstr("reads text another way"));
}

TEST(DecodingModels, HandOutAScorerForEachThreadThatDecodes) {
  const auto codec = word_codec({"a", "b"});
  const DecodingModels models(model_with(words_apart(), codec, codec));
  const int before = at::get_num_threads();
  at::set_num_threads(3);
  EXPECT_EQ(models.scorers().size(), 3U);
  EXPECT_EQ(make_scorers(models.ours.front().model).size(), 3U);
  at::set_num_threads(before);
  EXPECT_EQ(models.scorers(2).size(), 2U);
  EXPECT_TRUE(models.has_attention());
  EXPECT_TRUE(models.device().is_cpu());
}

TEST(DecodingModels, OneModelAloneTakesAShortlist) {
  const TemporaryFolder folder;
  const auto codec = word_codec({"a", "b"});
  save_model(model_with(words_apart(), codec, codec), folder.path("m.pt"));
  const auto two =
      DecodingModels::load({folder.path("m.pt"), folder.path("m.pt")}, EnsembleMean::linear, at::kCPU);
  EXPECT_THAT(error_of([&] { two.scorers(1, std::make_shared<Shortlist>()); }),
              HasSubstr("--shortlist: is for one model of seq2seq train"));
}

// The keys of the JSON lines that a model was trained on are those it is used with, unless others are given.
TEST(DecodingModels, RememberTheKeysOfTheirText) {
  const TemporaryFolder folder;
  const auto codec = word_codec({"a", "b"});
  TranslationModel model = model_with(words_apart(), codec, codec);
  const auto keys = [&](const ExampleKeys& given = {}) {
    save_model(model, folder.path("m.pt"));
    return DecodingModels::load({folder.path("m.pt")}, EnsembleMean::linear, at::kCPU).keys(given);
  };
  EXPECT_TRUE(keys().empty());
  model.keys = {"translation.en", "translation.de"};
  EXPECT_EQ(keys().source, "translation.en");
  EXPECT_EQ(keys().target, "translation.de");
  EXPECT_FALSE(keys().required);
  EXPECT_EQ(keys({"text", ""}).source, "text");
  EXPECT_EQ(keys({"text", ""}).target, "");
  EXPECT_TRUE(keys({"text", ""}).required);
}

TEST(DecodingModels, AnEnsembleOfOneModelTwiceTranslatesAsItDoes) {
  const TemporaryFolder folder;
  const auto codec = word_codec({"a", "b", "c", "d"});
  TranslationModel model = model_with(words_apart(), codec, codec);
  test::fill_parameters(*model.model, 1.2);
  model.maximum_length = 3;
  save_model(model, folder.path("once.pt"));
  model.maximum_length = 2;
  save_model(model, folder.path("again.pt"));
  const auto one = DecodingModels::load({folder.path("again.pt")}, EnsembleMean::linear, at::kCPU);
  const auto two =
      DecodingModels::load({folder.path("once.pt"), folder.path("again.pt")}, EnsembleMean::linear, at::kCPU);
  EXPECT_EQ(two.maximum_length, 2);  // the smaller limit
  const auto lines = lines_of({"a b", "c", "d d c", "b b", "c a d b"});
  const auto texts = [&](const DecodingModels& models) {
    DecodingPool pool(models.scorers(2));
    return best_texts(Translator(models, pool, {.batch_size = 2}).translate(lines));
  };
  EXPECT_EQ(texts(two), texts(one));
}

/// Log-probabilities of the second word of an output.
Tensor second_words(Scorer& scorer) {
  const at::NoGradGuard no_grad;
  scorer.begin(source_batch({{4, 5, 4}, {5}}));
  State state = scorer.start();
  scorer.distribution(at::full({2}, Vocabulary::begin, at::kLong), state);
  return scorer.distribution(at::tensor({int64_t{4}, int64_t{5}}), state).log_probabilities;
}

TEST(DecodingModels, ScorersComputeWithWeightsInTheFormatAskedFor) {
  const auto ab = word_codec({"a", "b"});
  const auto model_of = [&](const test::Architecture& architecture) {
    TranslationModel model = model_with(words_apart(), ab, ab);
    model.model_options = test::wide_options(architecture);
    model.model = Seq2Seq(model.model_options, ab->vocabulary().size(), ab->vocabulary().size());
    test::fill_parameters(*model.model, 0.3);
    return model;
  };
  test::Architecture transformer{.layers = 2};
  transformer.transformer_encoder = transformer.transformer_decoder = true;
  DecodingModels one(model_of({})), several(model_of({}));
  several.ours.push_back(model_of(transformer));
  for (DecodingModels* models : {&one, &several}) {
    const Tensor expected = second_words(*models->scorers(1).front());
    for (const WeightFormat format : {WeightFormat::bfloat16, WeightFormat::int8}) {
      models->weights = format;
      const Tensor rounded = second_words(*models->scorers(1).front());
      EXPECT_FALSE(rounded.equal(expected));
      EXPECT_TRUE(test::close(rounded, expected, 0.05));
    }
    models->weights = WeightFormat::int8;
    const ComputeScope plain(&Compute::kernels, Kernels::plain);
    EXPECT_THAT(
        error_of([&] { models->scorers(1); }),
        HasSubstr("--weights: int8 is for the fast kernels, not for plain; leave it or --kernels out"));
  }
}

TEST(DecodingModels, RoundedWeightsAreForTheFastKernelsOfAProcessor) {
  const auto refusal = [](WeightFormat format, const char* device) {
    return error_of([&] { check_weights(format, at::Device(device)); });
  };
  EXPECT_EQ(refusal(WeightFormat::float32, "cuda:0"), "");
  EXPECT_EQ(refusal(WeightFormat::int8, "cpu"), "");
  EXPECT_EQ(refusal(WeightFormat::bfloat16, "cpu"), "");
  EXPECT_THAT(
      refusal(WeightFormat::int8, "cuda:0"),
      HasSubstr("--weights: int8 is for processors, not for cuda:0; add --device cpu, or leave it out"));
  {
    const ComputeScope check(&Compute::kernels, Kernels::check);
    EXPECT_EQ(refusal(WeightFormat::float32, "cpu"), "");
    EXPECT_THAT(refusal(WeightFormat::bfloat16, "cpu"),
                HasSubstr("bfloat16 is for the fast kernels, not for check"));
  }
  EXPECT_THAT(error_of([] { check_weights(WeightFormat::int8, at::Device("cuda:0"), /*from_file=*/true); }),
              HasSubstr("--weights: int8, as in the model's file, is for processors, not for cuda:0; add "
                        "--weights float32"));
  const ComputeScope narrow(&Compute::products, ProductFormat::bfloat16);
  EXPECT_THAT(refusal(WeightFormat::int8, "cpu"), HasSubstr("int8 does not go with --precision bfloat16"));
}

TEST(DecodingModels, ScorersSayWhyTensorsComputeTheirSteps) {
  const auto ab = word_codec({"a", "b"});
  const auto model_of = [&](const test::Architecture& architecture) {
    Seq2Seq model(test::tiny_options(architecture), ab->vocabulary().size(), ab->vocabulary().size());
    model->initialize(1);
    return model;
  };
  const Seq2Seq usual = model_of({}), local = model_of({.attention = LocalAttention{}});
  const auto ensemble_of = [](const std::vector<Seq2Seq>& models) {
    std::vector<std::unique_ptr<Scorer>> members;
    for (const Seq2Seq& model : models) members.push_back(std::move(make_scorers(model, 1).front()));
    return EnsembleScorer(std::move(members), EnsembleMean::linear).why_no_steps();
  };
  EXPECT_EQ(make_scorers(usual, 1).front()->why_no_steps(), "");
  EXPECT_EQ(make_scorers(local, 1).front()->why_no_steps(), "its attention is local");
  EXPECT_EQ(ModelScorer(usual).why_no_steps(), "its weights are not packed");
  EXPECT_EQ(ensemble_of({usual, usual}), "");
  EXPECT_EQ(ensemble_of({usual, local}), "model 2: its attention is local");
  EXPECT_EQ(ScriptScorer(nullptr).why_no_steps(), "the archive of another program has its own");
  EXPECT_NE(TableScorer(9, {}).why_no_steps(), "");
  const ComputeScope plain(&Compute::kernels, Kernels::plain);
  EXPECT_EQ(make_scorers(usual, 1).front()->why_no_steps(), "the kernels are not the fast ones");
}

}  // namespace
}  // namespace seq2seq
