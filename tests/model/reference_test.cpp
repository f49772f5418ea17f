// Whole models against a Python model that processes one sentence at a time, without fused operations.
#include <gtest/gtest.h>

#include "../support/compare.h"
#include "../support/tiny_model.h"

namespace seq2seq::test {
namespace {

template <class Enum>
Enum named(const Json& name) {
  const auto names = option_names(Enum{});
  for (size_t i = 0; i < names.size(); ++i)
    if (name == names[i]) return static_cast<Enum>(i);
  throw std::invalid_argument(name.dump());
}

Architecture architecture_of(const Json& json) {
  if (json.contains("norm")) {
    Architecture transformer{.layers = json["layers"].get<int64_t>()};
    transformer.transformer_encoder = transformer.transformer_decoder = true;
    transformer.norm = named<NormPlace>(json["norm"]);
    transformer.activation = named<Activation>(json["activation"]);
    transformer.positions = named<PositionKind>(json["positions"]);
    return transformer;
  }
  return {.cell = named<Cell>(json["cell"]),
          .attention = kind_named<AttentionOptions>(json["attention"].get<std::string>()),
          .input_feeding = json["input_feeding"].get<bool>(),
          .layers = json["layers"].get<int64_t>(),
          .bidirectional = json["bidirectional"].get<bool>()};
}

/// A file of tests/reference and the index of a case in it.
using Case = std::pair<const char*, size_t>;

std::vector<Case> all_cases() {
  std::vector<Case> all;
  for (const char* file : {"model_seq2seq", "model_transformer"})
    for (size_t i = 0; i < read_reference(file)["cases"].size(); ++i) all.emplace_back(file, i);
  return all;
}

class Seq2SeqReferenceTest : public ::testing::TestWithParam<Case> {
 protected:
  Json reference = read_reference(GetParam().first);
  Json expected = reference["cases"][GetParam().second];
  Seq2Seq model = tiny_model(tiny_options(architecture_of(expected)), reference["vocabulary"].get<int64_t>());

  TensorBatch batch() const {
    std::vector<Example> examples;
    for (const auto& pair : reference["pairs"])
      examples.push_back({.index = examples.size(),
                          .source = pair["source"].get<std::vector<int64_t>>(),
                          .target = pair["target"].get<std::vector<int64_t>>()});
    return batch_of(examples);
  }
};

TEST_P(Seq2SeqReferenceTest, LogProbabilitiesAndAttentionEqualPythons) {
  const TensorBatch inputs = batch();
  const Memory memory = model->encode(inputs.source);
  const StepSequence steps = model->decode(memory, inputs.target_input);
  const Tensor log_probabilities = log_probabilities_of(model, memory, steps);
  for (int64_t i = 0; i < log_probabilities.size(0); ++i) {
    const Json& sentence = expected["sentences"][static_cast<size_t>(i)];
    const auto length = static_cast<int64_t>(reference["pairs"][static_cast<size_t>(i)]["target"].size() + 1);
    const int64_t source_length = inputs.source.lengths[i].item<int64_t>();
    EXPECT_TRUE(close(log_probabilities[i].narrow(0, 0, length),
                      tensor_of(sentence["log_probabilities"], {length, log_probabilities.size(2)}), 1e-11))
        << "sentence " << i;
    if (!sentence["attention"].empty()) {
      EXPECT_TRUE(close(steps.attention[i].narrow(0, 0, length).narrow(1, 0, source_length),
                        tensor_of(sentence["attention"], {length, source_length}), 1e-11))
          << "sentence " << i;
    }
  }
}

TEST_P(Seq2SeqReferenceTest, LossAndGradientsEqualPythons) {
  const LossSums sums = loss_of(model, batch(), reference["smoothing"].get<double>());
  EXPECT_NEAR(sums.loss.item<double>(), expected["loss"].get<double>(), 1e-10);
  EXPECT_NEAR(sums.negative_log_likelihood.item<double>(), expected["negative_log_likelihood"].get<double>(),
              1e-10);
  sums.loss.backward();
  const Json& norms = expected["gradient_norms"];
  EXPECT_EQ(model->named_parameters().size(), norms.size());
  for (const auto& parameter : model->named_parameters()) {
    ASSERT_TRUE(norms.contains(parameter.key())) << parameter.key();
    const double norm = norms[parameter.key()].get<double>();
    EXPECT_NEAR(parameter.value().grad().norm().item<double>(), norm, 1e-10 * (1 + norm)) << parameter.key();
    EXPECT_GT(norm, 0) << parameter.key();
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, Seq2SeqReferenceTest, ::testing::ValuesIn(all_cases()), [](const auto& test) {
  return std::string(test.param.first) + "_" + std::to_string(test.param.second);
});

TEST(Seq2SeqReferenceTest, EveryCaseIsRun) {
  EXPECT_EQ(all_cases().size(), 11U);
}

}  // namespace
}  // namespace seq2seq::test
