#pragma once

// What the kernels of nn/cuda are made of. They are templates, compiled for GPUs by kernels.cu and, for tests, for the
// CPU; they include no header of LibTorch.
//
// A `Group` is what works on one row together: the threads of a block, those of a warp, or a single thread. It offers
//   rank(), size()              this thread among them
//   column(), row()             the same as a place in a table of `columns` x `rows` threads (blocks only)
//   sum(x), maximum(x), best(x) over all threads, known to all of them; always in the same order
//   sync()                      what each has written before, all can read afterwards
//   part(), parts(), team()     its teams, each a group that works on its own (blocks only)
//   shared<Scalar>()            memory that they share, of the size that the kernel states (blocks only)

#include <math.h>
#include <stdint.h>

#include "seq2seq/nn/cpu/loops.h"

#ifdef __CUDACC__
#define SEQ2SEQ_DEVICE __device__
#define SEQ2SEQ_UNROLL _Pragma("unroll 4")  // of a loop: reads of several of its turns are under way together
#else
#define SEQ2SEQ_DEVICE
#define SEQ2SEQ_UNROLL
#endif

namespace seq2seq::cuda {

SEQ2SEQ_DEVICE inline float exponential(float x) {
  return ::expf(x);
}
SEQ2SEQ_DEVICE inline double exponential(double x) {
  return ::exp(x);
}
SEQ2SEQ_DEVICE inline float logarithm(float x) {
  return ::logf(x);
}
SEQ2SEQ_DEVICE inline double logarithm(double x) {
  return ::log(x);
}
SEQ2SEQ_DEVICE inline float tangent(float x) {
  return ::tanhf(x);
}
SEQ2SEQ_DEVICE inline double tangent(double x) {
  return ::tanh(x);
}
template <class Scalar>
SEQ2SEQ_DEVICE Scalar sigmoid(Scalar x) {
  return Scalar(1) / (Scalar(1) + exponential(-x));
}

template <class Scalar>
SEQ2SEQ_DEVICE Scalar infinity() {
  return static_cast<Scalar>(INFINITY);
}
template <class Value>
SEQ2SEQ_DEVICE Value larger(Value a, Value b) {
  return a < b ? b : a;
}
template <class Value>
SEQ2SEQ_DEVICE Value smaller(Value a, Value b) {
  return b < a ? b : a;
}

/// Number of tiles of `size` that cover `count`.
constexpr int64_t tiles_of(int64_t count, int64_t size) {
  return (count + size - 1) / size;
}

/// An element of a row-major array; 64-bit divisions are slow on a GPU.
struct Place {
  int64_t row, column;
};
SEQ2SEQ_DEVICE inline Place place_of(int64_t element, int64_t width) {
  if ((element | width) >> 32 != 0) return {element / width, element % width};
  const uint32_t i = static_cast<uint32_t>(element), columns = static_cast<uint32_t>(width);
  return {i / columns, i % columns};
}

/// A value and where it is: larger values come first, equal ones by ascending index.
template <class Scalar>
struct Candidate {
  Scalar value;
  int64_t index;

  SEQ2SEQ_DEVICE bool before(const Candidate& other) const {
    return value > other.value || (value == other.value && index < other.index);
  }
};

}  // namespace seq2seq::cuda
