#include "seq2seq/nn/ops/copy.h"

#include <gtest/gtest.h>

#include <cmath>

#include "../support/compare.h"
#include "../support/gradcheck.h"
#include "seq2seq/nn/ops/cross_entropy.h"

namespace seq2seq::test {
namespace {

constexpr int64_t source_words = 8, target_words = 9;

Tensor ids(const std::vector<int64_t>& values, int64_t rows) {
  return at::tensor(values, on_device(at::kLong)).view({rows, -1});
}

// Source id 4 is target id 7, and 5 is 5; the target vocabulary lacks 6 and 7.
const Tensor table = ids({-1, -1, -1, -1, 7, 5, -1, -1}, 1)[0];

TEST(CopySlotsTest, AreTargetIdsOrFirstPositions) {
  // In the target vocabulary, not in it, in it, the second again, twice a token outside the source
  // vocabulary, </s>; then a short sentence with padding.
  const Tensor source = ids({4, 6, 5, 6, 12, 12, 3, /**/ 9, 8, 3, 0, 0, 0, 0}, 2);
  const Tensor copyable = source.ne(3).logical_and(source.ne(0));
  EXPECT_TRUE(same(copy_slots(source, copyable, table, source_words, target_words),
                   ids({7, 10, 5, 10, 13, 13, -1, /**/ 9, 10, -1, -1, -1, -1, -1}, 2)));
}

TEST(CopySlotsTest, ArePositionsOfTheFirstOfEqualTokens) {
  const int64_t rows = 3, length = 40;
  const Tensor place = at::arange(rows * length, on_device(at::kLong)).view({rows, length});
  const Tensor source =
      (place * place * 7 + place).remainder(11) + source_words;  // all beyond both vocabularies
  const Tensor slots = copy_slots(source, source.ge(0), table, source_words, target_words);
  for (int64_t b = 0; b < rows; ++b)
    for (int64_t s = 0; s < length; ++s) {
      int64_t first = 0;
      while (source[b][first].item<int64_t>() != source[b][s].item<int64_t>()) ++first;
      EXPECT_EQ(slots[b][s].item<int64_t>(), target_words + first) << b << ", " << s;
    }
  const Tensor columns = source.t().contiguous().t();
  EXPECT_TRUE(same(copy_slots(columns, columns.ge(0), table, source_words, target_words), slots));
}

// Each with each would be 10 GB.
TEST(CopySlotsTest, NeedMemoryInProportionToTheLength) {
  const Tensor place = at::arange(100'000, on_device(at::kLong)).unsqueeze(0);
  const Tensor source = place.remainder(1000) + source_words;
  EXPECT_TRUE(same(copy_slots(source, source.ge(0), table, source_words, target_words),
                   place.remainder(1000) + target_words));
}

// Two sentences, three steps; the second sentence has a single token that can be copied.
struct Case {
  Tensor gate = cosine_leaf({2, 3, 1}, 0, 2.0);
  Tensor scores = cosine_leaf({2, 3, 4}, 50, 2.0);
  Tensor slots = ids({5, 10, 5, -1, /**/ 9, -1, -1, -1}, 2);
  Tensor mask = ids({1, 1, 1, 1, /**/ 1, 1, 0, 0}, 2).to(at::kBool);
  Tensor features = cosine_leaf({2, 3, 2}, 100), weight = cosine_leaf({target_words, 2}, 200, 1.5);
  Tensor attention() const { return scores.masked_fill(mask.logical_not().unsqueeze(1), -1e9).softmax(2); }
};

TEST(CopySharesTest, SumToOneAndLeaveOutWhatCannotBeCopied) {
  const Case c;
  const Tensor attention = c.attention();
  const CopyShares shares = copy_shares(c.gate, attention, c.slots.unsqueeze(1));
  EXPECT_TRUE(
      close(shares.generated.squeeze(2) + shares.copied.sum(2), at::ones({2, 3}, at::kDouble), 1e-14));
  for (int64_t b = 0; b < 2; ++b)
    for (int64_t t = 0; t < 3; ++t) {
      const double p_gen = 1 / (1 + std::exp(-c.gate[b][t][0].item<double>()));
      double generated = p_gen;
      for (int64_t s = 0; s < 4; ++s) {
        const double looked = attention[b][t][s].item<double>();
        const bool copyable = c.slots[b][s].item<int64_t>() >= 0;
        EXPECT_NEAR(shares.copied[b][t][s].item<double>(), copyable ? (1 - p_gen) * looked : 0, 1e-14);
        if (!copyable) generated += (1 - p_gen) * looked;
      }
      EXPECT_NEAR(shares.generated[b][t][0].item<double>(), generated, 1e-14);
    }
}

// The remainder of attention, in the second column of the gate, goes to generation.
TEST(CopySharesTest, SumToOneWhenAttentionDoesNot) {
  const Case c;
  const Tensor attention = c.attention() * 0.75;
  const CopyShares whole = copy_shares(c.gate, c.attention(), c.slots.unsqueeze(1));
  const CopyShares shares =
      copy_shares(at::cat({c.gate, at::full_like(c.gate, 0.25)}, 2), attention, c.slots.unsqueeze(1));
  EXPECT_TRUE(close(shares.copied, whole.copied * 0.75, 1e-14));
  EXPECT_TRUE(
      close(shares.generated.squeeze(2) + shares.copied.sum(2), at::ones({2, 3}, at::kDouble), 1e-14));
}

// p(slot) = generated * P(slot) + sum of copied over the positions of the slot, written out.
TEST(MixtureTest, EqualsTheLoopsWrittenOutAndSumsToOne) {
  const Case c;
  const Tensor log_words = c.features.matmul(c.weight.t()).log_softmax(2), attention = c.attention();
  const CopyShares shares = copy_shares(c.gate, attention, c.slots.unsqueeze(1));
  for (int64_t t = 0; t < 3; ++t) {
    const Tensor mixed = mixed_log_probabilities(
        log_words.select(1, t), {shares.generated.select(1, t), shares.copied.select(1, t)}, c.slots);
    ASSERT_EQ(mixed.sizes(), at::IntArrayRef({2, target_words + 4}));
    EXPECT_TRUE(close(mixed.exp().sum(1), at::ones({2}, at::kDouble), 1e-12));
    for (int64_t b = 0; b < 2; ++b)
      for (int64_t slot = 0; slot < target_words + 4; ++slot) {
        double expected = slot < target_words ? shares.generated[b][t][0].item<double>() *
                                                    std::exp(log_words[b][t][slot].item<double>())
                                              : 0.0;
        for (int64_t s = 0; s < 4; ++s)
          if (c.slots[b][s].item<int64_t>() == slot) expected += shares.copied[b][t][s].item<double>();
        EXPECT_NEAR(std::exp(mixed[b][slot].item<double>()), expected, 1e-13) << b << " " << t << " " << slot;
      }
  }
}

// The loss uses the same probabilities; attention of another position or sentence would change it.
TEST(MixtureTest, LossIsThatOfTheMixture) {
  const Case c;
  const Tensor targets = ids({5, 10, 3, /**/ 9, 12, 4}, 2);  // 12: can be neither generated nor copied
  const CopyShares shares = copy_shares(c.gate, c.attention(), c.slots.unsqueeze(1));
  const Tensor copied = copied_probability(shares.copied, c.slots, targets);
  const Tensor log_words = c.features.matmul(c.weight.t()).log_softmax(2);
  for (const double smoothing : {0.0, 0.1}) {
    double loss = 0, nll = 0;
    for (int64_t b = 0; b < 2; ++b)
      for (int64_t t = 0; t < 3; ++t) {
        const int64_t target = targets[b][t].item<int64_t>();
        double p = target < target_words ? shares.generated[b][t][0].item<double>() *
                                               std::exp(log_words[b][t][target].item<double>())
                                         : 0.0;
        for (int64_t s = 0; s < 4; ++s)
          if (c.slots[b][s].item<int64_t>() == target) p += shares.copied[b][t][s].item<double>();
        const double own = -std::log(std::max(p, 1e-30));
        nll += own;
        loss += (1 - smoothing) * own - smoothing * log_words[b][t].mean().item<double>();
      }
    const LossSums sums =
        projected_cross_entropy(c.features.reshape({6, 2}), c.weight, {}, targets.reshape(-1), smoothing,
                                {shares.generated.reshape(-1), copied.reshape(-1)});
    EXPECT_NEAR(sums.loss.item<double>(), loss, 1e-10);
    EXPECT_NEAR(sums.negative_log_likelihood.item<double>(), nll, 1e-10);
  }
}

// Its probability is clamped to least_probability, a constant.
TEST(MixtureTest, WhatCannotBeWrittenHasNoGradient) {
  const Case c;
  const Tensor generated = on_device(at::full({1}, 0.5, at::kDouble)).requires_grad_(),
               copied = on_device(at::zeros({1}, at::kDouble)).requires_grad_();
  const LossSums sums = projected_cross_entropy(c.features[0].narrow(0, 0, 1), c.weight, {},
                                                ids({target_words}, 1)[0], 0.1, {generated, copied});
  sums.loss.backward();
  EXPECT_NEAR(sums.negative_log_likelihood.item<double>(), -std::log(1e-30), 1e-10);
  EXPECT_TRUE(same(generated.grad(), at::zeros({1}, at::kDouble)));
  EXPECT_TRUE(same(copied.grad(), at::zeros({1}, at::kDouble)));
}

TEST(MixtureTest, GradientsEqualDifferences) {
  const Case c;
  const Tensor targets = ids({5, 10, 3, /**/ 9, 3, 4}, 2);
  for (const double smoothing : {0.0, 0.1})
    EXPECT_TRUE(gradients_agree(
        [&] {
          const CopyShares shares = copy_shares(c.gate, c.attention(), c.slots.unsqueeze(1));
          const Tensor copied = copied_probability(shares.copied, c.slots, targets);
          return projected_cross_entropy(c.features.reshape({6, 2}), c.weight, {}, targets.reshape(-1),
                                         smoothing, {shares.generated.reshape(-1), copied.reshape(-1)})
                     .loss *
                 0.3;
        },
        {c.gate, c.scores, c.features, c.weight}));
}

// The loss and its gradients stay finite with a saturated gate and a target of probability 0.
TEST(MixtureTest, ExtremesStayFinite) {
  for (const auto type : {at::kDouble, at::kFloat})
    for (const double certain : {-1e4, 1e4}) {
      const Tensor gate = at::full({1, 2, 1}, certain, on_device(type)).requires_grad_();
      const Tensor scores =
          at::tensor({0.0, 200.0, 0.0, 200.0}, on_device(type)).view({1, 2, 2}).requires_grad_();
      const Tensor slots = ids({9, 10}, 1), targets = ids({9, 11}, 1);
      const Tensor features = cosine({2, 2}).to(type).requires_grad_(), weight = cosine({9, 2}, 50).to(type);
      const CopyShares shares = copy_shares(gate, scores.softmax(2), slots.unsqueeze(1));
      const LossSums sums = projected_cross_entropy(
          features, weight, {}, targets.reshape(-1), 0.1,
          {shares.generated.reshape(-1), copied_probability(shares.copied, slots, targets).reshape(-1)});
      sums.loss.backward();
      EXPECT_TRUE(std::isfinite(sums.loss.item<double>()));
      for (const Tensor& leaf : {gate, scores, features})
        EXPECT_TRUE(leaf.grad().isfinite().all().item<bool>()) << leaf.grad();
    }
}

}  // namespace
}  // namespace seq2seq::test
