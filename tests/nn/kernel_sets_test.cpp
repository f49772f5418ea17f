#include "seq2seq/nn/ops/kernel_sets.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "../support/shadow_device.h"
#include "cuda_on_cpu.h"
#include "seq2seq/core/error.h"
#include "seq2seq/nn/cuda/kernel_sets.h"
#include "seq2seq/nn/engine/gathered_gradients.h"
#include "seq2seq/nn/layers/multi_head_attention.h"
#include "seq2seq/nn/masks.h"
#include "seq2seq/nn/ops/additive_scores.h"
#include "seq2seq/nn/ops/attend.h"
#include "seq2seq/nn/ops/checked.h"
#include "seq2seq/nn/ops/cross_entropy.h"
#include "seq2seq/nn/ops/dropout.h"
#include "seq2seq/nn/ops/gru_cell.h"
#include "seq2seq/nn/ops/linear.h"
#include "seq2seq/nn/ops/lstm_cell.h"
#include "seq2seq/nn/ops/memory_products.h"
#include "seq2seq/nn/ops/top_k.h"

namespace seq2seq::test {
namespace {

using Tensors = std::vector<Tensor>;

// As `cosine`, but always on the CPU: operands are moved to the device whose kernels are tested.
Tensor numbers(at::IntArrayRef sizes, int64_t start = 0, double scale = 1.0) {
  const Tensor n = at::arange(start, start + c10::multiply_integers(sizes), at::kDouble);
  return ((n * n).cos() * scale).view(sizes);
}
Tensor leaf(at::IntArrayRef sizes, int64_t start = 0, double scale = 1.0) {
  return numbers(sizes, start, scale).requires_grad_();
}

/// An operation and its operands; random numbers in it come from a fixed seed.
struct OperationCase {
  std::string name;
  Tensors operands;  ///< in double; with requires_grad where gradients are compared
  std::function<Tensors(const Tensors&)> operation;  ///< on the device of the first
};

Tensor cut_mask(int64_t sentences, int64_t length) {
  const Tensor lengths = (at::arange(sentences) * 7).remainder(length) + 1;
  return length_mask(lengths, at::empty({sentences, length}));
}

void add_cells(std::vector<OperationCase>& cases) {
  for (const int64_t width : {1, 3, 17, 130})
    cases.push_back({"lstm_cell_" + std::to_string(width),
                     {leaf({5, 4 * width}, 0, 3), leaf({5, 4 * width}, 900, 3), leaf({5, width}, 4000, 3)},
                     [](const Tensors& x) {
                       const CellState next = lstm_cell(x[0], x[1], x[2]);
                       return Tensors{next.hidden, next.cell};
                     }});
}

void add_gated_units(std::vector<OperationCase>& cases) {
  for (const int64_t width : {1, 3, 17, 130})
    cases.push_back({"gru_cell_" + std::to_string(width),
                     {leaf({5, 3 * width}, 0, 3), leaf({5, 3 * width}, 900, 3), leaf({5, width}, 4000, 3)},
                     [](const Tensors& x) { return Tensors{gru_cell(x[0], x[1], x[2])}; }});
}

void add_additive_scores(std::vector<OperationCase>& cases) {
  for (const int64_t width : {1, 3, 17, 130})
    for (const int64_t hypotheses : {1, 5})
      for (const bool covered : {false, true}) {
        Tensors operands{leaf({3, 5, width}, 0, 3), leaf({3, hypotheses, width}, 5000, 3),
                         leaf({width}, 9000)};
        if (covered) {
          operands.push_back(leaf({3, hypotheses, 5}, 300));
          operands.push_back(leaf({width}, 700));
        }
        cases.push_back({"additive_scores_" + std::to_string(width) + "_" + std::to_string(hypotheses) +
                             (covered ? "_covered" : ""),
                         operands, [](const Tensors& x) {
                           const Tensor mask = cut_mask(3, 5).to(x[0].device());
                           const Tensor scores = x.size() > 3
                                                     ? additive_scores(x[0], x[1], x[2], mask, x[3], x[4])
                                                     : additive_scores(x[0], x[1], x[2], mask);
                           return Tensors{scores.masked_fill(mask.logical_not().unsqueeze(1), 0)};
                         }});
      }
}

// Sizes below, at and above the kernels' number of lanes and those that kernels of a GPU keep in shared memory, in the
// memory layout of a layer's projections.
void add_attention(std::vector<OperationCase>& cases) {
  struct Sizes {
    int64_t queries, keys, width;
    bool causal;
  };
  for (const Sizes& s :
       {Sizes{3, 5, 4, false}, Sizes{9, 37, 20, false}, Sizes{1, 16, 16, false}, Sizes{1, 33, 40, false},
        Sizes{3, 33, 17, false}, Sizes{5, 1, 3, false}, Sizes{1, 1, 1, true}, Sizes{21, 21, 17, true},
        Sizes{48, 48, 32, true}, Sizes{8, 8, 4, true}, Sizes{8, 190, 66, false}, Sizes{9, 90, 64, false},
        Sizes{30, 30, 64, true}, Sizes{40, 70, 64, false}, Sizes{64, 64, 64, true}})
    for (const bool masked : {false, true})
      for (const bool dropped : {false, true}) {
        constexpr int64_t sentences = 3, heads = 2;
        const auto attended = [=](const Tensors& x, auto attend_in_some_way) {
          const auto parts = x[1].chunk(2, -1);
          Noise noise(5);
          return attend_in_some_way(
              split_heads(x[0], heads),
              HeadMemory{split_heads(parts[0], heads), split_heads(parts[1], heads)},
              Visible{masked ? cut_mask(sentences, s.keys).to(x[0].device()) : Tensor(), s.causal},
              WeightDropout{0.3, dropped ? &noise : nullptr});
        };
        const Tensors operands{leaf({sentences, s.queries, heads * s.width}, 10),
                               leaf({sentences, s.keys, 2 * heads * s.width}, 500)};
        const std::string name = std::to_string(s.queries) + "_" + std::to_string(s.keys) + "_" +
                                 std::to_string(s.width) + (s.causal ? "_causal" : "") +
                                 (masked ? "_masked" : "") + (dropped ? "_dropped" : "");
        cases.push_back({"attend_" + name, operands, [=](const Tensors& x) {
                           return Tensors{attended(x, [](const auto&... given) { return attend(given...); })};
                         }});
        if (dropped) continue;  // left to the plain version
        cases.push_back({"attend_with_weights_" + name,
                         {operands[0].detach(), operands[1].detach()},
                         [=](const Tensors& x) {
                           const auto both = attended(
                               x, [](const auto&... given) { return attend_with_weights(given...); });
                           return Tensors{both.first, both.second};
                         }});
      }
}

// Of contiguous states and others, without gradients, with them, and gathered over two steps.
void add_memory_products(std::vector<OperationCase>& cases) {
  constexpr int64_t sentences = 3, length = 5;
  struct Product {
    const char* name;
    bool weighted;
    Tensor (*of)(const Tensor&, const Tensor&);
  };
  for (const Product& product :
       {Product{"states_dot", false, states_dot}, Product{"weighted_states", true, weighted_states}})
    for (const int64_t width : {1, 17, 130})
      for (const int64_t rows : {1, 5}) {
        const int64_t common = product.weighted ? length : width;
        const Tensors operands{leaf({sentences, rows, common}), leaf({sentences, rows, common}, 700),
                               leaf({length, sentences, width}, 3000)};
        const std::string name =
            std::string(product.name) + "_" + std::to_string(width) + "_" + std::to_string(rows);
        const auto both_steps = [of = product.of](const Tensors& x) {
          const Tensor states = x[2].transpose(0, 1);
          return Tensors{of(x[0], states), of(x[1].sin(), states)};
        };
        cases.push_back({name,
                         {numbers({sentences, rows, common}), numbers({sentences, length, width}, 50)},
                         [of = product.of](const Tensors& x) { return Tensors{of(x[0], x[1])}; }});
        cases.push_back({name + "_differentiated", operands, both_steps});
        cases.push_back({name + "_gathered", operands, [both_steps](const Tensors& x) {
                           GatheredGradients gather;
                           const ComputeScope scope(&Compute::gather, &gather);
                           return both_steps(x);
                         }});
      }
}

// Row counts below and above one block (512).
void add_cross_entropy(std::vector<OperationCase>& cases) {
  for (const int64_t rows : {1, 513, 1100})
    for (const double smoothing : {0.0, 0.1})
      for (const bool mixed : {false, true}) {
        constexpr int64_t width = 9, vocabulary = 37;
        Tensors operands{leaf({rows, width}, 0, 2), leaf({vocabulary, width}, 50000, 2),
                         leaf({vocabulary}, 90000, 2)};
        if (mixed)
          for (const int64_t start : {100, 5000})
            operands.push_back(numbers({rows}, start).abs().mul(0.5).add(0.01).requires_grad_());
        cases.push_back(
            {"cross_entropy_" + std::to_string(rows) + (smoothing > 0 ? "_smoothed" : "") +
                 (mixed ? "_mixed" : ""),
             operands, [=](const Tensors& x) {
               // With copying, some targets are outside the vocabulary.
               const Tensor targets =
                   (at::arange(rows) * 5).remainder(vocabulary + (mixed ? 3 : 0)).to(x[0].device());
               const LossSums sums = projected_cross_entropy(x[0], x[1], x[2], targets, smoothing,
                                                             mixed ? CopyMixture{x[3], x[4]} : CopyMixture{});
               return Tensors{sums.loss, sums.negative_log_likelihood};
             }});
      }
}

// No two values are equal. The widths are chosen around the kernels' blocks.
Tensor distinct_logits(int64_t rows, int64_t width) {
  return (at::arange(rows * width, at::kDouble) * 0.7310585).sin().mul(8).view({rows, width});
}

/// Every third index of `width` in all rows but the second: forbidden, raised, lowered, scaled, only watched.
Adjustments mixed_adjustments(int64_t rows, int64_t width) {
  const Adjustment kinds[] = {{0, -std::numeric_limits<double>::infinity(), 0},
                              {0, 1.25, 0},
                              {0, -0.75, 0},
                              {0, 0.1, 0.3},
                              {0, 0, 0}};
  Adjustments result;
  for (int64_t row = 0; row < rows; ++row) {
    result.begins.push_back(std::ssize(result.all));
    for (int64_t index = row % 3; row != 1 && index < width; index += 3) {
      result.all.push_back(kinds[(index / 3 + row) % 5]);
      result.all.back().index = index;
    }
  }
  result.begins.push_back(std::ssize(result.all));
  return result;
}

/// Values this small have no reliable rank.
Tensors reliable_values(const TopK& best) {
  const Tensor likely = best.log_probabilities.gt(-60);
  Tensors values{best.log_probabilities.clamp_min(-60), best.indices.masked_fill(likely.logical_not(), -1),
                 best.watched.clamp_min(-60)};
  if (best.adjusted.defined()) {
    values.push_back(best.adjusted.clamp_min(-60));
    values.push_back(best.likeliest);
  }
  return values;
}

void add_adjusted_top_k(std::vector<OperationCase>& cases, int64_t width, const Tensor& slots,
                        const CopyShares& shares) {
  const std::string name = "adjusted_top_k_" + std::to_string(width);
  cases.push_back({name, {distinct_logits(9, width)}, [=](const Tensors& x) {
                     return reliable_values(top_k_log_softmax(x[0].clone(), 4, {0, 2, width - 1}, 2,
                                                              mixed_adjustments(9, width)));
                   }});
  for (const int64_t k : {1, 4, 9})
    cases.push_back({name + "_mixture_" + std::to_string(k),
                     {distinct_logits(6, width), shares.generated, shares.copied},
                     [=](const Tensors& x) {
                       return reliable_values(top_k_mixture(x[0].clone(), {x[1], x[2]},
                                                            slots.to(x[0].device()), k, {0, 2, 4}, 3,
                                                            mixed_adjustments(6, width + slots.size(1))));
                     }});
}

void add_top_k(std::vector<OperationCase>& cases) {
  for (const int64_t width : {7, 16, 63, 64, 65, 200, 1000}) {
    cases.push_back({"top_k_" + std::to_string(width), {distinct_logits(9, width)}, [=](const Tensors& x) {
                       const TopK best = top_k_log_softmax(x[0].clone(), 4, {0, 2, width - 1}, 2);
                       return Tensors{best.log_probabilities, best.indices, best.watched};
                     }});
    // Two sentences of three rows; tokens copied once and twice, slots beyond the vocabulary, padding.
    const Tensor slots = at::tensor(std::vector<int64_t>{4, width, width + 1, 4, width, -1,  //
                                                         5, 6, width + 2, 3, -1, -1})
                             .view({2, 6});
    const Tensor attention = distinct_logits(6, 6).add(0.3).softmax(-1);
    const Tensor gate = at::tensor({-9.0, 0.5, 2.0, -1.0, 9.0, -20.0}, at::kDouble).unsqueeze(1);
    const CopyShares shares = copy_shares(gate, attention, slots.repeat_interleave(3, 0));
    for (const int64_t k : {1, 4, 9})
      cases.push_back({"top_k_mixture_" + std::to_string(width) + "_" + std::to_string(k),
                       {distinct_logits(6, width), shares.generated, shares.copied},
                       [=](const Tensors& x) {
                         return reliable_values(top_k_mixture(x[0].clone(), {x[1], x[2]},
                                                              slots.to(x[0].device()), k, {0, 2, 4}, 3));
                       }});
    add_adjusted_top_k(cases, width, slots, shares);
  }
}

// Longer than what a kernel of a GPU keeps in shared memory.
void add_long_source(std::vector<OperationCase>& cases) {
  constexpr int64_t width = 65, length = 1100;
  const Tensor slots = (at::arange(length) * 7).remainder(width + length).unsqueeze(0);
  const CopyShares shares = copy_shares(at::tensor({0.5, -1.0}, at::kDouble).unsqueeze(1),
                                        distinct_logits(2, length).softmax(-1), slots.repeat({2, 1}));
  cases.push_back({"top_k_mixture_long",
                   {distinct_logits(2, width), shares.generated, shares.copied},
                   [=](const Tensors& x) {
                     const TopK best =
                         top_k_mixture(x[0].clone(), {x[1], x[2]}, slots.to(x[0].device()), 20, {0, 2, 4}, 3);
                     return Tensors{best.log_probabilities, best.indices, best.watched};
                   }});
}

void add_noise(std::vector<OperationCase>& cases) {
  for (const double p : {0.1, 0.9}) {
    const std::string name = p < 0.5 ? "_rare" : "_often";
    cases.push_back({"dropped" + name, {leaf({300, 70})}, [=](const Tensors& x) {
                       return Tensors{dropped(x[0].t(), 9, p)};
                     }});
    cases.push_back({"dropout_mask" + name, {numbers({300, 70})}, [=](const Tensors& x) {
                       return Tensors{dropout_mask(x[0], uint64_t{1} << 40, p)};
                     }});
  }
  cases.push_back({"uniform_numbers", {numbers({300, 70})}, [](const Tensors& x) {
                     return Tensors{uniform_numbers(x[0], 77)};
                   }});
}

std::vector<OperationCase> all_cases() {
  std::vector<OperationCase> cases;
  add_cells(cases);
  add_gated_units(cases);
  add_additive_scores(cases);
  add_attention(cases);
  add_memory_products(cases);
  add_cross_entropy(cases);
  add_top_k(cases);
  add_long_source(cases);
  add_noise(cases);
  return cases;
}

/// All outputs, and the gradients of an unevenly weighted sum of them.
Tensors values_and_gradients(const OperationCase& c, at::ScalarType type, at::Device device = at::kCPU) {
  Tensors operands, differentiated;
  for (const Tensor& x : c.operands) {
    operands.push_back(x.detach().to(device, type).requires_grad_(x.requires_grad()));
    if (x.requires_grad()) differentiated.push_back(operands.back());
  }
  Tensors results = c.operation(operands);
  Tensor sum;
  for (size_t i = 0; i < results.size(); ++i) {
    if (!results[i].requires_grad()) continue;
    const Tensor part =
        (results[i] * numbers(results[i].sizes(), 3 + static_cast<int64_t>(i)).to(device, type)).sum();
    sum = sum.defined() ? sum + part : part;
  }
  if (sum.defined())
    for (const Tensor& gradient : torch::autograd::grad({sum}, differentiated)) results.push_back(gradient);
  return results;
}

/// The CPU, unless the tests are on a GPU.
at::Device kernels_device() {
  return test_device().is_cuda() ? test_device() : at::kCPU;
}

/// The kernel sets for that device.
std::vector<const KernelSet*> tested_sets() {
  if (kernels_device().is_cuda()) return {&cuda_kernels};
  std::vector<const KernelSet*> sets(kernel_sets().begin(), kernel_sets().end());
  std::erase(sets, &cuda_kernels);
  sets.insert(sets.end(), {&cuda_by_one_thread, &cuda_by_four_threads});
  return sets;
}

TEST(CudaKernels, AreFoundWhereTheTestsAreOnAGpu) {
  EXPECT_FALSE(cuda_kernels.serves(at::empty({1})));
  if (!test_device().is_cuda()) GTEST_SKIP() << "the tests are not on a GPU";
  EXPECT_TRUE(cuda_kernels.serves(at::empty({1}, on_device(at::kFloat))));
}

using SetOperationAndType = std::tuple<const KernelSet*, OperationCase, at::ScalarType>;

class KernelSetTest : public ::testing::TestWithParam<SetOperationAndType> {};

TEST_P(KernelSetTest, EqualsThePlainTwin) {
  const auto& [set, c, type] = GetParam();
  const at::Device device = kernels_device();
  if (!set->serves(at::empty({1}, at::TensorOptions(device))))
    GTEST_SKIP() << "this machine lacks " << set->name;
  const auto run = [&, &operation = c, kind = type](Kernels kernels, const KernelSet* chosen) {
    const ComputeScope scope({.kernels = kernels, .set = chosen});
    return values_and_gradients(operation, kind, device);
  };
  const Tensors fast = run(Kernels::fast, set), plain = run(Kernels::plain, nullptr);
  ASSERT_EQ(fast.size(), plain.size());
  for (size_t i = 0; i < fast.size(); ++i) {
    EXPECT_EQ(fast[i].sizes(), plain[i].sizes());
    EXPECT_EQ(fast[i].scalar_type(), plain[i].scalar_type());
    EXPECT_LE(relative_difference(fast[i], plain[i]), kernel_tolerance(type)) << "value " << i;
  }
  EXPECT_NO_THROW(run(Kernels::check, set));
}

INSTANTIATE_TEST_SUITE_P(All, KernelSetTest,
                         ::testing::Combine(::testing::ValuesIn(tested_sets()),
                                            ::testing::ValuesIn(all_cases()),
                                            ::testing::Values(at::kFloat, at::kDouble)),
                         [](const auto& test) {
                           std::string name = std::string(std::get<0>(test.param)->name) + "_" +
                                              std::get<1>(test.param).name +
                                              (std::get<2>(test.param) == at::kFloat ? "_float" : "_double");
                           std::replace(name.begin(), name.end(), ' ', '_');
                           return name;
                         });

/// The best kernel set, whatever is active: the base of the wrong kernels below.
const KernelSet& right() {
  static const KernelSet& best = [&]() -> const KernelSet& {
    const ComputeScope usual{Compute{}};
    return *kernels_for(at::empty({1}));
  }();
  return best;
}

struct Mistake {
  const char* operation;  ///< the case in which it shows
  const char* named;      ///< its name in the message
  void (*make)(KernelSet&);
};
const Mistake mistakes[] = {
    {"lstm_cell_3", "lstm_cell, output 0",
     [](KernelSet& set) {
       set.lstm_cell = [](const Tensor& gates, const Tensor& before, const Tensor& hidden,
                          const Tensor& cell) {
         right().lstm_cell(gates, before, hidden, cell);
         hidden.select(0, 1).mul_(1.01);
       };
     }},
    {"lstm_cell_3", "lstm_cell, gradient of operand 2",
     [](KernelSet& set) {
       set.lstm_cell_backward = [](const Tensor& activated, const Tensor& before, const Tensor& cell,
                                   const Tensor& dhidden, const Tensor& dcell, const Tensor& dgates,
                                   const Tensor& dbefore) {
         right().lstm_cell_backward(activated, before, cell, dhidden, dcell, dgates, dbefore);
         dbefore.select(0, 1).zero_();
       };
     }},
    {"gru_cell_3", "gru_cell, output 0",
     [](KernelSet& set) {
       set.gru_cell = [](const Tensor& input, const Tensor& recurrent, const Tensor& before,
                         const Tensor& gates, const Tensor& hidden) {
         right().gru_cell(input, recurrent, before, gates, hidden);
         hidden.select(1, 2).zero_();
       };
     }},
    {"gru_cell_3", "gru_cell, gradient of operand 1",
     [](KernelSet& set) {
       set.gru_cell_backward = [](const Tensor& gates, const Tensor& recurrent, const Tensor& before,
                                  const Tensor& dhidden, const Tensor& dinput, const Tensor& drecurrent,
                                  const Tensor& dbefore) {
         right().gru_cell_backward(gates, recurrent, before, dhidden, dinput, drecurrent, dbefore);
         drecurrent.copy_(dinput);
       };
     }},
    {"additive_scores_3_5_covered", "additive_scores, output 0",
     [](KernelSet& set) {
       set.additive_scores = [](const AdditiveOperands& operands, const Tensor& scores) {
         AdditiveOperands without = operands;
         without.coverage = without.coverage_weight = Tensor();
         right().additive_scores(without, scores);
       };
     }},
    {"additive_scores_3_5_covered", "additive_scores, gradient of operand 1",
     [](KernelSet& set) {
       set.additive_scores_backward = [](const AdditiveOperands& operands, const Tensor& dscores,
                                         const AdditiveGradients& gradients) {
         right().additive_scores_backward(operands, dscores, gradients);
         gradients.query.neg_();
       };
     }},
    {"attend_3_5_4_masked", "attend, output 0",
     [](KernelSet& set) {
       set.attend = [](const HeadOperands& operands, const Tensor& weights, const Tensor& context) {
         HeadOperands unmasked = operands;
         unmasked.mask = Tensor();
         right().attend(unmasked, weights, context);
       };
     }},
    {"attend_3_5_4_masked", "attend, gradient of operand 2",
     [](KernelSet& set) {
       set.attend_backward = [](const HeadOperands& operands, const Tensor& weights, const Tensor& dcontext,
                                const HeadGradients& gradients) {
         right().attend_backward(operands, weights, dcontext, gradients);
         gradients.values.select(1, 0).mul_(1.001);
       };
     }},
    {"states_dot_17_5", "states_dot, output 0",
     [](KernelSet& set) {
       set.states_dot = [](const Tensor& rows, const Tensor& states, const Tensor& products) {
         products.copy_(rows.bmm(states.transpose(1, 2)).mul_(1.01));
       };
     }},
    {"states_dot_17_5_gathered", "weighted_states, output 0",
     [](KernelSet& set) {
       set.weighted_states = [](const Tensor& weights, const Tensor& states, const Tensor& products) {
         products.copy_(weights.abs().bmm(states));
       };
     }},
    {"cross_entropy_513_smoothed_mixed", "projected_cross_entropy, gradient of operand 3",
     [](KernelSet& set) {
       set.cross_entropy = [](const CrossEntropyRows& rows) {
         right().cross_entropy(rows);
         if (rows.generated_gradient.defined()) rows.generated_gradient.mul_(1.01);
       };
     }},
    {"top_k_65", "top_k_log_softmax, output 1",
     [](KernelSet& set) {
       set.top_k = [](const TopKRows& rows) {
         right().top_k(rows);
         rows.indices.select(1, 1).fill_(1);
       };
     }},
    {"adjusted_top_k_65", "top_k_log_softmax, output 0",
     [](KernelSet& set) {
       set.adjusted_top_k = [](const TopKRows& rows) {
         right().adjusted_top_k(rows);
         rows.indices.select(1, 1).fill_(1);
       };
     }},
    {"adjusted_top_k_65", "top_k_log_softmax, output 3",
     [](KernelSet& set) {
       set.adjusted_top_k = [](const TopKRows& rows) {
         right().adjusted_top_k(rows);
         rows.adjusted.mul_(1.01);
       };
     }},
    {"dropped_rare", "dropped, output 0",
     [](KernelSet& set) {
       set.dropout = [](uint64_t seed, double p, const Tensor& x, const Tensor& y) {
         right().dropout(seed + 1, p, x, y);
       };
     }},
    {"uniform_numbers", "uniform_numbers, output 0",
     [](KernelSet& set) {
       set.uniform = [](uint64_t seed, const Tensor& numbers) { right().uniform(seed + 1, numbers); };
     }},
};

TEST(CheckedKernels, NameWhatAWrongKernelDid) {
  for (const Mistake& mistake : mistakes) {
    KernelSet wrong = right();
    mistake.make(wrong);
    const auto cases = all_cases();
    const auto c =
        std::ranges::find_if(cases, [&](const OperationCase& one) { return one.name == mistake.operation; });
    ASSERT_NE(c, cases.end()) << mistake.operation;
    const ComputeScope scope({.kernels = Kernels::check, .set = &wrong});
    try {
      values_and_gradients(*c, at::kDouble);
      ADD_FAILURE() << mistake.named << ": not noticed";
    } catch (const Error& error) {
      const std::string said = error.what();
      EXPECT_NE(said.find(mistake.named), std::string::npos) << said;
      EXPECT_NE(said.find("the fast kernel differs from the plain one by"), std::string::npos) << said;
      EXPECT_NE(said.find("on ["), std::string::npos) << said;
    }
  }
}

TEST(CheckedKernels, WrongKernelsAreNoticedOnlyWhenChecked) {
  KernelSet wrong = right();
  mistakes[0].make(wrong);
  const auto cases = all_cases();
  const Tensors expected = values_and_gradients(cases[1], at::kDouble);
  const ComputeScope scope({.set = &wrong});
  EXPECT_GT(relative_difference(values_and_gradients(cases[1], at::kDouble)[0], expected[0]), 1e-4);
}

// NaN in both results is reported as diverged training, not as a wrong kernel.
TEST(CheckedKernels, WhatIsNoNumberEitherWayIsNoDifference) {
  const ComputeScope scope(&Compute::kernels, Kernels::check);
  const Tensor gates = leaf({2, 12}), before = leaf({2, 3});
  gates.detach()[0][1] = std::nan("");
  EXPECT_NO_THROW(lstm_cell(gates, gates, before).hidden.sum().backward());
}

TEST(CheckedKernels, AGraphMayBeUsedTwice) {
  const ComputeScope scope(&Compute::kernels, Kernels::check);
  const Tensor gates = leaf({2, 12}), before = leaf({2, 3});
  const Tensor sum = lstm_cell(gates, gates, before).hidden.sum();
  const auto once = torch::autograd::grad({sum}, {gates}, {}, /*retain_graph=*/true);
  EXPECT_TRUE(torch::autograd::grad({sum}, {gates})[0].equal(once[0]));
}

TEST(CheckedKernels, ASetThatLacksAnOperationLeavesItToThePlainTwin) {
  KernelSet bare;
  bare.name = "bare";
  bare.serves = right().serves;
  const ComputeScope scope({.set = &bare});
  for (const OperationCase& c : all_cases()) EXPECT_NO_THROW(values_and_gradients(c, at::kFloat)) << c.name;
}

TEST(RelativeDifference, KnowsWhatIsNotANumber) {
  const double infinity = std::numeric_limits<double>::infinity();
  const auto of = [](const std::vector<double>& a, const std::vector<double>& b) {
    return relative_difference(at::tensor(a), at::tensor(b));
  };
  EXPECT_EQ(of({1, infinity}, {1, infinity}), 0);
  EXPECT_EQ(of({1, infinity}, {1, 2}), infinity);
  EXPECT_EQ(of({1, std::nan("")}, {1, 2}), infinity);
  EXPECT_EQ(of({1, std::nan("")}, {1, std::nan("")}), infinity);
  EXPECT_DOUBLE_EQ(of({1, 4}, {2, 4}), 0.25);
  EXPECT_EQ(of({}, {}), 0);
}

// An array followed by guard values, which no kernel may overwrite.
template <class Scalar>
class Guarded {
 public:
  explicit Guarded(int64_t size, Scalar value = 0) : values_(static_cast<size_t>(size) + guard, value) {
    std::fill(values_.end() - guard, values_.end(), mark);
  }
  Tensor tensor(at::IntArrayRef sizes) {
    return at::from_blob(values_.data(), sizes, c10::CppTypeToScalarType<Scalar>::value);
  }
  Scalar& operator[](int64_t i) { return values_[static_cast<size_t>(i)]; }
  bool intact() const {
    return std::all_of(values_.end() - guard, values_.end(), [](Scalar value) { return value == mark; });
  }
  std::vector<Scalar> values() const { return {values_.begin(), values_.end() - guard}; }

 private:
  static constexpr int guard = 32;
  static constexpr Scalar mark = 12345;
  std::vector<Scalar> values_;
};

template <class Scalar>
void fill(Guarded<Scalar>& array, int64_t size, double scale, double phase) {
  for (int64_t i = 0; i < size; ++i) {
    const double n = static_cast<double>(i) + phase;
    array[i] = static_cast<Scalar>(scale * std::cos(n * n));
  }
}

template <class Scalar>
constexpr double tolerance = std::is_same_v<Scalar, float> ? 1e-6 : 1e-14;

double logistic(double x) {
  return 1 / (1 + std::exp(-x));
}

template <class Scalar>
class KernelsTest : public ::testing::Test {};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(KernelsTest, Scalars);

/// The kernel sets that this machine supports.
std::vector<const KernelSet*> usable_sets() {
  std::vector<const KernelSet*> sets{&cuda_by_one_thread, &cuda_by_four_threads};
  for (const KernelSet* set : kernel_sets())
    if (set->serves(at::empty({1}))) sets.push_back(set);
  return sets;
}

TYPED_TEST(KernelsTest, LstmCellIsRightAtEveryWidthAndScale) {
  for (const KernelSet* set : usable_sets())
    for (const int64_t width : {1, 3, 17, 130})
      for (const double scale : {1.0, 50.0, 1e4}) {
        constexpr int64_t rows = 3;
        Guarded<TypeParam> gates(rows * 4 * width), before(rows * width), hidden(rows * width),
            cell(rows * width);
        fill(gates, rows * 4 * width, scale, 0);
        fill(before, rows * width, 2.0, 0.5);
        const auto inputs = gates.values();
        set->lstm_cell(gates.tensor({rows, 4 * width}), before.tensor({rows, width}),
                       hidden.tensor({rows, width}), cell.tensor({rows, width}));
        for (int64_t r = 0; r < rows; ++r)
          for (int64_t i = 0; i < width; ++i) {
            const auto gate = [&](int64_t g) -> double {
              return inputs[static_cast<size_t>((r * 4 + g) * width + i)];
            };
            const double next =
                logistic(gate(1)) * before[r * width + i] + logistic(gate(0)) * std::tanh(gate(2));
            EXPECT_NEAR(cell[r * width + i], next, 3 * tolerance<TypeParam>)
                << set->name << ", " << width << " wide, scale " << scale;
            EXPECT_NEAR(hidden[r * width + i], logistic(gate(3)) * std::tanh(next), 3 * tolerance<TypeParam>);
          }
        EXPECT_TRUE(gates.intact() && before.intact() && hidden.intact() && cell.intact()) << width;
      }
}

// The second sentence is one token long.
Tensor mask_of_two() {
  return at::tensor({1, 1, 1, 1, 1, 0, 0, 0}).view({2, 4}).to(at::kBool);
}

TYPED_TEST(KernelsTest, AdditiveScoresAreRightAtEveryWidthAndScale) {
  for (const KernelSet* set : usable_sets())
    for (const int64_t width : {1, 3, 17, 130})
      for (const double scale : {1.0, 50.0, 1e4}) {
        constexpr int64_t sentences = 2, hypotheses = 3, length = 4;
        Guarded<TypeParam> keys(sentences * length * width), query(sentences * hypotheses * width), v(width),
            scores(sentences * hypotheses * length, 99);
        fill(keys, sentences * length * width, scale, 0);
        fill(query, sentences * hypotheses * width, scale, 0.5);
        fill(v, width, 1.0, 0.25);
        const Tensor mask = mask_of_two();
        set->additive_scores({.keys = keys.tensor({sentences, length, width}),
                              .query = query.tensor({sentences, hypotheses, width}),
                              .v = v.tensor({width}),
                              .mask = mask},
                             scores.tensor({sentences, hypotheses, length}));
        for (int64_t b = 0; b < sentences; ++b)
          for (int64_t k = 0; k < hypotheses; ++k)
            for (int64_t s = 0; s < length; ++s) {
              double expected = 0;
              for (int64_t i = 0; mask[b][s].item<bool>() && i < width; ++i)
                expected += v[i] * std::tanh(static_cast<double>(keys[(b * length + s) * width + i] +
                                                                 query[(b * hypotheses + k) * width + i]));
              EXPECT_NEAR(scores[(b * hypotheses + k) * length + s], expected,
                          tolerance<TypeParam> * static_cast<double>(width + 1))
                  << set->name << ", " << width << " wide, scale " << scale;
            }
        EXPECT_TRUE(scores.intact());
      }
}

TYPED_TEST(KernelsTest, AdditiveBackwardStaysInItsArraysAndIgnoresTheMasked) {
  constexpr int64_t sentences = 2, hypotheses = 3, length = 4;
  constexpr int64_t states = sentences * length, rows = sentences * hypotheses;
  constexpr TypeParam begun = 7, nothing = std::numeric_limits<TypeParam>::quiet_NaN();
  const Tensor mask = mask_of_two();
  for (const KernelSet* set : usable_sets())
    for (const int64_t width : {1, 3, 17, 130})
      for (const double scale : {1.0, 50.0, 1e4}) {
        // The gradient of the keys is added to, the others are written.
        Guarded<TypeParam> keys(states * width), query(rows * width), v(width), dscores(rows * length),
            dkeys(states * width, begun), dquery(rows * width, 99), dv(sentences * width, 99);
        Guarded<double> for_keys(states * width, begun), for_query(rows * width), for_v(sentences * width);
        fill(keys, states * width, scale, 0);
        fill(query, rows * width, scale, 0.5);
        fill(v, width, 1.0, 0.25);
        fill(dscores, rows * length, 1.0, 0.75);
        for (int64_t state = 0; state < states; ++state) {
          const int64_t b = state / length, s = state % length;
          const bool seen = mask[b][s].item<bool>();
          for (int64_t row = b * hypotheses; row < (b + 1) * hypotheses; ++row)
            for (int64_t i = 0; i < width; ++i) {
              TypeParam &key = keys[state * width + i], &dscore = dscores[row * length + s];
              if (!seen) {
                key = dscore = nothing;
                continue;
              }
              const double x = std::tanh(static_cast<double>(key + query[row * width + i]));
              const double share = dscore * v[i] * (1 - x * x);
              for_keys[state * width + i] += share;
              for_query[row * width + i] += share;
              for_v[b * width + i] += dscore * x;
            }
        }
        set->additive_scores_backward({.keys = keys.tensor({sentences, length, width}),
                                       .query = query.tensor({sentences, hypotheses, width}),
                                       .v = v.tensor({width}),
                                       .mask = mask},
                                      dscores.tensor({sentences, hypotheses, length}),
                                      {.keys = dkeys.tensor({sentences, length, width}),
                                       .query = dquery.tensor({sentences, hypotheses, width}),
                                       .v_rows = dv.tensor({sentences, width})});
        const auto compare = [&](const char* what, const Guarded<TypeParam>& actual,
                                 const Guarded<double>& expected) {
          const auto a = actual.values();
          const auto b = expected.values();
          for (size_t i = 0; i < a.size(); ++i)
            EXPECT_NEAR(a[i], b[i], 20 * tolerance<TypeParam>)
                << set->name << ", " << width << " wide, scale " << scale << ", gradient of " << what;
          EXPECT_TRUE(actual.intact()) << set->name << ", " << width << ", gradient of " << what;
        };
        compare("keys", dkeys, for_keys);
        compare("query", dquery, for_query);
        compare("v", dv, for_v);
      }
}

template <class Scalar>
CrossEntropyRows smoothed_rows(Guarded<Scalar>& logits, const Tensor& targets, Guarded<Scalar>& loss,
                               Guarded<Scalar>& nll, int64_t vocabulary) {
  const int64_t rows = targets.size(0);
  return {.logits = logits.tensor({rows, vocabulary}),
          .targets = targets,
          .smoothing = 0.1,
          .least_probability = least_probability,
          .loss = loss.tensor({rows}),
          .negative_log_likelihood = nll.tensor({rows}),
          .gradient = true};
}

TYPED_TEST(KernelsTest, CrossEntropyGradientSumsToZeroAndStaysInItsRow) {
  for (const KernelSet* set : usable_sets())
    for (const int64_t vocabulary : {1, 3, 17, 130})
      for (const double scale : {1.0, 50.0, 1e4}) {
        constexpr int64_t rows = 3;
        Guarded<TypeParam> logits(rows * vocabulary), loss(rows), nll(rows);
        fill(logits, rows * vocabulary, scale, 0);
        const auto inputs = logits.values();
        const std::vector<int64_t> targets{0, vocabulary / 2, vocabulary - 1};
        set->cross_entropy(smoothed_rows(logits, at::tensor(targets), loss, nll, vocabulary));
        for (int64_t r = 0; r < rows; ++r) {
          const auto row = inputs.begin() + r * vocabulary;
          const double peak = *std::max_element(row, row + vocabulary);
          const double sum = std::accumulate(row, row + vocabulary, 0.0, [&](double total, double logit) {
            return total + std::exp(logit - peak);
          });
          const double expected =
              peak + std::log(sum) -
              inputs[static_cast<size_t>(r * vocabulary + targets[static_cast<size_t>(r)])];
          EXPECT_NEAR(nll[r], expected, tolerance<TypeParam> * (1 + scale))
              << set->name << ", " << vocabulary << ", scale " << scale;
          double gradient_sum = 0;
          for (int64_t i = 0; i < vocabulary; ++i) gradient_sum += logits[r * vocabulary + i];
          EXPECT_NEAR(gradient_sum, 0, 10 * tolerance<TypeParam>);
        }
        EXPECT_TRUE(logits.intact() && loss.intact() && nll.intact());
      }
}

// Few different values, so that a thread's columns hold several of the best.
TYPED_TEST(KernelsTest, EqualColumnsComeInOrderAndBannedOnesDoNot) {
  constexpr int64_t vocabulary = 1100, k = 12;
  const std::vector<int64_t> banned{0, 9, 1099};
  for (const KernelSet* set : usable_sets()) {
    Guarded<TypeParam> logits(vocabulary), best(k), watched(1);
    for (int64_t i = 0; i < vocabulary; ++i) logits[i] = i % 100 == 9 ? 2 : i % 100 == 50 ? -1 : 1;
    const Tensor indices = at::empty({1, k}, at::kLong);
    set->top_k({.logits = logits.tensor({1, vocabulary}),
                .generated = {},
                .copied = {},
                .slots = {},
                .least_probability = least_probability,
                .k = k,
                .banned = banned,
                .watched = 9,
                .log_probabilities = best.tensor({1, k}),
                .indices = indices,
                .watched_value = watched.tensor({1})});
    const std::vector<int64_t> expected{109, 209, 309, 409, 509, 609, 709, 809, 909, 1009, 1, 2};
    EXPECT_TRUE(indices[0].equal(at::tensor(expected))) << set->name << indices;
    EXPECT_EQ(watched[0], best[0]) << set->name;
    EXPECT_NEAR(best[0] - best[10], 1, 10 * tolerance<TypeParam>) << set->name;
    EXPECT_TRUE(best.intact() && watched.intact()) << set->name;
  }
}

// All columns are equal but for what is done to some: the raised ones come first, those of the same score in order,
// all with the log-probability that they had.
TYPED_TEST(KernelsTest, AdjustedColumnsComeInTheOrderOfTheirScores) {
  constexpr int64_t vocabulary = 200, k = 7;
  const std::vector<int64_t> banned{0};
  const std::vector<Adjustment> adjustments{{150, 1.0, 0},
                                            {5, 1.0, 0},
                                            {0, 9.0, 0},
                                            {1, -0.5, 0},
                                            {3, 0, 0.5},
                                            {70, 2, 0},
                                            {4, -std::numeric_limits<double>::infinity(), 0}};
  const std::vector<int64_t> begins{0, std::ssize(adjustments)};
  for (const KernelSet* set : usable_sets()) {
    if (set->adjusted_top_k == nullptr) continue;
    Guarded<TypeParam> logits(vocabulary, 3), best(k), watched(1), adjusted(std::ssize(adjustments)),
        likeliest(1);
    const Tensor indices = at::empty({1, k}, at::kLong);
    set->adjusted_top_k({.logits = logits.tensor({1, vocabulary}),
                         .generated = {},
                         .copied = {},
                         .slots = {},
                         .least_probability = least_probability,
                         .k = k,
                         .banned = banned,
                         .watched = 4,
                         .log_probabilities = best.tensor({1, k}),
                         .indices = indices,
                         .watched_value = watched.tensor({1}),
                         .adjustments = adjustments,
                         .adjustment_begins = begins,
                         .adjusted = adjusted.tensor({std::ssize(adjustments)}),
                         .likeliest = likeliest.tensor({1})});
    EXPECT_TRUE(indices[0].equal(at::tensor(std::vector<int64_t>{70, 5, 150, 2, 6, 7, 8})))
        << set->name << indices;
    const double each = -std::log(static_cast<double>(vocabulary));
    for (int64_t i = 0; i < k; ++i) EXPECT_NEAR(best[i], each, 10 * tolerance<TypeParam>) << set->name;
    for (int64_t i = 0; i < std::ssize(adjustments); ++i)
      EXPECT_NEAR(adjustments[static_cast<size_t>(i)].index == 0 ? each : adjusted[i], each,
                  10 * tolerance<TypeParam>)
          << set->name;
    EXPECT_EQ(adjusted[2], -std::numeric_limits<TypeParam>::infinity()) << set->name;  // it is banned
    EXPECT_NEAR(watched[0], each, 10 * tolerance<TypeParam>) << set->name;
    EXPECT_NEAR(likeliest[0], each, 10 * tolerance<TypeParam>) << set->name;
    EXPECT_TRUE(best.intact() && watched.intact() && adjusted.intact() && likeliest.intact()) << set->name;
  }
}

// Enough rows for several tasks.
TYPED_TEST(KernelsTest, TheNumberOfThreadsDoesNotMatter) {
  constexpr int64_t rows = 120, width = 70;
  const int before = at::get_num_threads();
  for (const KernelSet* set : usable_sets()) {
    std::vector<std::vector<TypeParam>> results;
    for (const int threads : {1, 2, 3}) {
      at::set_num_threads(threads);
      Guarded<TypeParam> gates(rows * 4 * width), cell_before(rows * width), hidden(rows * width),
          cell(rows * width), dgates(rows * 4 * width), dbefore(rows * width), loss(rows), nll(rows);
      fill(gates, rows * 4 * width, 2.0, 0);
      fill(cell_before, rows * width, 1.0, 0.5);
      const Tensor all_gates = gates.tensor({rows, 4 * width}), first = cell_before.tensor({rows, width}),
                   next = hidden.tensor({rows, width}), second = cell.tensor({rows, width});
      set->lstm_cell(all_gates, first, next, second);
      set->lstm_cell_backward(all_gates, first, second, next, second, dgates.tensor({rows, 4 * width}),
                              dbefore.tensor({rows, width}));
      set->cross_entropy(smoothed_rows(gates, at::full({rows}, 5, at::kLong), loss, nll, 4 * width));
      std::vector<TypeParam> all;
      for (const auto& values :
           {hidden.values(), cell.values(), dgates.values(), dbefore.values(), loss.values(), gates.values()})
        all.insert(all.end(), values.begin(), values.end());
      results.push_back(std::move(all));
    }
    EXPECT_EQ(results[1], results[0]) << set->name;
    EXPECT_EQ(results[2], results[0]) << set->name;
  }
  at::set_num_threads(before);
}

}  // namespace
}  // namespace seq2seq::test
