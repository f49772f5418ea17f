#include "seq2seq/train/validator.h"

#include <gmock/gmock.h>

#include <cmath>

#include "../data/temporary_folder.h"
#include "../support/compare.h"
#include "../support/tiny_model.h"
#include "seq2seq/core/error.h"
#include "seq2seq/decode/search.h"
#include "seq2seq/metrics/score.h"
#include "seq2seq/metrics/summary.h"

namespace seq2seq::test {
namespace {

using ::testing::HasSubstr;

constexpr int64_t maximum_length = 6;

class ValidatorTest : public ::testing::Test {
 protected:
  ValidatorTest() {
    const auto codec = std::make_shared<const TextCodec>(WordTokenizerOptions{}, NormalizationOptions{}, "",
                                                         Vocabulary({"a", "b", "c", "d", "e"}));
    text = {codec, codec, {}};
    corpus = std::make_unique<Corpus>(
        CorpusFiles{folder.write("v.source", "a b c\nd\ne e d\n\na b c d e a b c\nc b x\n"),
                    folder.write("v.target", "b c\na\n\na\ne d c b a e d\nb x a\n"), ""});
  }
  /// `indices` without the two pairs that have an empty side.
  static constexpr uint64_t usable[] = {0, 1, 4, 5};

  Validator validator(const ValidationOptions& options, std::vector<uint64_t> indices = {0, 1, 2, 3, 4, 5}) {
    return Validator(*corpus, indices, text, options, maximum_length);
  }
  /// A pair cut to the maximum length.
  Example example(uint64_t index) const {
    const RawExample raw = corpus->at(index);
    Example result{index, text.source->ids(raw.source), text.target->ids(raw.target)};
    result.source.resize(std::min<size_t>(result.source.size(), maximum_length));
    result.target.resize(std::min<size_t>(result.target.size(), maximum_length));
    return result;
  }

  TemporaryFolder folder;
  TextCodecs text;
  std::unique_ptr<Corpus> corpus;
  Seq2Seq model = tiny_model(tiny_options({}));
};

TEST_F(ValidatorTest, LossPerplexityAndAccuracyEqualAnExplicitLoop) {
  double nll = 0, correct = 0, tokens = 0;
  for (const uint64_t index : usable) {
    const TensorBatch one = batch_of({example(index)});
    const Tensor scores = log_probabilities(model, one)[0];  // [T, V]
    for (int64_t t = 0; t < scores.size(0); ++t) {
      const auto wanted = one.target_output[0][t].item<int64_t>();
      nll -= scores[t][wanted].item<double>();
      correct += scores[t].argmax().item<int64_t>() == wanted ? 1 : 0;
      tokens += 1;
    }
  }
  ASSERT_EQ(tokens, 3 + 2 + 7 + 4);
  ASSERT_GT(correct, 0);
  const Validator subject = validator({});
  EXPECT_EQ(subject.size(), 4U);
  const ValidationResult result = subject.run(model);
  EXPECT_EQ(result.scores.size(), 3U);
  EXPECT_NEAR(result.scores.at("loss"), nll / tokens, 1e-10);
  EXPECT_NEAR(result.scores.at("perplexity"), std::exp(nll / tokens), 1e-8);
  EXPECT_NEAR(result.scores.at("accuracy"), 100 * correct / tokens, 1e-10);
  EXPECT_EQ(result.criterion, result.scores.at("perplexity"));
}

TEST_F(ValidatorTest, TheCriterionIsTheChosenMetric) {
  const auto names = option_names(ValidationMetric{});
  for (size_t i = 0; i < names.size(); ++i) {
    ValidationOptions options;
    options.criterion = static_cast<ValidationMetric>(i);
    const ValidationResult result = validator(options).run(model);
    const double score = result.scores.at(names[i]);
    EXPECT_EQ(result.criterion, names[i] == std::string("length-ratio") ? std::abs(score - 1) : score)
        << names[i];
    EXPECT_EQ(result.scores.size(), needs_translation(options.criterion) ? 4U : 3U) << names[i];
  }
}

TEST_F(ValidatorTest, TextMetricsScoreTheTranslationsAgainstTheFile) {
  // Otherwise all words are unknown.
  const at::NoGradGuard no_grad;
  model->output()->named_parameters()["bias"][Vocabulary::unknown] -= 2;
  ValidationOptions options;
  options.beam_size = 3;
  const auto names = option_names(ValidationMetric{});
  options.metrics.assign(names.begin(), names.end());
  const ValidationResult result = validator(options).run(model);

  SearchOptions search_options;
  search_options.beam_size = 3;
  search_options.length_penalty = LengthPenalty::average;
  std::vector<std::string> translations, references, sources;
  for (const uint64_t index : usable) {
    ModelScorer scorer(model);
    const auto best = search(scorer, batch_of({example(index)}).source, search_options).at(0).at(0);
    std::vector<std::string> tokens;
    for (const int64_t id : best.tokens) tokens.push_back(text.target->vocabulary().token(id));
    translations.push_back(text.target->detokenize(tokens));
    references.push_back(corpus->at(index).target);  // not cut, unknown words as they are
    sources.push_back(corpus->at(index).source);
  }
  const auto metrics = option_names(MetricName{});
  for (size_t i = 0; i < metrics.size(); ++i)
    EXPECT_NEAR(result.scores.at(metrics[i]),
                score_corpus(static_cast<MetricName>(i), translations, references), 1e-10)
        << metrics[i];
  ReferenceLists lists;
  for (const auto& reference : references) lists.push_back({reference});
  const auto summary_metrics = option_names(SummaryMetric{});
  for (size_t i = 0; i < summary_metrics.size(); ++i)
    EXPECT_NEAR(result.scores.at(summary_metrics[i]),
                score_summaries(static_cast<SummaryMetric>(i), translations, lists, sources, *text.target),
                1e-10)
        << summary_metrics[i];
  EXPECT_GT(result.scores.at("chrf"), 0);
  EXPECT_GT(result.scores.at("copy-rate"), 0);
  EXPECT_EQ(result.scores.size(), names.size());
}

TEST_F(ValidatorTest, MeasuresTheGivenExamplesOnly) {
  const double first = validator({}, {0}).run(model).scores.at("loss");
  const double second = validator({}, {1}).run(model).scores.at("loss");
  EXPECT_NEAR(validator({}, {1, 0}).run(model).scores.at("loss"), (3 * first + 2 * second) / 5, 1e-10);
}

TEST_F(ValidatorTest, LeavesNoGradientsAndDrawsNoDropout) {
  ModelOptions options = tiny_options({});
  std::get<RnnEncoderOptions>(options.encoder).dropout = 0.9;
  std::get<RnnDecoderOptions>(options.decoder).dropout = 0.9;
  options.word_dropout = 0.9;
  Seq2Seq dropping = tiny_model(options);
  EXPECT_EQ(validator({}).run(dropping).scores, validator({}).run(model).scores);
  for (const auto& parameter : dropping->parameters()) EXPECT_FALSE(parameter.grad().defined());
}

TEST_F(ValidatorTest, RefusesTextWithoutAUsableExample) {
  EXPECT_THAT(error_of([&] { validator({}, {2, 3}); }), HasSubstr("has no usable validation example"));
}

}  // namespace
}  // namespace seq2seq::test
