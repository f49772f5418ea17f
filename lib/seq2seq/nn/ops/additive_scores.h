#pragma once

#include "seq2seq/nn/shapes.h"

namespace seq2seq {

/// sum_h v_h tanh(keys + query + coverage coverage_weight): keys [B, S, A], query [B, K, A], v [A], mask [B,
/// S], coverage [B, K, S] and coverage_weight [A] or undefined -> [B, K, S]. Values at masked positions are
/// unspecified but finite.
Tensor additive_scores(const Tensor& keys, const Tensor& query, const Tensor& v, const Tensor& mask,
                       const Tensor& coverage = {}, const Tensor& coverage_weight = {});

}  // namespace seq2seq
