// Files whose weights are int8 or bfloat16: read as they were written, used as --weights uses those of a float32 file.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <torch/script.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>

#include "../data/temporary_folder.h"
#include "../support/compare.h"
#include "../support/tiny_model.h"
#include "decode_support.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/json.h"
#include "seq2seq/decode/models.h"
#include "seq2seq/decode/pool.h"
#include "seq2seq/decode/self_test.h"
#include "seq2seq/decode/translator.h"
#include "seq2seq/model/archive/archive.h"
#include "seq2seq/model/archive/checkpoint.h"
#include "seq2seq/model/average.h"
#include "seq2seq/nn/engine/compute.h"

namespace seq2seq {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing::ThrowsMessage;

constexpr const char* some_lines[] = {"w5 w9 w30", "w7", "w1 w2 w3 w4 w5 w6 w7 w8", "w30 w30 w2"};

class QuantizedArchive : public testing::TestWithParam<WeightFormat> {
 protected:
  QuantizedArchive() {
    std::vector<std::string> words;
    for (int i = 0; i < 60; ++i) words.push_back("w" + std::to_string(i));
    const auto codec = std::make_shared<const TextCodec>(WordTokenizerOptions{}, NormalizationOptions{}, "",
                                                         Vocabulary(words));
    model.text = {codec, codec, {}};
    model.text_options.tokenizer = WordTokenizerOptions{};
    build(test::wide_options({}), 0.3);
  }
  /// A model of this architecture, in a float32 file, and its weights rounded to `format` in another.
  void build(const ModelOptions& options, double scale) {
    const int64_t words = model.text.source->vocabulary().size();
    model.model_options = options;
    model.model = Seq2Seq(options, words, words);
    test::fill_parameters(*model.model, scale);
    connect_vocabularies(model);
    model.self_test = to_json(self_test(model));
    save_model(model, whole);
    rounded = load_model(whole);
    rounded.quantized = quantize_weights(*rounded.model, format);
    rounded.self_test = to_json(self_test(rounded));
    save_model(rounded, path);
  }
  DecodingModels models_of(const std::string& file) const {
    return DecodingModels::load({file}, EnsembleMean::linear, at::kCPU);
  }
  /// Outputs and their scores, to the last bit.
  static std::vector<std::pair<std::string, double>> outputs(
      const DecodingModels& models, const std::shared_ptr<const Shortlist>& shortlist = nullptr) {
    DecodingPool pool(models.scorers(1, shortlist));
    Translator translator(models, pool, {.search = {.beam_size = 3, .n_best = 3, .max_length = 8}});
    std::vector<std::pair<std::string, double>> found;
    for (const Translation& one :
         translator.translate(lines_of({std::begin(some_lines), std::end(some_lines)})))
      for (const auto& output : one.outputs) found.emplace_back(output.text, output.score);
    return found;
  }

  const WeightFormat format = GetParam();
  const TemporaryFolder folder;
  const std::string whole = folder.path("whole.pt"), path = folder.path("model.pt");
  TranslationModel model, rounded;
};

INSTANTIATE_TEST_SUITE_P(Formats, QuantizedArchive,
                         testing::Values(WeightFormat::int8, WeightFormat::bfloat16),
                         [](const auto& tested) { return option_name(tested.param); });

TEST_P(QuantizedArchive, HoldsTheRoundedWeights) {
  for (const WeightMemory memory : {WeightMemory::own, WeightMemory::mapped}) {
    TranslationModel loaded = load_model(path, at::kCPU, memory);
    EXPECT_EQ(loaded.quantized.format, format);
    ASSERT_EQ(loaded.quantized.found.size(), rounded.quantized.found.size());
    for (const auto& [name, weight] : rounded.quantized.found) {
      const QuantizedWeight& found = loaded.quantized.found.at(name);
      const Tensor given = named_parameters_of(*model.model).at(name);
      EXPECT_TRUE(found.values.equal(weight.values)) << name;
      EXPECT_TRUE(found.values.equal(quantize(given, format).values)) << name;
      EXPECT_EQ(found.scales.defined(), format == WeightFormat::int8);
      EXPECT_TRUE(format == WeightFormat::bfloat16 || found.scales.equal(quantize(given).scales)) << name;
    }
    const auto expect_values = [&] {
      for (const auto& [name, value] : named_parameters_of(*loaded.model))
        EXPECT_TRUE(value.equal(named_parameters_of(*rounded.model).at(name))) << name;
    };
    if (memory == WeightMemory::mapped) {
      // No memory is spent on what only a store may read.
      const Tensor& none = loaded.model->source_embedding()->weight;
      EXPECT_TRUE(std::isnan(none[4][4].item<float>()));
      EXPECT_EQ(none.storage().nbytes(), sizeof(float));
      restore_values(loaded.model, loaded.quantized);
    }
    expect_values();
  }
}

TEST_P(QuantizedArchive, SaysWhatItIs) {
  const auto config_of = [](const std::string& file) {
    return parse_json(read_archive(file).files.at("seq2seq.json"), file);
  };
  EXPECT_EQ(config_of(path)["format"], 2);
  EXPECT_EQ(config_of(path)["weights"], option_name(format));
  EXPECT_EQ(config_of(whole)["format"], 1);
  EXPECT_FALSE(config_of(whole).contains("weights"));
  EXPECT_EQ(load_model(whole).quantized.format, WeightFormat::float32);
  EXPECT_TRUE(load_model(whole).quantized.found.empty());
}

TEST_P(QuantizedArchive, TranslatesAsRoundedWeightsOfAFloat32FileDo) {
  test::Architecture transformer{.layers = 2}, copying{.coverage = LinearCoverage{}}, local{};
  transformer.transformer_encoder = transformer.transformer_decoder = true;
  copying.copying = true;
  local.attention = LocalAttention{};  // steps by tensors
  auto shortlist = std::make_shared<Shortlist>();
  shortlist->frequent = {4, 5, 6, 9};
  shortlist->candidates.resize(64);
  for (int64_t id = 4; id < 64; ++id) shortlist->candidates[static_cast<size_t>(id)] = {id, 67 - id};
  for (const test::Architecture& architecture : {test::Architecture{}, transformer, copying, local}) {
    SCOPED_TRACE(test::name_of(architecture));
    build(test::wide_options(architecture), 0.3);
    DecodingModels given = models_of(whole);
    given.weights = format;
    const DecodingModels kept = models_of(path);
    EXPECT_EQ(kept.weight_format(), format);
    EXPECT_EQ(outputs(kept), outputs(given));
    EXPECT_EQ(outputs(kept, shortlist), outputs(given, shortlist));
    EXPECT_EQ(outputs(DecodingModels(load_model(path))), outputs(given));
    DecodingModels exact = models_of(whole);
    EXPECT_EQ(exact.weight_format(), WeightFormat::float32);
    EXPECT_NE(outputs(exact), outputs(kept));
  }
}

TEST_P(QuantizedArchive, InAnotherFormatItsWeightsAreWhatTheyStandFor) {
  TranslationModel plain = rounded;  // the same values, in a float32 file
  plain.quantized = {};
  const std::string other = folder.path("plain.pt");
  save_model(plain, other);
  for (const WeightFormat wanted : {WeightFormat::float32, WeightFormat::bfloat16, WeightFormat::int8}) {
    if (wanted == format) continue;
    DecodingModels kept = models_of(path), given = models_of(other);
    kept.weights = given.weights = wanted;
    EXPECT_EQ(outputs(kept), outputs(given)) << option_name(wanted);
  }
}

TEST_P(QuantizedArchive, EachMemberOfAnEnsembleKeepsItsFormat) {
  const auto both = DecodingModels::load({path, whole}, EnsembleMean::linear, at::kCPU);
  EXPECT_EQ(both.weight_format(), format);
  const auto found = outputs(both);
  EXPECT_NE(found, outputs(DecodingModels::load({path, path}, EnsembleMean::linear, at::kCPU)));
  EXPECT_NE(found, outputs(DecodingModels::load({whole, whole}, EnsembleMean::linear, at::kCPU)));
}

TEST_P(QuantizedArchive, ItsSelfTestIsThatOfItsOwnWeights) {
  const SelfTest test = self_test_from_json(rounded.self_test, path, model.text.source->vocabulary().size());
  EXPECT_EQ(test.front().weights, format);
  const TranslationModel loaded = load_model(path, at::kCPU, WeightMemory::mapped);
  ModelScorer scorer(loaded.model, weight_store(loaded.model, loaded.quantized, format));
  // The outputs were found step by step: where a number lies half between two integers, its last bit decides.
  const double allowed = format == WeightFormat::int8 ? 0.01 : 0;
  EXPECT_TRUE(replay(test, scorer, 32, allowed).passed());
  EXPECT_EQ(replay(test, scorer).differing, 0);
  ModelScorer exact(model.model);
  const SelfTestReport report = replay(test, exact);
  EXPECT_GT(report.difference, 1e-5);
  EXPECT_TRUE(replay(test, exact, 32, 0.1).passed());
}

TEST_P(QuantizedArchive, PlainKernelsAskForFloat32) {
  const ComputeScope plain(&Compute::kernels, Kernels::plain);
  DecodingModels models = models_of(path);
  EXPECT_THAT(
      [&] { models.scorers(1); },
      ThrowsMessage<Error>(HasSubstr(option_name(format) + ", as in the model's file, is for the fast "
                                                           "kernels, not for plain; add --weights float32")));
  models.weights = WeightFormat::float32;
  EXPECT_FALSE(outputs(models).empty());
}

TEST_P(QuantizedArchive, IsNotAveraged) {
  EXPECT_THAT(
      [&] {
        average_models({whole, path});
      },
      ThrowsMessage<Error>(AllOf(StartsWith(path + ": has weights in " + option_name(format)),
                                 HasSubstr("name the run or model.pt that it was made from"))));
}

/// Changes a file as another program could.
class DamagedQuantizedArchive : public QuantizedArchive {
 protected:
  /// Writes `from` with the JSON keys of `changes` in its configuration and other attributes of its output layer.
  void write(const std::string& from, const Json& changes,
             const std::function<void(torch::jit::Module output)>& change) const {
    torch::jit::ExtraFilesMap files;
    for (const auto& [name, content] : read_archive(from).files) files[name] = content;
    torch::jit::Module archive = torch::jit::load(from);
    Json config = parse_json(files["seq2seq.json"], from);
    config.update(changes);
    files["seq2seq.json"] = dump_json(config);
    change(archive.attr("output").toModule());
    archive.save(path, files);
  }
  void expect_refused(const std::string& reason) const {
    for (const WeightMemory memory : {WeightMemory::own, WeightMemory::mapped})
      EXPECT_THAT(
          [&] { load_model(path, at::kCPU, memory); },
          ThrowsMessage<Error>(AllOf(StartsWith(path + ": "), HasSubstr(reason), Not(HasSubstr("\n")))));
  }
};

INSTANTIATE_TEST_SUITE_P(Int8, DamagedQuantizedArchive, testing::Values(WeightFormat::int8),
                         [](const auto& tested) { return option_name(tested.param); });

TEST_P(DamagedQuantizedArchive, IsRefusedInOneLine) {
  const QuantizedWeight good = rounded.quantized.found.at("output.weight");
  const int64_t rows = good.values.size(0), width = good.values.size(1);
  const std::string source = folder.path("source.pt");
  std::filesystem::copy_file(path, source);
  const auto with = [&](const char* name, const Tensor& value) {
    write(source, Json::object(), [&](torch::jit::Module output) { output.setattr(name, value); });
  };
  with("weight_scales", good.scales.clone());
  EXPECT_NO_THROW(load_model(path));
  with("weight_scales", at::ones({rows + 1}));
  expect_refused("the weight 'output.weight' in int8 has scales that do not fit");
  with("weight_scales", at::ones({rows}, at::kDouble));
  expect_refused("has scales that do not fit");
  for (const double number : {std::numeric_limits<double>::infinity(), std::nan("")}) {
    const Tensor scales = good.scales.clone();
    scales[3] = number;
    with("weight_scales", scales);
    expect_refused("has scales that are no finite numbers");
  }
  with("weight_int8", at::ones({rows, width}));
  expect_refused("is of another number format");
  with("weight_int8", at::full({rows, width}, -128, at::kChar));
  expect_refused("has numbers below -127");
  with("weight_int8", at::ones({4, 4}, at::kChar));
  expect_refused("is none of those that may be rounded");
  with("weight_int8", at::ones({rows * width}, at::kChar));
  expect_refused("is none of those that may be rounded");
  with("weight_int8", at::ones({rows, width + 1}, at::kChar));
  expect_refused("the parameter 'output.weight' has sizes");
  const auto nothing = [](const torch::jit::Module&) {};
  write(source, Json::object({{"weights", "int4"}}), nothing);
  expect_refused("it has weights in 'int4'");
  write(source, Json::object({{"weights", 8}}), nothing);
  expect_refused("does not hold what it should");
  write(source, Json::object({{"weights", "bfloat16"}}), nothing);
  expect_refused("lacks the parameter");
  write(source, Json::object({{"format", 3}}), nothing);
  expect_refused("was written by a newer seq2seq (format 3)");
  write(whole, Json::object({{"format", 2}, {"weights", "int8"}}),
        [&](torch::jit::Module output) { output.register_buffer("weight_int8", good.values.clone()); });
  expect_refused("the weight 'output.weight' in int8 has no scales");
}

TEST_P(DamagedQuantizedArchive, OfWhichAPartIsMissingIsRefused) {
  const std::string bytes = read_file(path);
  for (const double part : {0.1, 0.5, 0.9, 0.999}) {
    write_file(path, bytes.substr(0, static_cast<size_t>(part * static_cast<double>(bytes.size()))));
    expect_refused("");
  }
}

// With the shares of layers and vocabulary that usual models have.
TEST(SizeOfQuantizedArchives, IsThatOfTheirNumbers) {
  const TemporaryFolder folder;
  std::vector<std::string> words;
  for (int i = 0; i < 6000; ++i) words.push_back("word" + std::to_string(i));
  const auto codec = std::make_shared<const TextCodec>(WordTokenizerOptions{}, NormalizationOptions{}, "",
                                                       Vocabulary(words));
  TranslationModel model;
  model.text = {codec, codec, {}};
  model.text_options.tokenizer = WordTokenizerOptions{};
  RnnEncoderOptions encoder{};
  encoder.size = 128;
  RnnDecoderOptions decoder{};
  decoder.size = 256;
  decoder.attention = AdditiveAttention{};
  model.model_options.encoder = encoder;
  model.model_options.decoder = decoder;
  model.model_options.embedding.size = 256;
  model.model = Seq2Seq(model.model_options, codec->vocabulary().size(), codec->vocabulary().size());
  model.model->initialize(1);
  connect_vocabularies(model);
  const auto size_of = [&](WeightFormat format) {
    const std::string path = folder.path(option_name(format) + ".pt");
    if (format != WeightFormat::float32) model.quantized = quantize_weights(*model.model, format);
    save_model(model, path);
    return static_cast<double>(std::filesystem::file_size(path));
  };
  const double whole = size_of(WeightFormat::float32);
  EXPECT_LT(size_of(WeightFormat::bfloat16) / whole, 0.55);
  EXPECT_LT(size_of(WeightFormat::int8) / whole, 0.3);
}

}  // namespace
}  // namespace seq2seq
