#pragma once

#include <map>
#include <string>
#include <vector>

#include "seq2seq/data/corpus.h"
#include "seq2seq/metrics/metrics.h"
#include "seq2seq/model/archive/checkpoint.h"
#include "seq2seq/train/options.h"

namespace seq2seq {

struct ValidationResult {
  /// By the metrics' names, in the units of their scales (metrics/metrics.h); loss, perplexity and accuracy
  /// are always among them.
  std::map<std::string, double> scores;
  double criterion = 0;  ///< the deciding score; of the length ratio its distance from 1
  double seconds = 0;
};

/// Measures a model on examples it was not trained on.
class Validator {
 public:
  /// `indices` chooses examples of `corpus`.
  Validator(const Corpus& corpus, const std::vector<uint64_t>& indices, const TextCodecs& text,
            const ValidationOptions& options, int64_t maximum_length);
  ValidationResult run(Seq2Seq& model) const;
  /// What the model makes of each example's source, as `seq2seq translate` does with this beam size.
  std::vector<std::string> translate(const Seq2Seq& model) const;
  size_t size() const { return sources_.size(); }
  /// Some examples, always the same.
  std::vector<Example> sample() const;

 private:
  std::map<std::string, double> teacher_forced(Seq2Seq& model) const;

  ValidationOptions options_;
  std::vector<const Metric*> metrics_;
  TextCodecs text_;
  std::vector<std::vector<Example>> batches_;  // similar lengths together
  std::vector<std::vector<Token>> source_tokens_;
  std::vector<std::string> sources_;  // as they stand in the files
  ReferenceLists references_;         // of each: the target and further ones
};

}  // namespace seq2seq
