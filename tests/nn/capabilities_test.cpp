#include "seq2seq/nn/engine/capabilities.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "../support/compare.h"
#include "../support/fill.h"
#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/engine/weight_store.h"
#include "seq2seq/nn/layers/linear.h"

namespace seq2seq::test {
namespace {

// Some ctest runs allow less than the machine supports.
TEST(Capabilities, FollowTheEnvironment) {
  if (const char* asked = std::getenv("SEQ2SEQ_INSTRUCTION_SET"); asked != nullptr && *asked != 0) {
    EXPECT_EQ(name_of(instruction_set()), std::string(asked));
  }
  if (const char* onednn = std::getenv("ONEDNN_MAX_CPU_ISA"); onednn != nullptr) {
    const std::string level = onednn;
    if (level == "AVX2" || level == "SSE41") {
      EXPECT_FALSE(has_onednn_bfloat16_products());
    }
  }
}

TEST(Capabilities, ProductsAreRightWhateverIsThere) {
  const Tensor weight = cosine({48, 32}).to(at::kFloat);
  WeightStore packed({weight});
  for (const int64_t rows : {1, 5, 64}) {
    const Tensor x = cosine({rows, 32}, 7).to(at::kFloat), expected = x.matmul(weight.t());
    EXPECT_TRUE(close(seq2seq::linear(x, weight), expected, 1e-5));
    const ComputeScope use(&Compute::weights, &packed);
    EXPECT_TRUE(close(seq2seq::linear(x, weight), expected, 1e-5));
  }
}

}  // namespace
}  // namespace seq2seq::test
