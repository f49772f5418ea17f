#pragma once

// Kernels for the steps of a search (model/decoder_steps.h): float32 in memory that others own, and nothing that is
// allocated. Plain structs without functions, because the loops of nn/cpu include this file.

#include <stdint.h>

namespace seq2seq {

/// Rows of floats that begin `stride` apart.
struct Matrix {
  float* data;
  int64_t rows, width, stride;
};

/// gelu: computed with the error function (Hendrycks and Gimpel 2016).
enum class Nonlinearity { relu, gelu, tanh, sigmoid };

/// How the weights of products are kept:
///   bfloat16  rounded to 8 significant bits, to the nearest and then even; sums are in float32
///   int8      each row a scale times integers within +-127; x is rounded alike, each row by itself, and sums are integers
enum class WeightFormat { float32, bfloat16, int8 };

/// W [columns, width] packed into panels of `lanes` columns (WeightStore), in which few inputs of a column stand together, 2
/// in bfloat16 and 4 in int8; panels and what stands together are filled up with zeros.
struct WeightPanels {
  WeightFormat format;
  const void* values;             // [panels, width / together rounded up, lanes, together]
  const float* scales = nullptr;  // int8: [panels * lanes], of the columns
  const int32_t* sums = nullptr;  // int8: [panels * lanes], of the integers of each column
};

/// y = x W^T + bias, or y += x W^T + bias. Each element of y depends on its row of x and its column alone, bit for bit;
/// with weights in int8 it is the same on every processor.
struct PackedProduct {
  const float* x;  // [rows, width]
  WeightPanels weight;
  const float* bias;  // [columns], or null
  float* y;           // [rows, columns]
  int64_t rows, width, columns, x_stride, y_stride;
  bool add = false;  // to y
};

/// y = (x - mean) / sqrt(variance + 1e-5) gain + bias in each row; y may be x.
struct Normalization {
  Matrix x, y;
  const float *gain, *bias;  // [width]
};

/// One query per row, attending to the states of its sentence. Scores are v . tanh(key + query) or, without v, the
/// products of key and query; coverage c_i of position i adds c_i U to its key.
struct RowAttention {
  const float *query, *keys, *states;            // [rows, A]; [sentences, S, A]; [sentences, S, C]
  const int64_t *sentences, *lengths;            // [rows]; [sentences]
  const float* v = nullptr;                      // [A]
  const float *covered = nullptr, *u = nullptr;  // [rows, S]; U [A]
  float *weights, *context;                      // [rows, S], 0 beyond the length; [rows, C]
  int64_t rows, length, key_width, state_width, context_stride;
};

/// Multi-head attention of one query per row to the source. Scores are scaled by `scale`.
struct SourceAttention {
  const float *queries, *keys, *values;  // [rows, h * d]; [sentences, h, d, padded S]; [sentences, S, h * d]
  const int64_t *sentences, *lengths;    // [rows]; [sentences]
  float *weights, *context;              // [rows, S] of the first head, or null; [rows, h * d]
  int64_t rows, heads, width, length, value_stride;
  float scale;
};

/// Multi-head attention of one query per row to the tokens before it and itself. The key and the value of the token at
/// position t of a row stand side by side, [2 * h * d], in row `ancestors[row][t]` of `past[t]`.
struct PastAttention {
  const float* queries;  // [rows, ...], `query_stride` apart
  const float* const* past;
  const int32_t* ancestors;  // [rows, ...], `ancestor_stride` apart
  float* context;            // [rows, h * d]
  int64_t rows, heads, width, positions, query_stride, ancestor_stride;
  float scale;
};

/// x [rows, 4H] of an LSTM and [rows, 3H] of a GRU as the cells of nn/ops take them; overwritten.
struct CellRows {
  float* gates;                              // the sum of both products; GRU: the input's
  const float* recurrent_gates;              // GRU alone
  const float *hidden_before, *cell_before;  // [rows, H]
  float *hidden, *cell;                      // [rows, H]
  int64_t rows, width;
};

/// How distributions become one:
///   arithmetic  the mean of their probabilities
///   geometric   the geometric mean, renormalized
enum class DistributionMean { arithmetic, geometric };

/// Rows of the log-probabilities of `count` distributions, and of their mean. Columns that a member lacks have probability
/// 0 there. Each row of the mean depends on theirs alone, and columns of probability 0 after them change no bit.
struct MeanRows {
  const float* const* members;  // of each [rows, its width]
  const int64_t* widths;
  float* mean;  // [rows, width]
  int64_t count, rows, width;
};

/// Every function runs on all threads of the caller.
struct StepKernels {
  void (*product)(const PackedProduct&);
  void (*nonlinear)(Nonlinearity, const Matrix&);  // in place
  void (*normalize)(const Normalization&);
  void (*lstm_cell)(const CellRows&);
  void (*gru_cell)(const CellRows&);
  void (*attend_to_rows)(const RowAttention&);
  void (*attend_to_source)(const SourceAttention&);
  void (*attend_to_past)(const PastAttention&);
  void (*mean)(DistributionMean, const MeanRows&);
};

}  // namespace seq2seq
