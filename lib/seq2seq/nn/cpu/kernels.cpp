#include "seq2seq/nn/cpu/kernels.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <type_traits>
#include <vector>

#include "seq2seq/nn/cpu/loop_math.h"
#include "seq2seq/nn/engine/capabilities.h"

namespace seq2seq::kernels {
namespace {

/// Those of the instruction set in use.
template <class Scalar>
const Loops<Scalar>& loops() {
  if constexpr (std::is_same_v<Scalar, float>) {
#ifdef __x86_64__
    if (instruction_set() == InstructionSet::avx512) return avx512::float_loops;
    if (instruction_set() == InstructionSet::avx2) return avx2::float_loops;
#endif
    return baseline::float_loops;
  } else {
#ifdef __x86_64__
    if (instruction_set() == InstructionSet::avx512) return avx512::double_loops;
    if (instruction_set() == InstructionSet::avx2) return avx2::double_loops;
#endif
    return baseline::double_loops;
  }
}

/// Rows for one task: enough work that handing it out does not show.
int64_t grain(int64_t elements_a_row) {
  return std::max<int64_t>(1, 16384 / std::max<int64_t>(1, elements_a_row));
}

/// Calls `run(columns, scores, begin, end)` for ranges of all heads.
template <class Scalar, class Run>
void for_heads(const HeadTerms<Scalar>& terms, const Run& run) {
  at::parallel_for(0, terms.sentences * terms.heads,
                   grain(terms.query_count * terms.length * terms.width / 8),
                   [&](int64_t begin, int64_t end) {
                     const int64_t full = padded(terms.length);
                     std::vector<Scalar> scratch(static_cast<size_t>(full * (terms.width + 1)));
                     run(scratch.data() + full, scratch.data(), begin, end);
                   });
}

}  // namespace

template <class Scalar>
void lstm_forward(const LstmForward<Scalar>& terms, int64_t rows) {
  at::parallel_for(0, rows, grain(4 * terms.width),
                   [&](int64_t begin, int64_t end) { loops<Scalar>().lstm_forward(terms, begin, end); });
}

template <class Scalar>
void lstm_backward(const LstmBackward<Scalar>& terms, int64_t rows) {
  at::parallel_for(0, rows, grain(4 * terms.width),
                   [&](int64_t begin, int64_t end) { loops<Scalar>().lstm_backward(terms, begin, end); });
}

template <class Scalar>
void additive_scores(const AdditiveTerms<Scalar>& terms, Scalar* scores) {
  at::parallel_for(
      0, terms.sentences, grain(terms.length * terms.hypotheses * terms.width),
      [&](int64_t begin, int64_t end) { loops<Scalar>().additive_scores(terms, scores, begin, end); });
}

template <class Scalar>
void additive_scores_backward(const AdditiveTerms<Scalar>& terms, const Scalar* score_gradient,
                              const AdditiveGradients<Scalar>& gradients) {
  const int64_t each = terms.sentences * terms.width;
  std::fill_n(gradients.query, each * terms.hypotheses, Scalar(0));
  std::fill_n(gradients.v_rows, each, Scalar(0));
  if (terms.coverage != nullptr) std::fill_n(gradients.coverage_weight_rows, each, Scalar(0));
  at::parallel_for(0, terms.sentences, grain(terms.length * terms.hypotheses * terms.width),
                   [&](int64_t begin, int64_t end) {
                     std::vector<Scalar> shares(static_cast<size_t>(terms.width));
                     loops<Scalar>().additive_backward(terms, score_gradient, gradients, shares.data(), begin,
                                                       end);
                   });
}

template <class Scalar>
void cross_entropy(const CrossEntropy<Scalar>& terms, int64_t rows) {
  at::parallel_for(0, rows, grain(terms.vocabulary),
                   [&](int64_t begin, int64_t end) { loops<Scalar>().cross_entropy(terms, begin, end); });
}

template <class Scalar>
void top_k(const TopKTerms<Scalar>& terms, int64_t rows) {
  at::parallel_for(0, rows, grain(terms.vocabulary), [&](int64_t begin, int64_t end) {
    std::vector<Scalar> block_peaks(static_cast<size_t>((terms.vocabulary + block_width - 1) / block_width));
    std::vector<Scalar> beyond(static_cast<size_t>(terms.copies.length));
    loops<Scalar>().top_k(terms, block_peaks.data(), beyond.data(), begin, end);
  });
}

template <class Scalar>
void attend(const HeadTerms<Scalar>& terms, Scalar* weights, Scalar* context) {
  for_heads(terms, [&](Scalar* columns, Scalar* scores, int64_t begin, int64_t end) {
    loops<Scalar>().attend(terms, columns, scores, weights, context, begin, end);
  });
}

template <class Scalar>
void attend_backward(const HeadTerms<Scalar>& terms, const Scalar* weights, const Scalar* context_gradient,
                     const HeadGradients<Scalar>& gradients) {
  for_heads(terms, [&](Scalar* columns, Scalar* scores, int64_t begin, int64_t end) {
    loops<Scalar>().attend_backward(terms, weights, context_gradient, gradients, columns, scores, begin, end);
  });
}

void uniform(const Draw& draw, float* numbers, int64_t count) {
  const auto loop = [] {
#ifdef __x86_64__
    if (instruction_set() == InstructionSet::avx512) return avx512::uniform;
    if (instruction_set() == InstructionSet::avx2) return avx2::uniform;
#endif
    return baseline::uniform;
  }();
  at::parallel_for(0, count, grain(1), [&](int64_t begin, int64_t end) { loop(draw, numbers, begin, end); });
}

template <class Scalar>
void dropout(const Draw& draw, double p, const Scalar* x, Scalar* y, int64_t count) {
  const DropoutTerms<Scalar> terms{.draw = draw,
                                   .threshold = static_cast<uint32_t>(p * 0x1.0p24),
                                   .scale = static_cast<Scalar>(static_cast<float>(1.0 / (1.0 - p))),
                                   .x = x,
                                   .y = y};
  at::parallel_for(0, count, grain(1),
                   [&](int64_t begin, int64_t end) { loops<Scalar>().dropout(terms, begin, end); });
}

#define SEQ2SEQ_INSTANTIATE(Scalar)                                                     \
  template void lstm_forward(const LstmForward<Scalar>&, int64_t);                      \
  template void lstm_backward(const LstmBackward<Scalar>&, int64_t);                    \
  template void additive_scores(const AdditiveTerms<Scalar>&, Scalar*);                 \
  template void additive_scores_backward(const AdditiveTerms<Scalar>&, const Scalar*,   \
                                         const AdditiveGradients<Scalar>&);             \
  template void cross_entropy(const CrossEntropy<Scalar>&, int64_t);                    \
  template void top_k(const TopKTerms<Scalar>&, int64_t);                               \
  template void attend(const HeadTerms<Scalar>&, Scalar*, Scalar*);                     \
  template void attend_backward(const HeadTerms<Scalar>&, const Scalar*, const Scalar*, \
                                const HeadGradients<Scalar>&);                          \
  template void dropout(const Draw&, double, const Scalar*, Scalar*, int64_t);
SEQ2SEQ_INSTANTIATE(float)
SEQ2SEQ_INSTANTIATE(double)

}  // namespace seq2seq::kernels
