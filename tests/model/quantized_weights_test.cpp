#include "seq2seq/model/quantized_weights.h"

#include <gmock/gmock.h>

#include <cmath>
#include <sstream>

#include "../support/compare.h"
#include "../support/tiny_model.h"
#include "seq2seq/model/archive/torchscript.h"
#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/engine/weight_store.h"

namespace seq2seq::test {
namespace {

using testing::Contains;
using testing::Key;
using testing::Not;

Seq2Seq float_model(const Architecture& architecture) {
  Seq2Seq model = tiny_model(wide_options(architecture), 50, 0.3);
  model->to(at::kFloat);
  return model;
}

Architecture with_transformers(PositionKind positions) {
  Architecture a{.layers = 2};
  a.transformer_encoder = a.transformer_decoder = true;
  a.positions = positions;
  return a;
}

TEST(QuantizedWeights, AreLargeMatricesOfProductsAndEmbeddings) {
  if (!test_device().is_cpu()) GTEST_SKIP() << "weights are rounded on the CPU";
  Architecture copying{.coverage = LinearCoverage{}};
  copying.copying = copying.layer_norm = true;
  Seq2Seq recurrent = float_model(copying),
          transformer = float_model(with_transformers(PositionKind::learned));
  for (const WeightFormat format : {WeightFormat::int8, WeightFormat::bfloat16}) {
    const auto found = quantize_weights(*recurrent, format).found;
    for (const char* name :
         {"source_embedding.weight", "target_embedding.weight", "encoder.layer0_forward.weight_ih",
          "encoder.layer0_backward.weight_hh", "decoder.attention.key.weight",
          "decoder.attention.query.weight", "decoder.feed.weight", "decoder.combine.weight", "output.weight"})
      EXPECT_THAT(found, Contains(Key(name)));
    for (const char* name : {"output.bias", "decoder.attention.v", "decoder.attention.coverage_weight",
                             "decoder.copy_gate.weight", "decoder.layer0_norm.weight"})
      EXPECT_THAT(found, Not(Contains(Key(name))));
    const auto of_transformer = quantize_weights(*transformer, format).found;
    EXPECT_THAT(of_transformer, Contains(Key("encoder.layer0.self_attention.projection.weight")));
    EXPECT_THAT(of_transformer, Not(Contains(Key("encoder.positions.learned"))));
  }
}

TEST(QuantizedWeights, AreTheRoundedOnesAndWhatParametersBecome) {
  if (!test_device().is_cpu()) GTEST_SKIP() << "weights are rounded on the CPU";
  for (const WeightFormat format : {WeightFormat::int8, WeightFormat::bfloat16}) {
    Seq2Seq model = float_model({});
    std::map<std::string, Tensor> before;
    for (const auto& parameter : model->named_parameters())
      before[parameter.key()] = parameter.value().detach().clone();
    const QuantizedWeights weights = quantize_weights(*model, format);
    EXPECT_EQ(weights.format, format);
    for (const auto& parameter : model->named_parameters()) {
      SCOPED_TRACE(parameter.key());
      const Tensor& old = before[parameter.key()];
      if (!weights.found.contains(parameter.key())) {
        EXPECT_TRUE(parameter.value().equal(old));
        continue;
      }
      const QuantizedWeight &actual = weights.found.at(parameter.key()), expected = quantize(old, format);
      EXPECT_TRUE(actual.values.equal(expected.values));
      ASSERT_EQ(actual.format(), format);
      EXPECT_TRUE(format == WeightFormat::bfloat16 || actual.scales.equal(expected.scales));
      EXPECT_TRUE(parameter.value().equal(expected.dequantized()));
      EXPECT_FALSE(parameter.value().equal(old));
    }
  }
}

// What a store computes with is the same whether it rounds or is given the numbers, to the last bit, and whatever the
// parameters hold then.
TEST(QuantizedWeights, AreAllThatAStoreNeeds) {
  if (!test_device().is_cpu()) GTEST_SKIP() << "weights are rounded on the CPU";
  const at::NoGradGuard no_grad;
  Architecture gated{.cell = Cell::gru, .layers = 2};
  gated.context_gate = ContextGate::both;
  Architecture counting{.coverage = GruCoverage{}};
  for (const Architecture& architecture :
       {Architecture{}, gated, counting, with_transformers(PositionKind::learned)}) {
    SCOPED_TRACE(name_of(architecture));
    for (const WeightFormat format : {WeightFormat::int8, WeightFormat::bfloat16}) {
      Seq2Seq model = float_model(architecture);
      const auto scores = [&](const std::shared_ptr<WeightStore>& store) {
        const ComputeScope packed(&Compute::weights, store.get());
        return log_probabilities(model, batch_of(uneven_examples()));
      };
      const Tensor expected = scores(weight_store(model, {}, format));
      const QuantizedWeights weights = quantize_weights(*model, format);
      const Tensor in_float32 = log_probabilities(model, batch_of(uneven_examples()));
      NamedTensors others;
      for (const auto& parameter : model->named_parameters())
        others[parameter.key()] = parameter.value().detach().clone();
      take_parameters(*model, others, "here", values_of(weights, QuantizedValues::none));
      EXPECT_TRUE(std::isnan(model->source_embedding()->weight[5][5].item<float>()));
      EXPECT_TRUE(scores(weight_store(model, weights, format)).equal(expected));
      // Another format needs the values.
      EXPECT_TRUE(close(scores(weight_store(model, weights, WeightFormat::float32)), in_float32, 1e-4));
      EXPECT_TRUE(close(log_probabilities(model, batch_of(uneven_examples())), in_float32, 1e-4));
    }
  }
}

// The archive multiplies by what the numbers stand for, as the modules with these values do.
TEST(QuantizedWeights, AreInTheArchiveOnceAndMultipliedAsFloats) {
  if (!test_device().is_cpu()) GTEST_SKIP() << "weights are rounded on the CPU";
  const at::NoGradGuard no_grad;
  Architecture shared = with_transformers(PositionKind::sinusoidal), local{.attention = LocalAttention{}};
  for (const Architecture& architecture : {Architecture{}, local, shared, Architecture{.cell = Cell::gru}})
    for (const WeightFormat format : {WeightFormat::int8, WeightFormat::bfloat16}) {
      SCOPED_TRACE(name_of(architecture) + " " + option_name(format));
      ModelOptions options = wide_options(architecture);
      if (architecture.transformer_decoder) options.embedding.sharing = EmbeddingSharing::all;
      Seq2Seq model = tiny_model(options, 50, 0.3);
      model->to(at::kFloat);
      const QuantizedWeights weights = quantize_weights(*model, format);
      std::stringstream file;
      to_torchscript(model, weights).save(file);
      torch::jit::Module archive = torch::jit::load(file);
      for (const auto& parameter : archive.named_parameters())
        EXPECT_FALSE(weights.found.contains(parameter.name)) << parameter.name;
      std::map<std::string, Tensor> buffers;
      for (const auto& buffer : archive.named_buffers()) buffers[buffer.name] = buffer.value;
      for (const auto& [name, weight] : weights.found)
        EXPECT_TRUE(buffers.at(name + quantized_ending(format)).equal(weight.values)) << name;
      const TensorBatch batch = batch_of(random_examples({11, 2, 5, 1, 8}, {6, 2, 3, 1, 7}, 50, 3));
      const Tensor expected = log_probabilities(model, batch);
      const at::IValue memory = archive.get_method("encode")({batch.source.ids, batch.source.lengths});
      at::IValue state = archive.get_method("start")({memory});
      for (int64_t t = 0; t < batch.target_input.size(1); ++t) {
        const auto step =
            archive.get_method("step")({memory, batch.target_input.select(1, t), state}).toTuple();
        EXPECT_TRUE(close(step->elements()[0].toTensor(), expected.select(1, t), 1e-5)) << "step " << t;
        state = step->elements()[2];
      }
    }
}

}  // namespace
}  // namespace seq2seq::test
