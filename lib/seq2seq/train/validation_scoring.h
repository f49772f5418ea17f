#pragma once

#include <string>
#include <vector>

#include "seq2seq/metrics/metrics.h"
#include "seq2seq/train/options.h"

namespace seq2seq {

/// How a run's validation scores outputs, settled on its references.
struct ValidationScoring {
  std::vector<const Metric*> metrics;  ///< the wanted ones
  MetricOptions options;               ///< RougeTokenizer is not automatic
  std::vector<const Metric*> silent;   ///< of `metrics`, those that cannot rise on the references
  /// What decides about `best` and early stopping: the criterion, unless it is silent; then perplexity, and
  /// only about `best`.
  const Metric* decisive = nullptr;
  bool criterion_is_silent = false;
  /// "bleu nrefs:1|...; rouge1, rougeL nrefs:1|...": the signatures of the metrics that have one.
  std::string signatures;

  bool is_silent(const std::string& metric) const;
};

/// `lowercase`: whether the model writes lowercased text, with which references are then compared in lower
/// case. Throws Error if a tokenizer's file cannot be read.
ValidationScoring settled_scoring(const ValidationOptions& options, const ReferenceLists& references,
                                  bool lowercase);

/// Throws UsageError if ROUGE's tokenizer was named and leaves no word of most references.
void refuse_empty_references(const ValidationOptions& options, const ReferenceLists& references);

/// Logs what a user would not expect of these settings; `begins`: the run is not resumed.
void tell_scoring(const ValidationScoring& scoring, const ValidationOptions& options,
                  const ReferenceLists& references, bool begins);

}  // namespace seq2seq
