#pragma once

// The kernels as functions of a `Runner`, which is made from a stream and offers, each with an error code as result,
//   elements(count, kernel)            kernel(i) for each element
//   warps(count, kernel)               kernel(group, i), a warp each
//   blocks<Shape>(count, shared, kernel)  kernel(group, i), a block each, with shared memory of so many bytes
// The shape of a block is one of Runner::Wide (for rows) and Runner::Table (see Group).

#include "seq2seq/nn/cuda/additive_scores.h"
#include "seq2seq/nn/cuda/attend.h"
#include "seq2seq/nn/cuda/attend_short.h"
#include "seq2seq/nn/cuda/cells.h"
#include "seq2seq/nn/cuda/cross_entropy.h"
#include "seq2seq/nn/cuda/functions.h"
#include "seq2seq/nn/cuda/memory_products.h"
#include "seq2seq/nn/cuda/noise.h"
#include "seq2seq/nn/cuda/top_k.h"

namespace seq2seq::cuda {

constexpr int few_queries = 8;  ///< for so few a warp each is enough, and low tiles waste less
constexpr int high_tile = 32;
constexpr size_t most_shared_bytes = size_t{48} * 1024;  ///< that every GPU gives a block unasked

template <class Runner, class Scalar>
struct Table {
  static int lstm_forward(const kernels::LstmForward<Scalar>& terms, int64_t rows, void* stream) {
    return Runner(stream).elements(rows * terms.width, LstmForwardElement<Scalar>{terms});
  }
  static int lstm_backward(const kernels::LstmBackward<Scalar>& terms, int64_t rows, void* stream) {
    return Runner(stream).elements(rows * terms.width, LstmBackwardElement<Scalar>{terms});
  }
  static int gru_forward(const kernels::GruForward<Scalar>& terms, int64_t rows, void* stream) {
    return Runner(stream).elements(rows * terms.width, GruForwardElement<Scalar>{terms});
  }
  static int gru_backward(const kernels::GruBackward<Scalar>& terms, int64_t rows, void* stream) {
    return Runner(stream).elements(rows * terms.width, GruBackwardElement<Scalar>{terms});
  }
  static int dropout(const kernels::DropoutTerms<Scalar>& terms, int64_t count, void* stream) {
    return Runner(stream).elements(count, DropoutElement<Scalar>{terms});
  }

  static int additive_scores(const kernels::AdditiveTerms<Scalar>& terms, Scalar* scores, void* stream) {
    return Runner(stream).warps(terms.sentences * terms.length,
                                AdditiveScoresPosition<Scalar>{terms, scores});
  }
  static int additive_backward(const kernels::AdditiveTerms<Scalar>& terms, const Scalar* score_gradient,
                               const kernels::AdditiveGradients<Scalar>& gradients, void* stream) {
    const int64_t columns = terms.sentences * terms.width;
    const Runner runner(stream);
    const int error =
        terms.hypotheses == 1
            ? runner.elements(columns, AdditiveBackwardColumn<1, Scalar>{terms, score_gradient, gradients})
            : runner.elements(columns, AdditiveBackwardColumn<hypotheses_at_once, Scalar>{
                                           terms, score_gradient, gradients});
    if (error != 0 || terms.coverage == nullptr) return error;
    return runner.warps(terms.sentences * terms.length,
                        AdditiveCoverageGradient<Scalar>{terms, score_gradient, gradients.coverage});
  }

  static int cross_entropy(const kernels::CrossEntropy<Scalar>& terms, int64_t rows, void* stream) {
    return Runner(stream).template blocks<typename Runner::Wide>(rows, 0, CrossEntropyRow<Scalar>{terms});
  }
  static int top_k(const kernels::TopKTerms<Scalar>& terms, int64_t rows, void* stream) {
    TopKRow<Scalar> row{terms, {}};
    for (int64_t i = 0; i < terms.columns.banned_count; ++i) row.banned[i] = terms.columns.banned[i];
    const int64_t slots = terms.copies.length < slots_at_once ? terms.copies.length : slots_at_once;
    return Runner(stream).template blocks<typename Runner::Wide>(
        rows, static_cast<size_t>(slots) * sizeof(Scalar), row);
  }

  static int attend(const kernels::HeadTerms<Scalar>& terms, Scalar* weights, Scalar* context, void* stream) {
    if (terms.query_count <= few_queries)
      return Runner(stream).warps(terms.sentences * terms.heads * terms.query_count,
                                  AttendQuery<Scalar>{terms, weights, context});
    if (is_short(terms, 1)) return heads(terms, 1, AttendShort<Scalar>{terms, weights, context}, stream);
    return tiles<high_tile>(terms, terms.query_count, AttendTile<high_tile, Scalar>{terms, weights, context},
                            stream);
  }
  static int attend_backward(const kernels::HeadTerms<Scalar>& terms, const Scalar* weights,
                             const Scalar* context_gradient, const kernels::HeadGradients<Scalar>& gradients,
                             Scalar* score_gradient, void* stream) {
    if (is_short(terms, 2))
      return heads(terms, 2, AttendBackwardShort<Scalar>{terms, weights, context_gradient, gradients},
                   stream);
    const int error =
        terms.query_count <= few_queries
            ? query_tiles<few_queries>(terms, weights, context_gradient, gradients, score_gradient, stream)
            : query_tiles<high_tile>(terms, weights, context_gradient, gradients, score_gradient, stream);
    if (error != 0) return error;
    return tiles<high_tile>(
        terms, terms.length,
        AttendBackwardPositions<high_tile, Scalar>{terms, weights, context_gradient, score_gradient,
                                                   gradients.keys, gradients.values},
        stream);
  }

  static int states_dot(const StatesTerms<Scalar>& terms, void* stream) {
    return Runner(stream).warps(terms.sentences * terms.length, StatesDotPosition<Scalar>{terms});
  }
  static int weighted_states(const StatesTerms<Scalar>& terms, void* stream) {
    const WeightedStatesColumn<Scalar> column{terms};
    return Runner(stream).elements(column.count(terms), column);
  }

  static constexpr Functions<Scalar> functions() {
    return {lstm_forward,      lstm_backward,   gru_forward, gru_backward, additive_scores,
            additive_backward, cross_entropy,   top_k,       attend,       attend_backward,
            states_dot,        weighted_states, dropout};
  }

 private:
  static size_t short_bytes(const kernels::HeadTerms<Scalar>& terms, int64_t tables) {
    return static_cast<size_t>(ShortHead<Scalar>::values(terms, tables)) * sizeof(Scalar);
  }
  static bool is_short(const kernels::HeadTerms<Scalar>& terms, int64_t tables) {
    return short_bytes(terms, tables) <= most_shared_bytes;
  }
  /// One block for each head, with so many tables in shared memory.
  template <class Kernel>
  static int heads(const kernels::HeadTerms<Scalar>& terms, int64_t tables, const Kernel& kernel,
                   void* stream) {
    return Runner(stream).template blocks<typename Runner::Table>(terms.sentences * terms.heads,
                                                                  short_bytes(terms, tables), kernel);
  }
  template <int height>
  static int query_tiles(const kernels::HeadTerms<Scalar>& terms, const Scalar* weights,
                         const Scalar* context_gradient, const kernels::HeadGradients<Scalar>& gradients,
                         Scalar* score_gradient, void* stream) {
    return tiles<height>(terms, terms.query_count,
                         AttendBackwardQueries<height, Scalar>{terms, weights, context_gradient,
                                                               score_gradient, gradients.queries},
                         stream);
  }
  /// One block for each tile of `height` of the `length` queries or positions of each head.
  template <int height, class Kernel>
  static int tiles(const kernels::HeadTerms<Scalar>& terms, int64_t length, const Kernel& kernel,
                   void* stream) {
    return Runner(stream).template blocks<typename Runner::Table>(
        terms.sentences * terms.heads * tiles_of(length, height), product_values<height>() * sizeof(Scalar),
        kernel);
  }
};

template <class Runner>
int uniform(const kernels::Draw& draw, float* numbers, int64_t count, void* stream) {
  return Runner(stream).elements(count, UniformElement{draw, numbers});
}

template <class Runner>
constexpr Library library_of(const char* (*description)(int)) {
  return {Library::current_version, Table<Runner, float>::functions(), Table<Runner, double>::functions(),
          uniform<Runner>, description};
}

}  // namespace seq2seq::cuda
