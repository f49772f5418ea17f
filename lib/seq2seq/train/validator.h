#pragma once

#include <map>
#include <string>
#include <vector>

#include "seq2seq/data/corpus.h"
#include "seq2seq/metrics/metrics.h"
#include "seq2seq/model/archive/checkpoint.h"
#include "seq2seq/train/options.h"
#include "seq2seq/train/validation_scoring.h"

namespace seq2seq {

struct ValidationResult {
  /// By the metrics' names, in the units of their scales (metrics/metrics.h); loss, perplexity and accuracy
  /// are always among them.
  std::map<std::string, double> scores;
  double criterion = 0;  ///< the decisive score (ValidationScoring); for the length ratio its distance from 1
  double seconds = 0;
};

/// Evaluates a model on examples that it was not trained on.
class Validator {
 public:
  /// `indices`: the examples of `corpus` to use.
  Validator(const Corpus& corpus, const std::vector<uint64_t>& indices, const TextCodecs& text,
            const ValidationOptions& options, int64_t maximum_length);
  ValidationResult run(Seq2Seq& model) const;
  /// The model's output for each example's source, as of `seq2seq translate` with this beam size.
  std::vector<std::string> translate(const Seq2Seq& model) const;
  size_t size() const { return sources_.size(); }
  const ValidationScoring& scoring() const { return scoring_; }
  const ReferenceLists& references() const { return references_; }
  /// Examples that are not validated on because a side of them is empty.
  size_t left_out() const { return left_out_; }
  /// At most 16 examples of similar length, always the same.
  std::vector<Example> sample() const;

 private:
  std::map<std::string, double> teacher_forced(Seq2Seq& model) const;

  ValidationOptions options_;
  size_t left_out_ = 0;
  TextCodecs text_;
  std::vector<std::vector<Example>> batches_;  // sorted by target length
  std::vector<std::vector<Token>> source_tokens_;
  std::vector<std::string> sources_;  // as in the files
  ReferenceLists references_;         // of each: target and further references
  ValidationScoring scoring_;
};

}  // namespace seq2seq
