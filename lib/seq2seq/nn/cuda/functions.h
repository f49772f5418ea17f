#pragma once

// The table of functions through which the program, which knows no CUDA, and the library of kernels, which knows no
// LibTorch, know each other.

#include "seq2seq/nn/cpu/loops.h"

namespace seq2seq::cuda {

/// Products of a sentence's rows with its states [b, s, h]: of rows [b, k, h] the products [b, k, s], of weights
/// [b, k, s] the products [b, k, h].
template <class Scalar>
struct StatesTerms {
  const Scalar *factor, *states;
  Scalar* products;
  int64_t sentences, rows, length, width;
};

/// Each starts its kernels on a stream and returns 0 or an error code, see Library::description. Pointers are
/// those of the device; `stream` is a cudaStream_t, null = the default one of the current device.
template <class Scalar>
struct Functions {
  int (*lstm_forward)(const kernels::LstmForward<Scalar>&, int64_t rows, void* stream);
  int (*lstm_backward)(const kernels::LstmBackward<Scalar>&, int64_t rows, void* stream);
  int (*gru_forward)(const kernels::GruForward<Scalar>&, int64_t rows, void* stream);
  int (*gru_backward)(const kernels::GruBackward<Scalar>&, int64_t rows, void* stream);
  int (*additive_scores)(const kernels::AdditiveTerms<Scalar>&, Scalar* scores, void* stream);
  int (*additive_backward)(const kernels::AdditiveTerms<Scalar>&, const Scalar* score_gradient,
                           const kernels::AdditiveGradients<Scalar>&, void* stream);
  int (*cross_entropy)(const kernels::CrossEntropy<Scalar>&, int64_t rows, void* stream);
  /// Columns::banned is memory of the host, of at most `most_banned`.
  int (*top_k)(const kernels::TopKTerms<Scalar>&, int64_t rows, void* stream);
  int (*attend)(const kernels::HeadTerms<Scalar>&, Scalar* weights, Scalar* context, void* stream);
  /// score_gradient [b, h, q, s]: scratch
  int (*attend_backward)(const kernels::HeadTerms<Scalar>&, const Scalar* weights,
                         const Scalar* context_gradient, const kernels::HeadGradients<Scalar>&,
                         Scalar* score_gradient, void* stream);
  int (*states_dot)(const StatesTerms<Scalar>&, void* stream);
  int (*weighted_states)(const StatesTerms<Scalar>&, void* stream);
  int (*dropout)(const kernels::DropoutTerms<Scalar>&, int64_t count, void* stream);
};

/// What the library gives away; `version` comes first in all versions.
struct Library {
  static constexpr int64_t current_version = 2;  ///< of this header and of the structs that it passes
  int64_t version;
  Functions<float> floats;
  Functions<double> doubles;
  int (*uniform)(const kernels::Draw&, float* numbers, int64_t count, void* stream);
  const char* (*description)(int error);
};

/// The library's only symbol: null where the machine has no driver or a GPU for which it was not built.
using LibraryFunction = const Library*();
constexpr const char* library_file = "libseq2seq_cuda.so";
constexpr const char* library_function = "seq2seq_cuda_library";

}  // namespace seq2seq::cuda
