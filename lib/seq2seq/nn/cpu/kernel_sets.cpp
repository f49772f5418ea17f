#include "seq2seq/nn/cpu/kernel_sets.h"

#include <ATen/Dispatch.h>

#include <algorithm>
#include <type_traits>
#include <vector>

#include "seq2seq/nn/cpu/loop_math.h"
#include "seq2seq/nn/cpu/loops.h"
#include "seq2seq/nn/cpu/parallel.h"
#include "seq2seq/nn/engine/capabilities.h"

namespace seq2seq {
namespace {

/// Rows per task: enough work to hide the cost of starting it.
int64_t grain(int64_t elements_a_row) {
  return std::max<int64_t>(1, 16384 / std::max<int64_t>(1, elements_a_row));
}

/// Null if the tensor is undefined.
template <class Scalar>
const Scalar* values(const Tensor& x) {
  return x.defined() ? x.const_data_ptr<Scalar>() : nullptr;
}
template <class Scalar>
Scalar* place(const Tensor& x) {
  return x.defined() ? x.mutable_data_ptr<Scalar>() : nullptr;
}

template <class Scalar>
kernels::AdditiveTerms<Scalar> terms_of(const AdditiveOperands& x) {
  return {.keys = values<Scalar>(x.keys),
          .query = values<Scalar>(x.query),
          .v = values<Scalar>(x.v),
          .coverage = values<Scalar>(x.coverage),
          .coverage_weight = values<Scalar>(x.coverage_weight),
          .mask = values<bool>(x.mask),
          .sentences = x.keys.size(0),
          .hypotheses = x.query.size(1),
          .length = x.keys.size(1),
          .width = x.keys.size(2)};
}

kernels::HeadStrides strides_of(const Tensor& x) {
  return {x.stride(0), x.stride(1), x.stride(2)};
}

template <class Scalar>
kernels::HeadTerms<Scalar> terms_of(const HeadOperands& x) {
  return {.queries = values<Scalar>(x.queries),
          .keys = values<Scalar>(x.keys),
          .values = values<Scalar>(x.values),
          .query_strides = strides_of(x.queries),
          .key_strides = strides_of(x.keys),
          .value_strides = strides_of(x.values),
          .mask = values<bool>(x.mask),
          .dropout = values<Scalar>(x.factors),
          .causal = x.causal,
          .scale = static_cast<Scalar>(x.scale),
          .sentences = x.queries.size(0),
          .heads = x.queries.size(1),
          .query_count = x.queries.size(2),
          .length = x.keys.size(2),
          .width = x.queries.size(3)};
}

/// Calls `run(columns, scores, begin, end)` for ranges of all heads of all sentences.
template <class Scalar, class Run>
void for_heads(const kernels::HeadTerms<Scalar>& terms, const Run& run) {
  parallel_for(terms.sentences * terms.heads, grain(terms.query_count * terms.length * terms.width / 8),
               [&](int64_t begin, int64_t end) {
                 const int64_t full = kernels::padded(terms.length);
                 std::vector<Scalar> scratch(static_cast<size_t>(full * (terms.width + 1)));
                 run(scratch.data() + full, scratch.data(), begin, end);
               });
}

kernels::Draw draw_of(uint64_t seed) {
  return {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
}

using UniformLoop = void(const kernels::Draw&, float*, int64_t, int64_t);

/// Passes the data of tensors to the loops of one instruction set.
template <InstructionSet instructions, const kernels::Loops<float>& float_loops,
          const kernels::Loops<double>& double_loops, UniformLoop& uniform_loop>
struct Adaptors {
  template <class Scalar>
  static const kernels::Loops<Scalar>& loops() {
    if constexpr (std::is_same_v<Scalar, float>)
      return float_loops;
    else
      return double_loops;
  }

  static bool serves(const Tensor& x) {
    return x.is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble) &&
           instruction_set() >= instructions;
  }

  static void lstm_cell(const Tensor& gates, const Tensor& cell_before, const Tensor& hidden,
                        const Tensor& cell) {
    AT_DISPATCH_FLOATING_TYPES(gates.scalar_type(), "lstm_cell", [&] {
      const kernels::LstmForward<scalar_t> terms{.gates = place<scalar_t>(gates),
                                                 .cell_before = values<scalar_t>(cell_before),
                                                 .hidden = place<scalar_t>(hidden),
                                                 .cell = place<scalar_t>(cell),
                                                 .width = cell_before.size(1)};
      parallel_for(cell_before.size(0), grain(4 * terms.width),
                   [&](int64_t begin, int64_t end) { loops<scalar_t>().lstm_forward(terms, begin, end); });
    });
  }

  static void lstm_cell_backward(const Tensor& activated, const Tensor& cell_before, const Tensor& cell,
                                 const Tensor& hidden_gradient, const Tensor& cell_gradient,
                                 const Tensor& gate_gradient, const Tensor& cell_before_gradient) {
    AT_DISPATCH_FLOATING_TYPES(activated.scalar_type(), "lstm_cell_backward", [&] {
      const kernels::LstmBackward<scalar_t> terms{
          .activated = values<scalar_t>(activated),
          .cell_before = values<scalar_t>(cell_before),
          .cell = values<scalar_t>(cell),
          .hidden_gradient = values<scalar_t>(hidden_gradient),
          .cell_gradient = values<scalar_t>(cell_gradient),
          .gate_gradient = place<scalar_t>(gate_gradient),
          .cell_before_gradient = place<scalar_t>(cell_before_gradient),
          .width = cell_before.size(1)};
      parallel_for(cell_before.size(0), grain(4 * terms.width),
                   [&](int64_t begin, int64_t end) { loops<scalar_t>().lstm_backward(terms, begin, end); });
    });
  }

  static void gru_cell(const Tensor& input_gates, const Tensor& recurrent_gates, const Tensor& hidden_before,
                       const Tensor& gates, const Tensor& hidden) {
    AT_DISPATCH_FLOATING_TYPES(gates.scalar_type(), "gru_cell", [&] {
      const kernels::GruForward<scalar_t> terms{.input_gates = values<scalar_t>(input_gates),
                                                .recurrent_gates = values<scalar_t>(recurrent_gates),
                                                .hidden_before = values<scalar_t>(hidden_before),
                                                .gates = place<scalar_t>(gates),
                                                .hidden = place<scalar_t>(hidden),
                                                .width = hidden_before.size(1)};
      parallel_for(hidden_before.size(0), grain(3 * terms.width),
                   [&](int64_t begin, int64_t end) { loops<scalar_t>().gru_forward(terms, begin, end); });
    });
  }

  static void gru_cell_backward(const Tensor& gates, const Tensor& recurrent_gates,
                                const Tensor& hidden_before, const Tensor& hidden_gradient,
                                const Tensor& input_gradient, const Tensor& recurrent_gradient,
                                const Tensor& hidden_before_gradient) {
    AT_DISPATCH_FLOATING_TYPES(gates.scalar_type(), "gru_cell_backward", [&] {
      const kernels::GruBackward<scalar_t> terms{
          .gates = values<scalar_t>(gates),
          .recurrent_gates = values<scalar_t>(recurrent_gates),
          .hidden_before = values<scalar_t>(hidden_before),
          .hidden_gradient = values<scalar_t>(hidden_gradient),
          .input_gradient = place<scalar_t>(input_gradient),
          .recurrent_gradient = place<scalar_t>(recurrent_gradient),
          .hidden_before_gradient = place<scalar_t>(hidden_before_gradient),
          .width = hidden_before.size(1)};
      parallel_for(hidden_before.size(0), grain(3 * terms.width),
                   [&](int64_t begin, int64_t end) { loops<scalar_t>().gru_backward(terms, begin, end); });
    });
  }

  static void additive_scores(const AdditiveOperands& operands, const Tensor& scores) {
    AT_DISPATCH_FLOATING_TYPES(scores.scalar_type(), "additive_scores", [&] {
      const auto terms = terms_of<scalar_t>(operands);
      parallel_for(terms.sentences, grain(terms.length * terms.hypotheses * terms.width),
                   [&](int64_t begin, int64_t end) {
                     loops<scalar_t>().additive_scores(terms, place<scalar_t>(scores), begin, end);
                   });
    });
  }

  static void additive_scores_backward(const AdditiveOperands& operands, const Tensor& score_gradient,
                                       const AdditiveGradients& gradients) {
    AT_DISPATCH_FLOATING_TYPES(score_gradient.scalar_type(), "additive_scores_backward", [&] {
      const auto terms = terms_of<scalar_t>(operands);
      const kernels::AdditiveGradients<scalar_t> out{
          .keys = place<scalar_t>(gradients.keys),
          .query = place<scalar_t>(gradients.query),
          .v_rows = place<scalar_t>(gradients.v_rows),
          .coverage = place<scalar_t>(gradients.coverage),
          .coverage_weight_rows = place<scalar_t>(gradients.coverage_weight_rows)};
      const int64_t each = terms.sentences * terms.width;
      std::fill_n(out.query, each * terms.hypotheses, scalar_t(0));
      std::fill_n(out.v_rows, each, scalar_t(0));
      if (terms.coverage != nullptr) std::fill_n(out.coverage_weight_rows, each, scalar_t(0));
      parallel_for(terms.sentences, grain(terms.length * terms.hypotheses * terms.width),
                   [&](int64_t begin, int64_t end) {
                     std::vector<scalar_t> shares(static_cast<size_t>(terms.width));
                     loops<scalar_t>().additive_backward(terms, values<scalar_t>(score_gradient), out,
                                                         shares.data(), begin, end);
                   });
    });
  }

  static void attend(const HeadOperands& operands, const Tensor& weights, const Tensor& context) {
    AT_DISPATCH_FLOATING_TYPES(weights.scalar_type(), "attend", [&] {
      const auto terms = terms_of<scalar_t>(operands);
      for_heads(terms, [&](scalar_t* columns, scalar_t* scores, int64_t begin, int64_t end) {
        loops<scalar_t>().attend(terms, columns, scores, place<scalar_t>(weights), place<scalar_t>(context),
                                 begin, end);
      });
    });
  }

  static void attend_backward(const HeadOperands& operands, const Tensor& weights,
                              const Tensor& context_gradient, const HeadGradients& gradients) {
    AT_DISPATCH_FLOATING_TYPES(weights.scalar_type(), "attend_backward", [&] {
      const auto terms = terms_of<scalar_t>(operands);
      const kernels::HeadGradients<scalar_t> out{place<scalar_t>(gradients.queries),
                                                 place<scalar_t>(gradients.keys),
                                                 place<scalar_t>(gradients.values)};
      for_heads(terms, [&](scalar_t* columns, scalar_t* scores, int64_t begin, int64_t end) {
        loops<scalar_t>().attend_backward(terms, values<scalar_t>(weights),
                                          values<scalar_t>(context_gradient), out, columns, scores, begin,
                                          end);
      });
    });
  }

  static void cross_entropy(const CrossEntropyRows& rows) {
    AT_DISPATCH_FLOATING_TYPES(rows.logits.scalar_type(), "cross_entropy", [&] {
      const kernels::CrossEntropy<scalar_t> terms{
          .logits = place<scalar_t>(rows.logits),
          .targets = values<int64_t>(rows.targets),
          .mixture = {.generated = values<scalar_t>(rows.generated),
                      .copied = values<scalar_t>(rows.copied),
                      .generated_gradient = place<scalar_t>(rows.generated_gradient),
                      .copied_gradient = place<scalar_t>(rows.copied_gradient),
                      .least_probability = static_cast<scalar_t>(rows.least_probability)},
          .smoothing = static_cast<scalar_t>(rows.smoothing),
          .gradient = rows.gradient,
          .loss = place<scalar_t>(rows.loss),
          .nll = place<scalar_t>(rows.negative_log_likelihood),
          .vocabulary = rows.logits.size(1)};
      parallel_for(rows.logits.size(0), grain(terms.vocabulary),
                   [&](int64_t begin, int64_t end) { loops<scalar_t>().cross_entropy(terms, begin, end); });
    });
  }

  static void top_k(const TopKRows& rows) {
    AT_DISPATCH_FLOATING_TYPES(rows.logits.scalar_type(), "top_k", [&] {
      const int64_t count = rows.logits.size(0);
      kernels::Copies<scalar_t> copies;
      if (rows.slots.defined())
        copies = {.generated = values<scalar_t>(rows.generated),
                  .copied = values<scalar_t>(rows.copied),
                  .slots = values<int64_t>(rows.slots),
                  .length = rows.slots.size(1),
                  .hypotheses = count / rows.slots.size(0),
                  .least_probability = static_cast<scalar_t>(rows.least_probability)};
      const kernels::TopKTerms<scalar_t> terms{
          .logits = place<scalar_t>(rows.logits),
          .columns = {rows.k, rows.banned.data(), std::ssize(rows.banned), rows.watched},
          .copies = copies,
          .log_probabilities = place<scalar_t>(rows.log_probabilities),
          .indices = place<int64_t>(rows.indices),
          .watched_value = place<scalar_t>(rows.watched_value),
          .vocabulary = rows.logits.size(1)};
      parallel_for(count, grain(terms.vocabulary), [&](int64_t begin, int64_t end) {
        std::vector<scalar_t> block_peaks(
            static_cast<size_t>((terms.vocabulary + kernels::block_width - 1) / kernels::block_width));
        std::vector<scalar_t> beyond(static_cast<size_t>(copies.length));
        loops<scalar_t>().top_k(terms, block_peaks.data(), beyond.data(), begin, end);
      });
    });
  }

  static void dropout(uint64_t seed, double p, const Tensor& x, const Tensor& y) {
    AT_DISPATCH_FLOATING_TYPES(y.scalar_type(), "dropout", [&] {
      const kernels::DropoutTerms<scalar_t> terms{
          .draw = draw_of(seed),
          .threshold = static_cast<uint32_t>(p * 0x1.0p24),
          .scale = static_cast<scalar_t>(static_cast<float>(1.0 / (1.0 - p))),
          .x = values<scalar_t>(x),
          .y = place<scalar_t>(y)};
      parallel_for(y.numel(), grain(1),
                   [&](int64_t begin, int64_t end) { loops<scalar_t>().dropout(terms, begin, end); });
    });
  }

  static void uniform(uint64_t seed, const Tensor& numbers) {
    parallel_for(numbers.numel(), grain(1), [&](int64_t begin, int64_t end) {
      uniform_loop(draw_of(seed), place<float>(numbers), begin, end);
    });
  }

  static constexpr KernelSet set(const char* name) {
    return {.name = name,
            .serves = serves,
            .lstm_cell = lstm_cell,
            .lstm_cell_backward = lstm_cell_backward,
            .gru_cell = gru_cell,
            .gru_cell_backward = gru_cell_backward,
            .additive_scores = additive_scores,
            .additive_scores_backward = additive_scores_backward,
            .attend = attend,
            .attend_backward = attend_backward,
            .cross_entropy = cross_entropy,
            .top_k = top_k,
            .dropout = dropout,
            .uniform = uniform};
  }
};

}  // namespace

constexpr KernelSet cpu_baseline =
    Adaptors<InstructionSet::baseline, kernels::baseline::float_loops, kernels::baseline::double_loops,
             kernels::baseline::uniform>::set("cpu baseline");
#ifdef __x86_64__
constexpr KernelSet cpu_avx = Adaptors<InstructionSet::avx, kernels::avx::float_loops,
                                       kernels::avx::double_loops, kernels::avx::uniform>::set("cpu avx");
constexpr KernelSet cpu_avx2 = Adaptors<InstructionSet::avx2, kernels::avx2::float_loops,
                                        kernels::avx2::double_loops, kernels::avx2::uniform>::set("cpu avx2");
constexpr KernelSet cpu_avx512 =
    Adaptors<InstructionSet::avx512, kernels::avx512::float_loops, kernels::avx512::double_loops,
             kernels::avx512::uniform>::set("cpu avx512");
#endif

}  // namespace seq2seq
