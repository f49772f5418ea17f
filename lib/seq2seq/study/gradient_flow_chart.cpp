#include "seq2seq/study/gradient_flow_chart.h"

#include <algorithm>
#include <numeric>

#include "seq2seq/core/error.h"
#include "seq2seq/data/numbered_text.h"

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

std::vector<Example> numbered_pairs(const TranslationModel& model, const Corpus& corpus,
                                    std::span<const uint64_t> indices) {
  std::vector<Example> examples;
  for (const uint64_t index : indices) {
    const RawExample raw = corpus.at(index);
    const NumberedSource source = number_source(*model.text.source, raw.source, raw.source_sentences,
                                                model.text.form, model.maximum_length);
    Example example{index, source.ids,
                    number_target(*model.text.target, raw.target, source, model.text.form)};
    if (!example.source.empty() && !example.target.empty()) examples.push_back(std::move(example));
  }
  if (examples.empty())
    throw Error(corpus.files().describe(), "has no pair with words on both sides", "give text");
  return examples;
}

}  // namespace seq2seq
