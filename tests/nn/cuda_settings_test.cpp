#include "seq2seq/nn/engine/cuda_settings.h"

#include <ATen/Context.h>
#include <gtest/gtest.h>

namespace seq2seq::test {
namespace {

const c10::Device cuda(c10::kCUDA, 0), cpu(c10::kCPU);

std::pair<bool, bool> tf32() {
  return {at::globalContext().allowTF32CuBLAS(), at::globalContext().allowTF32CuDNN()};
}

TEST(CudaSettings, Tf32IsAllowedWithinAScopeAlone) {
  const std::pair<bool, bool> on{true, true}, off{false, false};
  set_up_cuda();
  EXPECT_EQ(tf32(), off);
  {
    const Tf32Scope allowed(cuda, true);
    EXPECT_EQ(tf32(), on);
    {
      const Tf32Scope elsewhere(cpu, false);
      EXPECT_EQ(tf32(), on);
      const Tf32Scope refused(cuda, false);
      EXPECT_EQ(tf32(), off);
    }
    EXPECT_EQ(tf32(), on);
  }
  EXPECT_EQ(tf32(), off);
}

TEST(CudaSettings, DeterminismEndsWithItsScope) {
  const at::Context& context = at::globalContext();
  {
    const DeterministicScope elsewhere(cpu, true), unwanted(cuda, false);
    EXPECT_FALSE(context.deterministicAlgorithms());
    EXPECT_FALSE(context.deterministicCuDNN());
    const DeterministicScope wanted(cuda, true);
    EXPECT_TRUE(context.deterministicAlgorithms());
    EXPECT_FALSE(context.deterministicAlgorithmsWarnOnly());
    EXPECT_TRUE(context.deterministicCuDNN());
    EXPECT_FALSE(context.deterministicFillUninitializedMemory());
  }
  EXPECT_FALSE(context.deterministicAlgorithms());
  EXPECT_FALSE(context.deterministicCuDNN());
  EXPECT_TRUE(context.deterministicFillUninitializedMemory());
}

}  // namespace
}  // namespace seq2seq::test
