#include "seq2seq/nn/masks.h"

#include <gtest/gtest.h>

#include "../support/compare.h"
#include "../support/fill.h"

namespace seq2seq::test {
namespace {

Tensor ids(std::initializer_list<int64_t> values) {
  return at::tensor(values, on_device(at::kLong));
}

TEST(MasksTest, LengthMaskIsTrueInsideTheSentence) {
  const Tensor expected = at::tensor({1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0}).view({3, 4}).to(at::kBool);
  EXPECT_TRUE(same(length_mask(ids({1, 4, 2}), at::empty({3, 4}, on_device(at::kDouble))), expected));
}

TEST(MasksTest, ReversalStaysInsideEachSentence) {
  const Tensor expected = ids({0, 1, 2, 3, 3, 2, 1, 0, 1, 0, 2, 3}).view({3, 4});
  EXPECT_TRUE(same(reversed_positions(ids({1, 4, 2}), at::empty({3, 4}, on_device(at::kFloat))), expected));
}

TEST(MasksTest, ReversingTwiceRestores) {
  const Tensor x = cosine({3, 5, 2});
  const Tensor reversal = reversed_positions(ids({5, 1, 3}), x.select(2, 0));
  const Tensor once = reorder_time(x, reversal);
  EXPECT_TRUE(same(reorder_time(once, reversal), x));
  EXPECT_TRUE(same(once[0], x[0].flip(0)));
  EXPECT_TRUE(same(once[1], x[1]));
  EXPECT_TRUE(same(once[2], x[2].index_select(0, ids({2, 1, 0, 3, 4}))));
}

TEST(MasksTest, LastStateIsThatOfEachLength) {
  const Tensor x = cosine({3, 5, 2});
  const Tensor last = last_state(x, ids({5, 1, 3}));
  EXPECT_TRUE(same(last, at::stack({x[0][4], x[1][0], x[2][2]})));
}

TEST(MasksTest, ReverseTimeHasValuesAndGradientOfReorderTime) {
  const Tensor x = cosine_leaf({3, 5, 2}), other = cosine_leaf({3, 5, 2}), weights = cosine({3, 5, 2}, 70);
  const Tensor reversal = reversed_positions(ids({5, 1, 3}), x.detach().select(2, 0));
  const Tensor reversed = reverse_time(x, reversal), reordered = reorder_time(other, reversal);
  EXPECT_TRUE(same(reversed, reordered));
  (reversed * weights).sum().backward();
  (reordered * weights).sum().backward();
  EXPECT_TRUE(same(x.grad(), other.grad()));
  const at::NoGradGuard no_grad;
  EXPECT_TRUE(same(reverse_time(x, reversal), reordered));
}

TEST(MasksTest, LastStatePassesItsGradientToThatPositionAlone) {
  const Tensor x = cosine_leaf({2, 3, 2});
  last_state(x, ids({3, 1})).sum().backward();
  const Tensor expected = at::tensor({0, 0, 1, 1, 0, 0}).view({2, 3, 1}).expand({2, 3, 2}).to(at::kDouble);
  EXPECT_TRUE(same(x.grad(), expected));
}

TEST(ShapesTest, WrongSizesAreNamed) {
  const Tensor x = on_device(at::zeros({2, 3}));
  EXPECT_NO_THROW(check_shape("x", x, {2, 3}));
  EXPECT_NO_THROW(check_shape("x", x, {-1, 3}));
  EXPECT_THROW(check_shape("x", x, {2, 3, 1}), c10::Error);
  EXPECT_THROW(check_shape("x", {}, {2, 3}), c10::Error);
  try {
    check_shape("query", x, {2, 4});
    FAIL() << "accepted";
  } catch (const c10::Error& error) {
    const std::string message = error.what_without_backtrace();
    EXPECT_NE(message.find("query should have sizes [2, 4]"), std::string::npos) << message;
    EXPECT_NE(message.find("but has [2, 3]"), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace seq2seq::test
