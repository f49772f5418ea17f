#include "seq2seq/nn/cpu/kernel_sets.h"

#include <ATen/Dispatch.h>

#include <algorithm>
#include <type_traits>
#include <vector>

#include "seq2seq/nn/cpu/loop_math.h"
#include "seq2seq/nn/cpu/loops.h"
#include "seq2seq/nn/cpu/parallel.h"
#include "seq2seq/nn/cpu/terms.h"
#include "seq2seq/nn/engine/capabilities.h"
#include "seq2seq/nn/engine/packed_weight.h"

namespace seq2seq {
namespace {

/// Rows per task: enough work to hide the cost of starting it.
int64_t grain(int64_t elements_a_row) {
  return std::max<int64_t>(1, 16384 / std::max<int64_t>(1, elements_a_row));
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

int64_t panels_in(const PackedProduct& terms) {
  return (terms.columns + kernels::lanes - 1) / kernels::lanes;
}

using UniformLoop = void(const kernels::Draw&, float*, int64_t, int64_t);
static_assert(PackedWeight::panel_width == kernels::lanes);

/// Passes the data of tensors to the loops of one instruction set.
template <InstructionSet instructions, const kernels::Loops<float>& float_loops,
          const kernels::Loops<double>& double_loops, const kernels::StepLoops& step_loops,
          const kernels::Int8Loops& int8_loops, UniformLoop& uniform_loop>
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
      const auto terms = kernels::lstm_forward_terms<scalar_t>(gates, cell_before, hidden, cell);
      parallel_for(cell_before.size(0), grain(4 * terms.width),
                   [&](int64_t begin, int64_t end) { loops<scalar_t>().lstm_forward(terms, begin, end); });
    });
  }

  static void lstm_cell_backward(const Tensor& activated, const Tensor& cell_before, const Tensor& cell,
                                 const Tensor& hidden_gradient, const Tensor& cell_gradient,
                                 const Tensor& gate_gradient, const Tensor& cell_before_gradient) {
    AT_DISPATCH_FLOATING_TYPES(activated.scalar_type(), "lstm_cell_backward", [&] {
      const auto terms = kernels::lstm_backward_terms<scalar_t>(
          activated, cell_before, cell, hidden_gradient, cell_gradient, gate_gradient, cell_before_gradient);
      parallel_for(cell_before.size(0), grain(4 * terms.width),
                   [&](int64_t begin, int64_t end) { loops<scalar_t>().lstm_backward(terms, begin, end); });
    });
  }

  static void gru_cell(const Tensor& input_gates, const Tensor& recurrent_gates, const Tensor& hidden_before,
                       const Tensor& gates, const Tensor& hidden) {
    AT_DISPATCH_FLOATING_TYPES(gates.scalar_type(), "gru_cell", [&] {
      const auto terms =
          kernels::gru_forward_terms<scalar_t>(input_gates, recurrent_gates, hidden_before, gates, hidden);
      parallel_for(hidden_before.size(0), grain(3 * terms.width),
                   [&](int64_t begin, int64_t end) { loops<scalar_t>().gru_forward(terms, begin, end); });
    });
  }

  static void gru_cell_backward(const Tensor& gates, const Tensor& recurrent_gates,
                                const Tensor& hidden_before, const Tensor& hidden_gradient,
                                const Tensor& input_gradient, const Tensor& recurrent_gradient,
                                const Tensor& hidden_before_gradient) {
    AT_DISPATCH_FLOATING_TYPES(gates.scalar_type(), "gru_cell_backward", [&] {
      const auto terms =
          kernels::gru_backward_terms<scalar_t>(gates, recurrent_gates, hidden_before, hidden_gradient,
                                                input_gradient, recurrent_gradient, hidden_before_gradient);
      parallel_for(hidden_before.size(0), grain(3 * terms.width),
                   [&](int64_t begin, int64_t end) { loops<scalar_t>().gru_backward(terms, begin, end); });
    });
  }

  static void additive_scores(const AdditiveOperands& operands, const Tensor& scores) {
    AT_DISPATCH_FLOATING_TYPES(scores.scalar_type(), "additive_scores", [&] {
      const auto terms = kernels::additive_terms<scalar_t>(operands);
      parallel_for(terms.sentences, grain(terms.length * terms.hypotheses * terms.width),
                   [&](int64_t begin, int64_t end) {
                     loops<scalar_t>().additive_scores(terms, kernels::place<scalar_t>(scores), begin, end);
                   });
    });
  }

  static void additive_scores_backward(const AdditiveOperands& operands, const Tensor& score_gradient,
                                       const AdditiveGradients& gradients) {
    AT_DISPATCH_FLOATING_TYPES(score_gradient.scalar_type(), "additive_scores_backward", [&] {
      const auto terms = kernels::additive_terms<scalar_t>(operands);
      const auto out = kernels::additive_gradients<scalar_t>(gradients);
      const int64_t each = terms.sentences * terms.width;
      std::fill_n(out.query, each * terms.hypotheses, scalar_t(0));
      std::fill_n(out.v_rows, each, scalar_t(0));
      if (terms.coverage != nullptr) std::fill_n(out.coverage_weight_rows, each, scalar_t(0));
      parallel_for(terms.sentences, grain(terms.length * terms.hypotheses * terms.width),
                   [&](int64_t begin, int64_t end) {
                     std::vector<scalar_t> shares(static_cast<size_t>(terms.width));
                     loops<scalar_t>().additive_backward(terms, kernels::values<scalar_t>(score_gradient),
                                                         out, shares.data(), begin, end);
                   });
    });
  }

  static void attend(const HeadOperands& operands, const Tensor& weights, const Tensor& context) {
    AT_DISPATCH_FLOATING_TYPES(context.scalar_type(), "attend", [&] {
      const auto terms = kernels::head_terms<scalar_t>(operands);
      for_heads(terms, [&](scalar_t* columns, scalar_t* scores, int64_t begin, int64_t end) {
        loops<scalar_t>().attend(terms, columns, scores, kernels::place<scalar_t>(weights),
                                 kernels::place<scalar_t>(context), begin, end);
      });
    });
  }

  static void attend_backward(const HeadOperands& operands, const Tensor& weights,
                              const Tensor& context_gradient, const HeadGradients& gradients) {
    AT_DISPATCH_FLOATING_TYPES(weights.scalar_type(), "attend_backward", [&] {
      const auto terms = kernels::head_terms<scalar_t>(operands);
      const auto out = kernels::head_gradients<scalar_t>(gradients);
      for_heads(terms, [&](scalar_t* columns, scalar_t* scores, int64_t begin, int64_t end) {
        loops<scalar_t>().attend_backward(terms, kernels::values<scalar_t>(weights),
                                          kernels::values<scalar_t>(context_gradient), out, columns, scores,
                                          begin, end);
      });
    });
  }

  static void cross_entropy(const CrossEntropyRows& rows) {
    AT_DISPATCH_FLOATING_TYPES(rows.logits.scalar_type(), "cross_entropy", [&] {
      const auto terms = kernels::cross_entropy_terms<scalar_t>(rows);
      parallel_for(rows.logits.size(0), grain(terms.vocabulary),
                   [&](int64_t begin, int64_t end) { loops<scalar_t>().cross_entropy(terms, begin, end); });
    });
  }

  static void top_k(const TopKRows& rows) {
    AT_DISPATCH_FLOATING_TYPES(rows.logits.scalar_type(), "top_k", [&] {
      const auto terms = kernels::top_k_terms<scalar_t>(rows);
      parallel_for(rows.logits.size(0), grain(terms.vocabulary), [&](int64_t begin, int64_t end) {
        std::vector<scalar_t> block_peaks(
            static_cast<size_t>((terms.vocabulary + kernels::block_width - 1) / kernels::block_width));
        std::vector<scalar_t> beyond(static_cast<size_t>(terms.copies.length));
        loops<scalar_t>().top_k(terms, block_peaks.data(), beyond.data(), begin, end);
      });
    });
  }

  static void dropout(uint64_t seed, double p, const Tensor& x, const Tensor& y) {
    AT_DISPATCH_FLOATING_TYPES(y.scalar_type(), "dropout", [&] {
      const auto terms = kernels::dropout_terms<scalar_t>(seed, p, x, y);
      parallel_for(y.numel(), grain(1),
                   [&](int64_t begin, int64_t end) { loops<scalar_t>().dropout(terms, begin, end); });
    });
  }

  static void uniform(uint64_t seed, const Tensor& numbers) {
    parallel_for(numbers.numel(), grain(1), [&](int64_t begin, int64_t end) {
      uniform_loop(kernels::draw_of(seed), kernels::place<float>(numbers), begin, end);
    });
  }

  static void packed_product(const Tensor& x, const WeightPanels& weight, const Tensor& bias,
                             const Tensor& y) {
    product(kernels::packed_product_terms(x, weight, bias, y));
  }

  static void product(const PackedProduct& terms) {
    if (terms.weight.format == WeightFormat::int8) return int8_product(terms);
    parallel_for(panels_in(terms), grain(terms.rows * terms.width * kernels::lanes / 4),
                 [&](int64_t begin, int64_t end) { step_loops.product(terms, begin, end); });
  }

  /// Each row of x is rounded once, for all threads.
  static void int8_product(const PackedProduct& terms) {
    constexpr int64_t rows_at_once = 960;  // of many, so that they stay in the cache
    const int64_t row_bytes = int8_loops.row_bytes(terms.width);
    thread_local std::vector<unsigned char> values;
    thread_local std::vector<float> scales;
    const auto most = static_cast<size_t>(std::min(rows_at_once, terms.rows));
    if (values.size() < most * static_cast<size_t>(row_bytes))
      values.resize(most * static_cast<size_t>(row_bytes));
    if (scales.size() < most) scales.resize(most);
    const kernels::QuantizedRows rows{values.data(), scales.data()};
    for (int64_t first = 0; first < terms.rows; first += rows_at_once) {
      PackedProduct part = terms;
      part.x += first * terms.x_stride;
      part.y += first * terms.y_stride;
      part.rows = std::min(rows_at_once, terms.rows - first);
      parallel_for(part.rows, grain(part.width / 8),
                   [&](int64_t begin, int64_t end) { int8_loops.quantize(part, rows, begin, end); });
      parallel_for(panels_in(part), grain(part.rows * part.width * kernels::lanes / 16),
                   [&](int64_t begin, int64_t end) { int8_loops.product(part, rows, begin, end); });
    }
  }

  static void nonlinear(Nonlinearity function, const Matrix& x) {
    parallel_for(x.rows, grain(4 * x.width),
                 [&](int64_t begin, int64_t end) { step_loops.nonlinear(function, x, begin, end); });
  }

  static void normalize(const Normalization& terms) {
    parallel_for(terms.x.rows, grain(terms.x.width),
                 [&](int64_t begin, int64_t end) { step_loops.normalize(terms, begin, end); });
  }

  static void step_lstm_cell(const CellRows& rows) {
    parallel_for(rows.rows, grain(4 * rows.width), [&](int64_t begin, int64_t end) {
      float_loops.lstm_forward(kernels::lstm_terms(rows), begin, end);
    });
  }

  static void step_gru_cell(const CellRows& rows) {
    parallel_for(rows.rows, grain(3 * rows.width), [&](int64_t begin, int64_t end) {
      float_loops.gru_forward(kernels::gru_terms(rows), begin, end);
    });
  }

  static void attend_to_rows(const RowAttention& terms) {
    parallel_for(terms.rows, grain(terms.length * (terms.key_width + terms.state_width / 8)),
                 [&](int64_t begin, int64_t end) { step_loops.attend_to_rows(terms, begin, end); });
  }

  /// Calls `run(scores, begin, end)` for ranges of all heads of all rows.
  template <class Terms, class Run>
  static void for_step_heads(const Terms& terms, int64_t length, const Run& run) {
    parallel_for(terms.rows * terms.heads, grain(length * terms.width / 8), [&](int64_t begin, int64_t end) {
      thread_local std::vector<float> scores;
      scores.resize(static_cast<size_t>(kernels::padded(length)));
      run(scores.data(), begin, end);
    });
  }

  static void attend_to_source(const SourceAttention& terms) {
    for_step_heads(terms, terms.length, [&](float* scores, int64_t begin, int64_t end) {
      step_loops.attend_to_source(terms, scores, begin, end);
    });
  }

  static void attend_to_past(const PastAttention& terms) {
    for_step_heads(terms, terms.positions, [&](float* scores, int64_t begin, int64_t end) {
      step_loops.attend_to_past(terms, scores, begin, end);
    });
  }

  static void mean(DistributionMean kind, const MeanRows& rows) {
    parallel_for(rows.rows, grain(4 * rows.count * rows.width),
                 [&](int64_t begin, int64_t end) { step_loops.mean(kind, rows, begin, end); });
  }

  static constexpr StepKernels steps{.product = product,
                                     .nonlinear = nonlinear,
                                     .normalize = normalize,
                                     .lstm_cell = step_lstm_cell,
                                     .gru_cell = step_gru_cell,
                                     .attend_to_rows = attend_to_rows,
                                     .attend_to_source = attend_to_source,
                                     .attend_to_past = attend_to_past,
                                     .mean = mean};

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
            .packed_product = packed_product,
            .steps = &steps,
            .cross_entropy = cross_entropy,
            .top_k = top_k,
            .adjusted_top_k = top_k,
            .dropout = dropout,
            .uniform = uniform};
  }
};

}  // namespace

constexpr KernelSet cpu_baseline =
    Adaptors<InstructionSet::baseline, kernels::baseline::float_loops, kernels::baseline::double_loops,
             kernels::baseline::step_loops, kernels::baseline::int8_loops,
             kernels::baseline::uniform>::set("cpu baseline");
#ifdef __x86_64__
constexpr KernelSet cpu_avx =
    Adaptors<InstructionSet::avx, kernels::avx::float_loops, kernels::avx::double_loops,
             kernels::avx::step_loops, kernels::avx::int8_loops, kernels::avx::uniform>::set("cpu avx");
constexpr KernelSet cpu_avx2 =
    Adaptors<InstructionSet::avx2, kernels::avx2::float_loops, kernels::avx2::double_loops,
             kernels::avx2::step_loops, kernels::avx2::int8_loops, kernels::avx2::uniform>::set("cpu avx2");
constexpr KernelSet cpu_avx512 =
    Adaptors<InstructionSet::avx512, kernels::avx512::float_loops, kernels::avx512::double_loops,
             kernels::avx512::step_loops, kernels::avx512::int8_loops,
             kernels::avx512::uniform>::set("cpu avx512");
constexpr KernelSet cpu_avx512vnni =
    Adaptors<InstructionSet::avx512vnni, kernels::avx512::float_loops, kernels::avx512::double_loops,
             kernels::avx512::step_loops, kernels::avx512vnni::int8_loops,
             kernels::avx512::uniform>::set("cpu avx512vnni");
#endif

}  // namespace seq2seq
