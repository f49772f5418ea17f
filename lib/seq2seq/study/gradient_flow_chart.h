#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "seq2seq/data/corpus.h"
#include "seq2seq/model/checkpoint.h"
#include "seq2seq/model/gradient_flow.h"
#include "seq2seq/study/line_chart.h"

namespace seq2seq {

struct NamedFlow {
  std::string name;
  GradientFlow flow;
};

/// Norms by distance on a logarithmic scale, a curve each; curves that would be clipped to `clip_norm` (0 =
/// never) come again as clipping leaves them.
LineChart gradient_flow_chart(const std::vector<NamedFlow>& flows, double clip_norm = 0);

/// What clipping multiplies the gradient by: 1 when it is not longer than `clip_norm`, or that is 0.
double clip_factor(const GradientFlow& flow, double clip_norm);

/// Some pairs of a corpus as a model reads them; those without a source or target word are left out. Throws
/// Error when none is left.
std::vector<Example> numbered_pairs(const TranslationModel& model, const Corpus& corpus,
                                    std::span<const uint64_t> indices);

}  // namespace seq2seq
