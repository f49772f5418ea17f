#pragma once

// The kernels as functions of a `Runner`, which is made from a stream and offers, each with an error code as result,
//   elements(count, kernel)            kernel(i) for each element
//   warps(count, kernel)               kernel(group, i), a warp each
//   blocks<Shape>(count, shared, kernel)  kernel(group, i), a block each, with shared memory of so many bytes
// The shape of a block is one of Runner::Wide (for rows), Runner::Tall (for rows that are read many times) and
// Runner::Table (see Group).

#include "seq2seq/nn/cuda/additive_scores.h"
#include "seq2seq/nn/cuda/attend.h"
#include "seq2seq/nn/cuda/cells.h"
#include "seq2seq/nn/cuda/cross_entropy.h"
#include "seq2seq/nn/cuda/functions.h"
#include "seq2seq/nn/cuda/noise.h"
#include "seq2seq/nn/cuda/top_k.h"

namespace seq2seq::cuda {

constexpr int few_queries = 8;  ///< for so few, low tiles waste less
constexpr int high_tile = 32;

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
    using Shape = typename Runner::Table;
    const int error = Runner(stream).template blocks<Shape>(
        terms.sentences * tiles_of(terms.width, Shape::columns),
        Shape::columns * Shape::rows * sizeof(Scalar),
        AdditiveBackwardColumns<Scalar>{terms, score_gradient, gradients});
    if (error != 0 || terms.coverage == nullptr) return error;
    return Runner(stream).warps(terms.sentences * terms.length,
                                AdditiveCoverageGradient<Scalar>{terms, score_gradient, gradients.coverage});
  }

  static int cross_entropy(const kernels::CrossEntropy<Scalar>& terms, int64_t rows, void* stream) {
    return Runner(stream).template blocks<typename Runner::Wide>(rows, 0, CrossEntropyRow<Scalar>{terms});
  }
  static int top_k(const kernels::TopKTerms<Scalar>& terms, int64_t rows, void* stream) {
    TopKRow<Scalar> row{terms, {}};
    for (int64_t i = 0; i < terms.columns.banned_count; ++i) row.banned[i] = terms.columns.banned[i];
    const int64_t slots = terms.copies.length < slots_at_once ? terms.copies.length : slots_at_once;
    return Runner(stream).template blocks<typename Runner::Tall>(
        rows, static_cast<size_t>(slots) * sizeof(Scalar), row);
  }

  static int attend(const kernels::HeadTerms<Scalar>& terms, Scalar* weights, Scalar* context, void* stream) {
    return terms.query_count <= few_queries
               ? tiles<few_queries>(terms, terms.query_count,
                                    AttendTile<few_queries, Scalar>{terms, weights, context}, stream)
               : tiles<high_tile>(terms, terms.query_count,
                                  AttendTile<high_tile, Scalar>{terms, weights, context}, stream);
  }
  static int attend_backward(const kernels::HeadTerms<Scalar>& terms, const Scalar* weights,
                             const Scalar* context_gradient, const kernels::HeadGradients<Scalar>& gradients,
                             Scalar* score_gradient, void* stream) {
    const int error =
        terms.query_count <= few_queries
            ? tiles<few_queries>(terms, terms.query_count,
                                 AttendBackwardQueries<few_queries, Scalar>{
                                     terms, weights, context_gradient, score_gradient, gradients.queries},
                                 stream)
            : tiles<high_tile>(terms, terms.query_count,
                               AttendBackwardQueries<high_tile, Scalar>{terms, weights, context_gradient,
                                                                        score_gradient, gradients.queries},
                               stream);
    if (error != 0) return error;
    return tiles<high_tile>(
        terms, terms.length,
        AttendBackwardPositions<high_tile, Scalar>{terms, weights, context_gradient, score_gradient,
                                                   gradients.keys, gradients.values},
        stream);
  }

  static constexpr Functions<Scalar> functions() {
    return {lstm_forward,  lstm_backward, gru_forward, gru_backward,    additive_scores, additive_backward,
            cross_entropy, top_k,         attend,      attend_backward, dropout};
  }

 private:
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
