#include "seq2seq/report/gradient_flow_chart.h"

#include <algorithm>
#include <numeric>

namespace seq2seq {

double clip_factor(const GradientFlow& flow, double clip_norm) {
  return clip_norm > 0 && flow.parameter_norm > clip_norm ? clip_norm / flow.parameter_norm : 1.0;
}

LineChart gradient_flow_chart(const std::vector<NamedFlow>& flows, double clip_norm) {
  LineChart chart{"Gradient flow: norm of the gradient of the last word's loss by distance",
                  "steps back",
                  "gradient norm",
                  {},
                  true};
  for (const auto& [name, flow] : flows) {
    std::vector<double> distances(flow.norms.size());
    std::iota(distances.begin(), distances.end(), 0.0);
    chart.series.push_back({name, distances, flow.norms});
    const double factor = clip_factor(flow, clip_norm);
    if (factor == 1) continue;
    std::vector<double> clipped = flow.norms;
    for (double& norm : clipped) norm *= factor;
    chart.series.push_back({name + ", clipped", distances, std::move(clipped)});
  }
  return chart;
}

}  // namespace seq2seq
