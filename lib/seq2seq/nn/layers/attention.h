#pragma once

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <span>

#include "seq2seq/nn/layers/linear.h"

namespace seq2seq {

/// How a decoder state q is compared with an encoder state m:
///   none      not at all: the context is zero (fixed-context models)
///   dot       q . m                      (Luong et al. 2015)
///   general   q . W m                    (Luong et al. 2015)
///   additive  v . tanh(W_q q + W_m m)    (Bahdanau et al. 2015)
///   multi-head  (W_q q) . (W_m m) / sqrt(d) in each of several heads of width d, each with its own part
///               of the values W_v m (Vaswani et al. 2017); the first head copies and is covered
enum class AttentionKind { none, dot, general, additive, multi_head };
std::span<const char* const> option_names(AttentionKind);

/// What attention remembers of where it looked, and adds to each key as U c_i before comparing:
///   none     nothing
///   linear   c_i = the sum of past attention to i      (See et al. 2017, eq. 11)
///   gru      c_i = GRU(c_i; attention to i, m_i, q)    (Tu et al. 2016, eq. 8)
enum class CoverageKind { none, linear, gru };
std::span<const char* const> option_names(CoverageKind);

/// Of N hypotheses; undefined tensors where the kind of coverage has none.
struct Coverage {
  Tensor sum;    ///< [N, S] past attention
  Tensor cells;  ///< [N, S, D] GRU states
};

struct AttentionResult {
  Tensor context;     ///< [N, C]
  Tensor weights;     ///< [N, S], each row sums to 1, 0 where the mask is false (all 0 for `none`)
  Coverage coverage;  ///< with this look at the source
};

/// sum over steps and positions of min(attention, attention of all steps before) (See et al. 2017, eq. 12):
/// attention [B, T, S], steps [B, T] bool, true = a step that counts -> scalar.
Tensor coverage_loss(const Tensor& attention, const Tensor& steps);

class AttentionImpl : public torch::nn::Module {
 public:
  static constexpr int64_t coverage_size = 10;  // D of `gru`

  /// Throws TORCH_CHECK when `dot` is asked for with unequal sizes, coverage without attention, or heads that
  /// do not divide the hidden size.
  AttentionImpl(AttentionKind kind, int64_t query_size, int64_t memory_size, int64_t hidden_size,
                CoverageKind coverage = CoverageKind::none, int64_t heads = 1);

  /// What depends on the sentence alone: states [B, S, H] -> keys [B, S, A], of several heads also values
  /// [B, S, A], and with `gru` coverage the gates of the states [B, S, 3D], else undefined. Computed once a
  /// sentence.
  Tensor keys(const Tensor& states);
  Tensor values(const Tensor& states);
  Tensor coverage_gates(const Tensor& states);
  /// Before the first step, a row a sentence.
  Coverage start(const Tensor& states) const;

  /// What is looked at, a row a sentence.
  struct View {
    Tensor states;               ///< [B, S, H]
    Tensor keys;                 ///< [B, S, A]
    Tensor mask;                 ///< [B, S]
    Tensor coverage_gates = {};  ///< [B, S, 3D] with `gru` coverage
    Tensor values = {};          ///< [B, S, A] of several heads
  };
  /// query [N, Q], N = B * K rows, a sentence's rows adjacent; `past` from `start` or the step before; `bias`
  /// [N, S] is added to the scores.
  AttentionResult forward(const Tensor& query, const View& view, const Coverage& past = {},
                          const Tensor& bias = {});

  AttentionKind kind() const { return kind_; }
  /// C: H, or of several heads A.
  int64_t context_size() const { return context_size_; }

 private:
  /// Each head as a query of its own, zero outside its part: [N, A] -> [N, heads, A].
  Tensor one_query_a_head(const Tensor& query);
  Tensor scores(const Tensor& query, const View& view, const Coverage& past, int64_t hypotheses);
  Coverage next(const Tensor& query, const View& view, const Coverage& past, const Tensor& weights);

  AttentionKind kind_;
  CoverageKind coverage_;
  int64_t context_size_, heads_;
  Tensor head_of_;  // [heads, A] one where the column belongs to the head
  Linear query_{nullptr}, key_{nullptr}, value_{nullptr};
  Tensor v_;
  Tensor coverage_weight_;  // [A, D]
  Linear state_gates_{nullptr}, query_gates_{nullptr}, cell_gates_{nullptr};
  Tensor attention_gates_;  // [3D]
};
TORCH_MODULE(Attention);

}  // namespace seq2seq
