// The rules that make the shadow device find what would fail on an accelerator.
#include "../support/shadow_device.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <torch/csrc/autograd/autograd.h>

#include <csignal>
#include <thread>

#include "../support/compare.h"
#include "../support/fill.h"
#include "seq2seq/core/error.h"
#include "seq2seq/model/device.h"
#include "seq2seq/nn/layers/linear.h"

namespace seq2seq::test {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class ShadowDeviceTest : public ::testing::Test {
 protected:
  ShadowDeviceTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
  const Tensor x = cosine({3, 4}), on_host = x.cpu();
};

TEST_F(ShadowDeviceTest, TensorsAreThere) {
  EXPECT_EQ(test_device().str(), "shadow:0");
  for (const Tensor& tensor : {x, x + 1, x.t(), at::zeros({2}, on_device(at::kLong)), x.sum()})
    EXPECT_EQ(tensor.device(), test_device());
  EXPECT_TRUE(on_host.is_cpu());
}

TEST_F(ShadowDeviceTest, OperationsAreThoseOfTheCpu) {
  EXPECT_TRUE(same(x.matmul(x.t()).softmax(1), on_host.matmul(on_host.t()).softmax(1)));
  EXPECT_TRUE(same(std::get<1>(x.topk(2, 1)), std::get<1>(on_host.topk(2, 1))));
  EXPECT_TRUE(same(at::cat({x, x}, 1), at::cat({on_host, on_host}, 1)));
  EXPECT_TRUE(same(x.gt(0).nonzero(), on_host.gt(0).nonzero()));
}

TEST_F(ShadowDeviceTest, ViewsShareTheirMemory) {
  const Tensor y = x.clone();
  const Tensor part = y.t().narrow(0, 1, 2).select(1, 2);
  part.fill_(7);
  y.view({12}).slice(0, 0, 1).mul_(3);
  Tensor expected = on_host.clone();
  expected[2][1] = expected[2][2] = 7;
  expected[0][0] *= 3;
  EXPECT_TRUE(same(y, expected));
  EXPECT_TRUE(same(part, at::full({2}, 7.0, at::kDouble)));
}

TEST_F(ShadowDeviceTest, ResultsMayGrow) {
  Tensor out = at::empty({0}, on_device(at::kDouble));
  at::add_out(out, x, x);
  EXPECT_TRUE(same(out, on_host + on_host));
  out.resize_({5, 5});
  EXPECT_TRUE(same(out.view(-1).narrow(0, 0, 12), (on_host + on_host).view(-1)));
}

TEST_F(ShadowDeviceTest, ATensorOfTheCpuIsRefused) {
  EXPECT_THROW(x + on_host, c10::Error);  // as LibTorch itself does
  EXPECT_THROW(on_host + x, c10::Error);
  const auto refused = [](const char* operation) {
    return ThrowsMessage<c10::Error>(HasSubstr(std::string(operation) + " on the shadow device was given"));
  };
  EXPECT_THAT([&] { x.index_select(0, at::zeros({1}, at::kLong)); }, refused("aten::index_select"));
  EXPECT_THAT([&] { x.index({at::zeros({1}, at::kLong)}); }, refused("aten::index"));
  EXPECT_THAT([&] { at::cat({x, on_host}); }, refused("aten::cat"));
}

TEST_F(ShadowDeviceTest, ANumberOfTheCpuIsAnArgumentButNoneOfAList) {
  const Tensor number = at::scalar_tensor(2.0, at::kDouble);
  EXPECT_TRUE(same(x * number, on_host * 2));
  EXPECT_THAT(
      [&] {
        at::stack({x[0][0], number});
      },
      ThrowsMessage<c10::Error>(HasSubstr("a list with a tensor of the CPU")));
}

// The fused kernels of a device read the counters there.
TEST_F(ShadowDeviceTest, StepCountersOfTheCpuAreRefused) {
  const auto step = [&](const at::TensorOptions& counters) {
    const Tensor weight = x.clone(), first = at::zeros_like(x), second = at::zeros_like(x);
    at::_fused_adam_({weight}, {x}, {first}, {second}, {}, {at::ones({}, counters)}, 0.1, 0.9, 0.999,
                     /*weight_decay=*/0.0, 1e-8, /*amsgrad=*/false, /*maximize=*/false);
    return weight;
  };
  EXPECT_THAT([&] { step(at::kFloat); },
              ThrowsMessage<c10::Error>(HasSubstr("a list with a tensor of the CPU")));
  EXPECT_TRUE(close(step(on_device(at::kFloat)), on_host - 0.1 * on_host.sign(), 1e-6));
}

TEST_F(ShadowDeviceTest, AGeneratorOfTheCpuIsRefused) {
  const at::Generator generator = at::detail::createCPUGenerator(1);
  EXPECT_THAT([&] { x.clone().uniform_(0, 1, generator); },
              ThrowsMessage<c10::Error>(HasSubstr("a generator of the CPU")));
}

TEST_F(ShadowDeviceTest, ItsMemoryIsOpenToOperationsAlone) {
  const auto touch = [&] { static_cast<void>(*static_cast<const volatile double*>(x.const_data_ptr())); };
  EXPECT_EXIT(touch(), ::testing::KilledBySignal(SIGSEGV), "");
}

TEST_F(ShadowDeviceTest, ThreadsShareATensor) {
  std::vector<std::thread> threads;
  std::vector<double> sums(3, 0.0);
  for (double& sum : sums)
    threads.emplace_back([&] {
      for (int i = 0; i < 300; ++i) sum += (x + x).sum().item<double>();
    });
  for (std::thread& thread : threads) thread.join();
  for (const double sum : sums) EXPECT_NEAR(sum, 600 * on_host.sum().item<double>(), 1e-9);
}

TEST_F(ShadowDeviceTest, CountsWaitingAndCopying) {
  const auto waits = [](const auto& operation) {
    const int64_t before = synchronisations();
    operation();
    return synchronisations() - before;
  };
  const Tensor mask = x.gt(0);
  EXPECT_EQ(waits([&] { x.sum().item<double>(); }), 1);
  EXPECT_EQ(waits([&] { x.to(at::kCPU, at::kFloat); }), 1);
  EXPECT_EQ(waits([&] { mask.nonzero(); }), 1);
  EXPECT_EQ(waits([&] { x.masked_select(mask); }), 1);
  EXPECT_EQ(waits([&] { at::_unique(x); }), 1);
  EXPECT_EQ(waits([&] { at::equal(x, x); }), 1);
  EXPECT_EQ(waits([&] { x.index({mask}); }), 1);
  EXPECT_EQ(waits([&] { x.clone().index_put_({mask}, x.sum()); }), 1);
  EXPECT_EQ(
      waits([&] { x.to(at::kFloat).matmul(x.to(at::kFloat).t()).masked_fill(x.matmul(x.t()).gt(0), 1); }), 0);
  EXPECT_EQ(waits([&] { on_device(on_host); }), 0);

  const int64_t before = copies_to_device();
  on_device(on_host);
  on_device(at::zeros({2}));
  x.clone().fill_(3).add_(x.cpu().sum());
  EXPECT_EQ(copies_to_device() - before, 2);
}

TEST_F(ShadowDeviceTest, ModelsMoveAndStayTheSameTensors) {
  Linear module(4, 2);
  module->to(at::kDouble);
  fill_parameters(*module, 0.5);
  const Tensor held = module->weight;
  const auto gradient = [&](const Tensor& input) {
    return torch::autograd::grad({module->forward(input).square().sum()}, {module->weight})[0];
  };
  const Tensor expected = gradient(on_host);
  module->forward(on_host).sum().backward();
  move_to(*module, test_device());
  EXPECT_TRUE(module->weight.is_same(held));
  EXPECT_EQ(held.device(), test_device());
  EXPECT_TRUE(held.is_leaf() && held.requires_grad());
  EXPECT_FALSE(held.grad().defined());
  EXPECT_TRUE(close(gradient(x), expected, 1e-12));
  module->forward(x).sum().backward();
  EXPECT_EQ(held.grad().device(), test_device());
  move_to(*module, at::kCPU);
  EXPECT_TRUE(close(gradient(on_host), expected, 1e-12));
}

TEST_F(ShadowDeviceTest, ItsNameIsThatOfADevice) {
  EXPECT_EQ(open_device("shadow").type(), test_device().type());
  EXPECT_EQ(open_device("shadow:0"), test_device());
  for (const char* name : {"shadow:", "shadow:x", "shadows", ""})
    EXPECT_THAT([&] { check_device_name(name); },
                ThrowsMessage<UsageError>(HasSubstr("valid: auto, cpu, cuda, cuda:N, shadow, shadow:N")))
        << name;
}

}  // namespace
}  // namespace seq2seq::test
