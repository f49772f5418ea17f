#pragma once

// Loops over raw row-major arrays, for float and double. Their files are compiled once per instruction set,
// in a namespace of that name; `kernel_sets.cpp` distributes the loops over threads.

#include <stdint.h>

#include "seq2seq/nn/adjustment.h"
#include "seq2seq/nn/engine/step_kernels.h"

namespace seq2seq::kernels {

/// Number of partial sums: the compiler may vectorize them, and the order of summation is the same for
/// all instruction sets.
constexpr int64_t lanes = 16;
/// Columns per block; the maximum of each block is kept while the best columns are selected.
constexpr int64_t block_width = 64;

/// One LSTM step. gates [rows, 4H]: the sum of both products, in torch's order input, forget, candidate,
/// output; overwritten by the activated gates, which backward needs.
template <class Scalar>
struct LstmForward {
  Scalar* gates;
  const Scalar* cell_before;  // [rows, H]
  Scalar *hidden, *cell;      // [rows, H]
  int64_t width;
};
/// activated [rows, 4H] as written by the forward loop.
template <class Scalar>
struct LstmBackward {
  const Scalar *activated, *cell_before, *cell, *hidden_gradient, *cell_gradient;
  Scalar *gate_gradient, *cell_before_gradient;  // [rows, 4H], [rows, H]
  int64_t width;
};

/// One GRU step; all gates in torch's order reset, update, candidate.
template <class Scalar>
struct GruForward {
  const Scalar *input_gates, *recurrent_gates;  // [rows, 3H]
  const Scalar* hidden_before;                  // [rows, H]
  Scalar *gates, *hidden;                       // [rows, 3H] activated, [rows, H]
  int64_t width;
};
template <class Scalar>
struct GruBackward {
  const Scalar *gates, *recurrent_gates, *hidden_before, *hidden_gradient;
  Scalar *input_gradient, *recurrent_gradient, *hidden_before_gradient;  // [rows, 3H] twice, [rows, H]
  int64_t width;
};

/// Operands of additive attention. Null pointers: no coverage.
template <class Scalar>
struct AdditiveTerms {
  const Scalar *keys, *query, *v;                                // [b, s, h], [b, k, h], [h]
  const Scalar *coverage = nullptr, *coverage_weight = nullptr;  // [b, k, s], [h]
  const bool* mask;                                              // [b, s]
  int64_t sentences, hypotheses, length, width;
};

template <class Scalar>
struct AdditiveGradients {
  Scalar* keys;                                                 // added to
  Scalar *query, *v_rows;                                       // [b, k, h]; [b, h] to be summed over b
  Scalar *coverage = nullptr, *coverage_weight_rows = nullptr;  // [b, k, s]; [b, h]; unused without coverage
};

/// Mixture of generation and copying (See et al. 2017): p = generated * softmax(logits) [target] + copied.
/// Null pointers: generated = 1, copied = 0.
template <class Scalar>
struct Mixture {
  const Scalar *generated = nullptr, *copied = nullptr;              // [rows]
  Scalar *generated_gradient = nullptr, *copied_gradient = nullptr;  // [rows], written with gradients
  Scalar least_probability = 0;                                      // lower bound of p
};

/// Label-smoothed cross entropy (Szegedy et al. 2016) of each row of logits [rows, V]:
///   nll[row] = -log p,  loss[row] = (1-e) nll[row] + e mean_v (-log softmax(logits)_v)
/// A target of V or more is outside the vocabulary and can only be copied. If `gradient`, the logits are
/// overwritten by d(sum of losses)/d(logits).
template <class Scalar>
struct CrossEntropy {
  Scalar* logits;
  const int64_t* targets;
  Mixture<Scalar> mixture;
  Scalar smoothing;
  bool gradient;
  Scalar *loss, *nll;
  int64_t vocabulary;
};

/// Copying in the rows of search: token v has the probability generated * softmax(logits)[v] plus copied[i]
/// for each position i with slots[i] = v; slot V + i has copied probability only. Null pointers: no copying.
template <class Scalar>
struct Copies {
  const Scalar *generated = nullptr, *copied = nullptr;  // [rows], [rows, length]
  const int64_t* slots = nullptr;                        // [rows / hypotheses, length], -1 = nothing to copy
  int64_t length = 0, hypotheses = 1;
  Scalar least_probability = 0;  // lower bound of `generated`
};

/// The columns to select from; the probability of `watched` is returned in any case.
struct Columns {
  int64_t k;
  const int64_t* banned;
  int64_t banned_count, watched;
};

/// What changes columns before the best are selected: row r has those from all[begins[r]] to before
/// all[begins[r + 1]], a column once. Null pointers: nothing.
template <class Scalar>
struct AdjustedColumns {
  const Adjustment* all = nullptr;
  const int64_t* begins = nullptr;
  Scalar *log_probabilities = nullptr, *likeliest = nullptr;  // of each of `all`, of each row; see TopKRows
};

/// The k best columns of each row of logits [rows, V], slots beyond V included and `banned` columns excluded,
/// with their log-probabilities: best first, equal ones by ascending index. watched_value[row] is the
/// log-probability of column `watched`. Overwrites the logits.
template <class Scalar>
struct TopKTerms {
  Scalar* logits;
  Columns columns;
  Copies<Scalar> copies;
  AdjustedColumns<Scalar> adjusted;
  Scalar* log_probabilities;
  int64_t* indices;
  Scalar* watched_value;
  int64_t vocabulary;
};

/// Seed of one draw of random integers: number i is a function of `low`, `high` and i alone.
struct Draw {
  uint32_t low, high;
};

/// y[i] = x[i] times 0 if random integer i of the draw, below 2^24, is below `threshold`, otherwise times
/// `scale`; null x: all ones.
template <class Scalar>
struct DropoutTerms {
  Draw draw;
  uint32_t threshold;
  Scalar scale;
  const Scalar* x;
  Scalar* y;
};

/// Strides of a tensor [b, h, t, d] in elements; its last dimension is contiguous.
struct HeadStrides {
  int64_t sentence, head, position;
};

/// Multi-head attention: queries [b, h, q, d], keys and values [b, h, s, d]. Null mask: no mask; causal:
/// query q attends to s <= q. `dropout` [b, h, q, s]: factors of the weights, or null.
template <class Scalar>
struct HeadTerms {
  const Scalar *queries, *keys, *values;
  HeadStrides query_strides, key_strides, value_strides;
  const bool* mask = nullptr;  // [b, s]
  const Scalar* dropout = nullptr;
  bool causal = false;
  Scalar scale;
  int64_t sentences, heads, query_count, length, width;
};

/// All three contiguous in [b, t, h, d] order, overwritten.
template <class Scalar>
struct HeadGradients {
  Scalar *queries, *keys, *values;
};

/// The loops of one instruction set over rows (sentences, heads, elements) `begin` to `end`. Pointers not
/// described by the structs are scratch memory of one thread.
template <class Scalar>
struct Loops {
  using LstmForwardLoop = void(const LstmForward<Scalar>&, int64_t begin, int64_t end);
  using LstmBackwardLoop = void(const LstmBackward<Scalar>&, int64_t begin, int64_t end);
  using GruForwardLoop = void(const GruForward<Scalar>&, int64_t begin, int64_t end);
  using GruBackwardLoop = void(const GruBackward<Scalar>&, int64_t begin, int64_t end);
  using AdditiveScoresLoop = void(const AdditiveTerms<Scalar>&, Scalar* scores, int64_t begin, int64_t end);
  /// shares [width]
  using AdditiveBackwardLoop = void(const AdditiveTerms<Scalar>&, const Scalar* score_gradient,
                                    const AdditiveGradients<Scalar>&, Scalar* shares, int64_t begin,
                                    int64_t end);
  using CrossEntropyLoop = void(const CrossEntropy<Scalar>&, int64_t begin, int64_t end);
  /// block_peaks [V / block_width, rounded up], beyond [length of the copies]
  using TopKLoop = void(const TopKTerms<Scalar>&, Scalar* block_peaks, Scalar* beyond, int64_t begin,
                        int64_t end);
  /// columns [width, padded length], scores [padded length]; null weights are not stored
  using AttendLoop = void(const HeadTerms<Scalar>&, Scalar* columns, Scalar* scores, Scalar* weights,
                          Scalar* context, int64_t begin, int64_t end);
  /// columns [width, padded length], weight_gradient [padded length]
  using AttendBackwardLoop = void(const HeadTerms<Scalar>&, const Scalar* weights,
                                  const Scalar* context_gradient, const HeadGradients<Scalar>&,
                                  Scalar* columns, Scalar* weight_gradient, int64_t begin, int64_t end);
  using DropoutLoop = void(const DropoutTerms<Scalar>&, int64_t begin, int64_t end);

  LstmForwardLoop* lstm_forward;
  LstmBackwardLoop* lstm_backward;
  GruForwardLoop* gru_forward;
  GruBackwardLoop* gru_backward;
  AdditiveScoresLoop* additive_scores;
  AdditiveBackwardLoop* additive_backward;
  CrossEntropyLoop* cross_entropy;
  TopKLoop* top_k;
  AttendLoop* attend;
  AttendBackwardLoop* attend_backward;
  DropoutLoop* dropout;
};

/// The loops of the steps of a search over rows, or heads of rows, `begin` to `end`.
struct StepLoops {
  void (*product)(const PackedProduct&, int64_t begin, int64_t end);  // panels
  void (*nonlinear)(Nonlinearity, const Matrix&, int64_t begin, int64_t end);
  void (*normalize)(const Normalization&, int64_t begin, int64_t end);
  void (*attend_to_rows)(const RowAttention&, int64_t begin, int64_t end);
  /// scores [padded length]
  void (*attend_to_source)(const SourceAttention&, float* scores, int64_t begin, int64_t end);
  /// scores [padded positions]
  void (*attend_to_past)(const PastAttention&, float* scores, int64_t begin, int64_t end);
  void (*mean)(DistributionMean, const MeanRows&, int64_t begin, int64_t end);
};

/// Rows of x rounded to int8, as the products of one instruction set take them.
struct QuantizedRows {
  unsigned char* values;  // [rows, row_bytes(width)]
  float* scales;          // [rows]
};

/// The loops of products with weights in int8.
struct Int8Loops {
  int64_t (*row_bytes)(int64_t width);
  /// Writes rows `begin` to `end`.
  void (*quantize)(const PackedProduct&, const QuantizedRows&, int64_t begin, int64_t end);
  void (*product)(const PackedProduct&, const QuantizedRows&, int64_t begin, int64_t end);  // panels
};

#define SEQ2SEQ_DECLARE_LOOPS(instruction_set)                                \
  namespace instruction_set {                                                 \
  extern const Loops<float> float_loops;                                      \
  extern const Loops<double> double_loops;                                    \
  extern const StepLoops step_loops;                                          \
  extern const Int8Loops int8_loops;                                          \
  void uniform(const Draw& draw, float* numbers, int64_t begin, int64_t end); \
  }
SEQ2SEQ_DECLARE_LOOPS(baseline)
SEQ2SEQ_DECLARE_LOOPS(avx)
SEQ2SEQ_DECLARE_LOOPS(avx2)
SEQ2SEQ_DECLARE_LOOPS(avx512)
#undef SEQ2SEQ_DECLARE_LOOPS
namespace avx512vnni {  // the others are those of avx512
extern const Int8Loops int8_loops;
}

}  // namespace seq2seq::kernels
