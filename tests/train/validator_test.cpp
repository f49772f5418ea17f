#include "seq2seq/train/validator.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>

#include <cctype>
#include <cmath>
#include <mutex>
#include <set>
#include <thread>

#include "../data/temporary_folder.h"
#include "../support/compare.h"
#include "../support/tiny_model.h"
#include "seq2seq/core/error.h"
#include "seq2seq/decode/models.h"
#include "seq2seq/decode/pool.h"
#include "seq2seq/decode/search.h"
#include "seq2seq/decode/translator.h"
#include "seq2seq/metrics/metrics.h"
#include "seq2seq/nn/cpu/parallel.h"

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

  Validator validator(const ValidationOptions& options,
                      const std::vector<uint64_t>& indices = {0, 1, 2, 3, 4, 5}) {
    return Validator(*corpus, indices, text, options, maximum_length);
  }
  /// A pair truncated to the maximum length.
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
  for (const std::string& name : validation_metric_names()) {
    ValidationOptions options;
    options.criterion = name;
    const ValidationResult result = validator(options).run(model);
    const double score = result.scores.at(name);
    EXPECT_EQ(result.criterion, name == "length-ratio" ? std::abs(score - 1) : score) << name;
    EXPECT_EQ(result.scores.size(), metric_named(name).of_texts() ? 4U : 3U) << name;
  }
}

TEST_F(ValidatorTest, TextMetricsScoreTheTranslationsAgainstTheFile) {
  // Otherwise all output tokens are unknown.
  const at::NoGradGuard no_grad;
  model->output()->named_parameters()["bias"][Vocabulary::unknown] -= 2;
  ValidationOptions options;
  options.beam_size = 3;
  options.metrics = validation_metric_names();
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
    references.push_back(corpus->at(index).target);  // not truncated, with unknown words unchanged
    sources.push_back(corpus->at(index).source);
  }
  const ScoredTexts texts(translations, single_references(references), sources, text.target);
  for (const auto& name : options.metrics) {
    const Metric& metric = metric_named(name);
    if (!metric.of_texts()) continue;
    EXPECT_NEAR(result.scores.at(name), score_of(metric, texts), 1e-10) << name;
  }
  EXPECT_GT(result.scores.at("chrf"), 0);
  EXPECT_GT(result.scores.at("copy-rate"), 0);
  EXPECT_EQ(result.scores.size(), options.metrics.size());
}

/// The scores that `options` give are those of texts scored with `expected`.
TEST_F(ValidatorTest, TextMetricsAreThoseOfTheTokenizersAndOfTheCaseOfTheModel) {
  const at::NoGradGuard no_grad;
  model->output()->named_parameters()["bias"][Vocabulary::unknown] -= 2;
  const auto lower =
      std::make_shared<const TextCodec>(WordTokenizerOptions{}, NormalizationOptions{.lowercase = true}, "",
                                        Vocabulary({"a", "b", "c", "d", "e"}));
  // The references are the outputs in capitals, with hyphens for spaces, behind one word more.
  std::string targets;
  for (std::string output : validator({}).translate(model)) {
    for (char& c : output)
      c = c == ' ' ? '-' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    targets += "X " + output + "\n";
  }
  corpus = std::make_unique<Corpus>(CorpusFiles{
      folder.write("w.source", "a b c\nd\na b c d e a b c\nc b x\n"), folder.write("w.target", targets), ""});
  ValidationOptions options;
  options.metrics = {"bleu", "chrf", "rouge1"};
  const auto scores = [&](const char* bleu, RougeTokenizer rouge, bool lowercase) {
    text.target = lowercase ? lower : text.source;
    options.bleu_tokenizer = bleu;
    options.rouge_tokenizer = rouge;
    const Validator subject = validator(options, {0, 1, 2, 3});
    const auto found = subject.run(model).scores;
    const ScoredTexts texts(
        subject.translate(model), subject.references(), {}, nullptr,
        {.tokenizer = BleuTokenizer::named(bleu), .lowercase = lowercase, .rouge_tokenizer = rouge});
    for (const auto& name : options.metrics)
      EXPECT_NEAR(found.at(name), score_of(metric_named(name), texts), 1e-10) << name;
    EXPECT_EQ(subject.scoring().signatures, "bleu " + metric_named("bleu").signature(texts) + "; chrf " +
                                                metric_named("chrf").signature(texts) + "; rouge1 " +
                                                metric_named("rouge1").signature(texts));
    return found;
  };
  const auto usual = scores("13a", RougeTokenizer::rouge_score, false);
  const auto lowered = scores("13a", RougeTokenizer::rouge_score, true);
  EXPECT_GT(lowered.at("chrf"), usual.at("chrf"));
  EXPECT_GT(scores("char", RougeTokenizer::rouge_score, true).at("bleu"), lowered.at("bleu"));
  EXPECT_NE(scores("13a", RougeTokenizer::character, false).at("rouge1"), usual.at("rouge1"));
}

TEST_F(ValidatorTest, RefusesACriterionThatTheTextGivesNoOccasionFor) {
  ValidationOptions options;
  options.criterion = "recovered-words";
  EXPECT_NO_THROW(validator(options));
  EXPECT_THAT(error_of([&] { validator(options, {0}); }),
              HasSubstr("'recovered-words': the vocabulary holds every word of the targets"));
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

/// In float32, as in training; decoding packs the weights for its own products.
class ValidatorTranslationTest : public ValidatorTest {
 protected:
  ValidatorTranslationTest() {
    model = tiny_model(tiny_options({}), 9, 1.5);
    model->to(at::kFloat);
    options.beam_size = 3;
    options.metrics = {"bleu"};
  }
  ~ValidatorTranslationTest() override { at::set_num_threads(before_); }

  /// A few steps of gradient descent, in place as an optimizer does it.
  void train() {
    const TensorBatch batch = batch_of({example(0), example(1), example(4), example(5)});
    for (int i = 0; i < 30; ++i) {
      model->zero_grad();
      loss_of(model, batch, 0).loss.backward();
      const at::NoGradGuard no_grad;
      for (Tensor& parameter : model->parameters())
        if (parameter.grad().defined()) parameter.sub_(parameter.grad(), 0.03);
    }
  }
  /// Another model with the same weights.
  Seq2Seq copy() {
    Seq2Seq other = tiny_model(tiny_options({}));
    other->to(at::kFloat);
    const at::NoGradGuard no_grad;
    const auto weights = model->named_parameters();
    for (auto& parameter : other->named_parameters()) parameter.value().copy_(weights[parameter.key()]);
    return other;
  }

  ValidationOptions options;

 private:
  int before_ = at::get_num_threads();
};

TEST_F(ValidatorTranslationTest, TextsAreThoseOfTheTranslator) {
  std::vector<SourceLine> lines;
  for (const uint64_t index : usable)
    lines.push_back({corpus->at(index).source, {}, corpus->place(index), {}});
  const SearchOptions search{.beam_size = options.beam_size};
  for (const int threads : {1, 2}) {
    at::set_num_threads(threads);
    DecodingPool pool(make_scorers(model));
    std::vector<std::string> expected;
    for (const auto& translation :
         Translator(text, maximum_length, pool, {.search = search}).translate(lines))
      expected.push_back(translation.outputs.front().text);
    EXPECT_EQ(validator(options).translate(model), expected);
    EXPECT_GT(std::set<std::string>(expected.begin(), expected.end()).size(), 1U);
  }
}

TEST_F(ValidatorTranslationTest, SeesTheWeightsAsTheyAreNow) {
  const Validator subject = validator(options);
  const auto before = subject.translate(model);
  const auto scores_before = subject.run(model).scores;
  train();
  const auto after = subject.translate(model);
  Seq2Seq same = copy();
  EXPECT_EQ(after, validator(options).translate(same));
  EXPECT_EQ(subject.run(model).scores, validator(options).run(same).scores);
  EXPECT_NE(after, before);
  EXPECT_NE(subject.run(model).scores, scores_before);
}

TEST_F(ValidatorTranslationTest, KeepsNoCopyOfTheWeights) {
  std::vector<size_t> uses;
  for (const Tensor& parameter : model->parameters()) uses.push_back(parameter.use_count());
  validator(options).run(model);
  size_t i = 0;
  for (const Tensor& parameter : model->parameters()) EXPECT_EQ(parameter.use_count(), uses[i++]);
}

TEST_F(ValidatorTranslationTest, TrainingHasItsThreadsAgain) {
  const auto threads_of_a_loop = [] {
    std::mutex mutex;
    std::set<std::thread::id> all;
    parallel_for(1000, 1, [&](int64_t, int64_t) {
      const std::lock_guard lock(mutex);
      all.insert(std::this_thread::get_id());
    });
    return all.size();
  };
  at::set_num_threads(3);
  validator(options).run(model);
  EXPECT_EQ(at::get_num_threads(), 3);
  EXPECT_EQ(threads_of_a_loop(), 3U);
  std::jthread([&] {  // a thread started later, like those of a loader or of backward
    EXPECT_EQ(at::get_num_threads(), 3);
    EXPECT_EQ(threads_of_a_loop(), 3U);
  });
}

TEST_F(ValidatorTest, RefusesTextWithoutAUsableExample) {
  EXPECT_THAT(error_of([&] {
                validator({}, {2, 3});
              }),
              HasSubstr("has no usable validation example: a side of each is empty, as at "));
}

}  // namespace
}  // namespace seq2seq::test
