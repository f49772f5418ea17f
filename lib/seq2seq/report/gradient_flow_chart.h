#pragma once

#include <string>
#include <vector>

#include "seq2seq/model/gradient_flow.h"
#include "seq2seq/report/line_chart.h"

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

}  // namespace seq2seq
