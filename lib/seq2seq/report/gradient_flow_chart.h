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

/// Norms by distance on a logarithmic scale, one curve per flow. Flows whose gradient would be clipped to
/// `clip_norm` (0 = no clipping) have a second curve with the clipped norms.
LineChart gradient_flow_chart(const std::vector<NamedFlow>& flows, double clip_norm = 0);

/// The factor of gradient clipping: 1 if the norm is at most `clip_norm` or `clip_norm` is 0.
double clip_factor(const GradientFlow& flow, double clip_norm);

}  // namespace seq2seq
