#include "seq2seq/train/optimizer.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "../support/compare.h"
#include "../support/shadow_device.h"
#include "../support/tiny_model.h"
#include "seq2seq/core/error.h"

namespace seq2seq::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;
using testing::ThrowsMessage;

/// The parameters by name; concatenated in this order, their values are one vector.
NamedTensors sorted_parameters(Seq2Seq& model) {
  return named_parameters_of(*model);
}

Tensor flat_weights(Seq2Seq& model) {
  std::vector<Tensor> parts;
  for (const auto& [name, value] : sorted_parameters(model)) parts.push_back(value.detach().reshape(-1));
  return at::cat(parts);
}

void fill_gradients(Seq2Seq& model, int64_t start, double scale) {
  for (auto& [name, value] : sorted_parameters(model)) {
    value.mutable_grad() = cosine(value.sizes(), start, scale);
    start += value.numel();
  }
}

OptimizerOptions options_of(const Json& expected) {
  const Json& s = expected["settings"];
  const std::string type = expected["type"];
  if (type == "adam") return AdamOptions{s["betas"][0], s["betas"][1], s["eps"]};
  if (type == "adamw") return AdamWOptions{s["betas"][0], s["betas"][1], s["eps"], s["weight_decay"]};
  if (type == "sgd") return SgdOptions{s.value("momentum", 0.0), s.value("weight_decay", 0.0)};
  return AdagradOptions{s["initial_accumulator_value"], s["eps"]};
}

class OptimizerReferenceTest : public ::testing::TestWithParam<size_t> {
 protected:
  Json expected = read_reference("train_optimizers")[GetParam()];
  Seq2Seq model = tiny_model(tiny_options({}), 9, 0.5);
};

TEST_P(OptimizerReferenceTest, EveryStepEqualsPythons) {
  Optimizer optimizer(*model, options_of(expected));
  for (size_t step = 0; step < expected["steps"].size(); ++step) {
    fill_gradients(model, 1000 * (static_cast<int64_t>(step) + 1), 0.7);
    optimizer.step(expected["rates"][step]);
    const auto count = static_cast<int64_t>(expected["steps"][step].size());
    EXPECT_TRUE(
        close(flat_weights(model).narrow(0, 0, count), tensor_of(expected["steps"][step], {count}), 1e-12))
        << expected["type"] << " " << expected["settings"] << ", step " << step + 1;
  }
}

TEST_P(OptimizerReferenceTest, GoesOnFromItsStateBitForBit) {
  Seq2Seq other = tiny_model(tiny_options({}), 9, 0.5);
  Optimizer whole(*model, options_of(expected));
  for (int64_t step = 1; step <= 2; ++step) {
    fill_gradients(model, 1000 * step, 0.7);
    whole.step(0.1);
  }
  copy_parameters(*other, named_parameters_of(*model), "model");
  Optimizer resumed(*other, options_of(expected));
  resumed.restore(whole.state(), "state.pt");
  for (auto* pair : {&model, &other}) fill_gradients(*pair, 3000, 0.7);
  whole.step(0.1);
  resumed.step(0.1);
  EXPECT_TRUE(same(flat_weights(model), flat_weights(other)));
}

// Also of weight decay, and with momentum that they had.
TEST_P(OptimizerReferenceTest, FrozenRowsStayAndOthersAreTrained) {
  Seq2Seq other = tiny_model(tiny_options({}), 9, 0.5);
  const Tensor frozen = at::tensor({1, 4}, at::kLong), there = on_device(frozen);
  freeze_rows(model->source_embedding(), frozen);
  const Tensor before = model->source_embedding()->weight.detach().clone();
  Optimizer optimizer(*model, options_of(expected)), whole(*other, options_of(expected));
  for (int64_t step = 1; step <= 3; ++step) {
    for (auto* pair : {&model, &other}) fill_gradients(*pair, 1000 * step, 0.7);
    other->source_embedding()->weight.mutable_grad().index_fill_(0, there, 0);
    optimizer.clear_frozen_gradients();
    EXPECT_EQ(optimizer.gradient_norm().item<double>(), whole.gradient_norm().item<double>());
    optimizer.step(0.1);
    whole.step(0.1);
  }
  const Tensor after = model->source_embedding()->weight.detach();
  EXPECT_TRUE(same(after.index_select(0, there), before.index_select(0, there)));
  other->source_embedding()->weight.detach().index_copy_(0, there, before.index_select(0, there));
  EXPECT_TRUE(same(flat_weights(model), flat_weights(other)));
  EXPECT_FALSE(after.eq(before).select(0, 2).any().item<bool>());
  EXPECT_TRUE(same(frozen_rows_of(optimizer.state()).at("source_embedding.weight"), frozen));
  EXPECT_TRUE(frozen_rows_of(whole.state()).empty());
}

INSTANTIATE_TEST_SUITE_P(Cases, OptimizerReferenceTest, ::testing::Range(size_t{0}, size_t{5}));

TEST(OptimizerReferenceTest, EveryCaseIsRun) {
  EXPECT_EQ(read_reference("train_optimizers").size(), 5U);
}

/// Clips as an update does; returns the norm before.
double clip(Optimizer& optimizer, double maximum) {
  const auto norm = optimizer.gradient_norm().item<double>();
  optimizer.clip_gradients(norm, maximum);
  return norm;
}

class OptimizerTest : public ::testing::Test {
 protected:
  Seq2Seq model = tiny_model(tiny_options({}));
};

TEST_F(OptimizerTest, FrozenParametersStay) {
  const Tensor frozen = model->source_embedding()->weight;
  frozen.set_requires_grad(false);
  const Tensor before = frozen.clone(), others = flat_weights(model);
  Optimizer optimizer(*model, AdamWOptions{});
  fill_gradients(model, 0, 1.0);
  optimizer.step(0.1);
  EXPECT_TRUE(same(frozen, before));
  EXPECT_FALSE(at::equal(flat_weights(model), others));
}

TEST_F(OptimizerTest, RefusesTheStateOfAnotherModel) {
  Optimizer optimizer(*model, AdamOptions{});
  NamedTensors state = optimizer.state();
  state.erase("first/output.bias");
  EXPECT_THAT([&] { optimizer.restore(state, "run/state.pt"); },
              ThrowsMessage<Error>(
                  AllOf(StartsWith("run/state.pt: does not fit: 'first/output.bias'"), HasSubstr("resume"))));
  state["first/output.bias"] = at::zeros({1});
  EXPECT_THROW(optimizer.restore(state, "run/state.pt"), Error);
}

TEST_F(OptimizerTest, ClippingScalesAllGradientsToTheLongestNorm) {
  Optimizer optimizer(*model, AdamOptions{});
  fill_gradients(model, 0, 2.0);
  double squares = 0;
  for (const auto& [name, value] : sorted_parameters(model))
    squares += value.grad().square().sum().item<double>();
  const double norm = std::sqrt(squares);
  const Tensor before = model->output()->named_parameters()["bias"].grad().clone();
  const auto gradient = [&] { return model->output()->named_parameters()["bias"].grad(); };

  EXPECT_NEAR(clip(optimizer, 0), norm, 1e-12 * norm);  // 0: never
  EXPECT_TRUE(same(gradient(), before));
  EXPECT_NEAR(clip(optimizer, norm * 1.01), norm, 1e-12 * norm);
  EXPECT_TRUE(same(gradient(), before));
  EXPECT_NEAR(clip(optimizer, 0.25), norm, 1e-12 * norm);
  EXPECT_TRUE(close(gradient(), before * (0.25 / norm), 1e-14));
  EXPECT_NEAR(clip(optimizer, 0), 0.25, 1e-12);
}

TEST_F(OptimizerTest, ClippingReportsWhatIsNotFinite) {
  Optimizer optimizer(*model, AdamOptions{});
  fill_gradients(model, 0, 1.0);
  const Tensor before = model->source_embedding()->weight.grad().clone();
  model->output()->named_parameters()["bias"].mutable_grad().fill_(std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isinf(clip(optimizer, 1.0)));
  EXPECT_TRUE(same(model->source_embedding()->weight.grad(), before));
  optimizer.zero_gradients();
  EXPECT_EQ(clip(optimizer, 1.0), 0);
}

class WeightAverageTest : public ::testing::Test {
 protected:
  /// Different weights for each update.
  void set_weights(int64_t update) { fill_parameters(*model, 0.1 * static_cast<double>(update + 1)); }
  Seq2Seq model = tiny_model(tiny_options({}));
};

TEST_F(WeightAverageTest, FollowsTheFormulaWithItsWarmUp) {
  constexpr double decay = 0.3;  // reached at update 3: (1 + 3) / (10 + 3) > 0.3
  set_weights(0);
  WeightAverage average(*model, decay);
  Tensor expected = flat_weights(model);
  for (int64_t n = 1; n <= 5; ++n) {
    set_weights(n);
    average.update(n);
    const double kept = n < 3 ? static_cast<double>(1 + n) / static_cast<double>(10 + n) : decay;
    expected = kept * expected + (1 - kept) * flat_weights(model);
  }
  const AveragedWeights averages(&average);
  EXPECT_TRUE(close(flat_weights(model), expected, 1e-13));
}

TEST_F(WeightAverageTest, StandsInForTheWeightsWithinAScope) {
  WeightAverage average(*model, 0.9);
  set_weights(1);
  average.update(1);
  set_weights(2);
  const Tensor weights = flat_weights(model);
  const Tensor averages = average.state().at("average/output.bias").clone();
  for (const bool fails : {false, true}) {
    try {
      const AveragedWeights scope(&average);
      EXPECT_FALSE(at::equal(flat_weights(model), weights));
      EXPECT_TRUE(same(model->output()->named_parameters()["bias"], averages));
      if (fails) throw Error("validation", "fails");
    } catch (const Error&) {
    }
    EXPECT_TRUE(same(flat_weights(model), weights));
    EXPECT_TRUE(same(average.state().at("average/output.bias"), averages));
  }
  const AveragedWeights none(nullptr);
  EXPECT_TRUE(same(flat_weights(model), weights));
}

TEST_F(WeightAverageTest, GoesOnFromItsStateBitForBit) {
  WeightAverage whole(*model, 0.9);
  set_weights(1);
  whole.update(1);
  WeightAverage resumed(*model, 0.9);
  resumed.restore(whole.state(), "state.pt");
  set_weights(2);
  whole.update(2);
  resumed.update(2);
  for (const auto& [name, value] : whole.state()) EXPECT_TRUE(same(resumed.state().at(name), value)) << name;
}

}  // namespace
}  // namespace seq2seq::test
