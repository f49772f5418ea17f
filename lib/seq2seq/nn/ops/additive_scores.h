#pragma once

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// Additive attention scores [B, K, S]:
///   sum over a of v_a tanh(keys_a + query_a + coverage * coverage_weight_a)
/// for keys [B, S, A], query [B, K, A], v [A], mask [B, S]; coverage [B, K, S] and coverage_weight [A], or
/// both undefined. Scores at masked positions are unspecified but finite.
Tensor additive_scores(const Tensor& keys, const Tensor& query, const Tensor& v, const Tensor& mask,
                       const Tensor& coverage = {}, const Tensor& coverage_weight = {});

}  // namespace seq2seq
