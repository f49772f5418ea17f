#pragma once

// Options and output of `inspect --gradient-flow`.

#include <string>
#include <vector>

#include "pair_files.h"
#include "seq2seq/core/json.h"
#include "seq2seq/report/gradient_flow_chart.h"

namespace seq2seq {

struct GradientFlowOptions {
  bool wanted = false;
  std::vector<std::string> fresh;
  int64_t simple_rnn = 0;
  double simple_rnn_range = 0.1;
  CorpusFiles files;
  int64_t sentences = 32;
  int64_t probe_length = 40, probe_distance = -1;
  double clip_norm = 5.0;
  int64_t seed = 1;
  std::string plot;
  static void fields(auto& o, auto& f) {
    f("gradient-flow", o.wanted,
      "measure gradient flow instead: the norm of the gradient of the loss of a target's last token with "
      "respect to the state at each distance; for the models, --fresh and --simple-rnn side by side",
      everyday);
    const OptionCondition measuring = only_if(o.wanted, "add --gradient-flow");
    f("fresh", o.fresh, "untrained models to measure as well: configurations (models/*.json)", everyday,
      measuring);
    f("simple-rnn", o.simple_rnn, "size of a simple RNN to measure, with a head on the last step; 0 = none",
      in_range(0, 8192), everyday, measuring);
    f("simple-rnn-range", o.simple_rnn_range,
      "its weights are uniform in +- this; with large ones gradients explode", in_range(1e-6, 10), measuring,
      only_if(o.simple_rnn > 0, "add --simple-rnn"));
    pair_file_fields(o.files, f, measuring);
    f("sentences", o.sentences, "pairs to measure: the first ones of the text, or as many probes",
      in_range(1, 4096), measuring);
    const OptionCondition probing = only_if(o.files.empty(), "leave out the text or the probe");
    f("probe-length", o.probe_length, "without text: random tokens per source, one of which is the target",
      in_range(1, 10000), measuring, probing);
    f("probe-distance", o.probe_distance,
      "its distance from the last token; -1 = the first token is the target", at_least(-1), measuring,
      probing);
    f("clip-norm", o.clip_norm,
      "show the factor by which clipping to this norm scales larger gradients; 0 = do not", at_least(0),
      measuring);
    f("seed", o.seed, "seed of untrained weights and of the probe", at_least(0),
      noted_unless(o.wanted, "without --gradient-flow"),
      noted_unless(!o.wanted || o.files.empty() || !o.fresh.empty(), "for trained models on text"));
    f("plot", o.plot, "an .svg file for a chart", everyday, measuring);
  }
};

/// Rules between fields; `models` are measured as well. Throws UsageError.
void check(const GradientFlowOptions& options, const std::vector<std::string>& models);

/// Measures the models of the options, and `models`. Throws Error.
std::vector<NamedFlow> measure_gradient_flow(const GradientFlowOptions& options,
                                             const std::vector<std::string>& models);

/// One row per distance, one column per model, and the factor by which clipping scales each gradient. Lines
/// have at most 80 characters unless there are many models.
std::string gradient_flow_table(const std::vector<NamedFlow>& flows, double clip_norm);
Json gradient_flow_json(const std::vector<NamedFlow>& flows, double clip_norm);

}  // namespace seq2seq
