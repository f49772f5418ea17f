#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "seq2seq/data/corpus.h"
#include "seq2seq/data/loader.h"
#include "seq2seq/train/options.h"

namespace seq2seq {

/// The text of a run: what it is trained on and what it is validated on.
class TrainingText {
 public:
  /// Opens the files. Where none are for validation, some training examples are held out, which a log line
  /// tells; `seed` is the run's and chooses them. Throws Error.
  TrainingText(const DataOptions& data, uint64_t seed);

  const Corpus& training() const { return training_; }
  /// In the training files, before filters; held out ones count.
  int64_t pairs() const { return static_cast<int64_t>(training_.size()); }
  /// Throws Error when there are not `pairs` of them: a run goes on with the text that it began with.
  void expect_pairs(int64_t pairs) const;

  const Corpus& validation() const { return validation_ ? *validation_ : training_; }
  /// Which examples of `validation()` a model is validated on.
  std::vector<uint64_t> validation_examples() const;

  /// Delivers what is trained on, numbered by `text`, from `start` on. This object and `text` outlive it.
  std::unique_ptr<Loader> loader(const TrainOptions& options, const TextCodecs& text,
                                 const SamplerPosition& start) const;

  /// Of all files, as JSON: {"train": [{"name": ..., "bytes": ..., "crc32": ...}, ...], "valid": [...]}.
  const std::string& fingerprints() const { return fingerprints_; }

 private:
  Corpus training_;
  std::string fingerprints_;
  std::optional<Corpus> validation_;
  uint64_t seed_, held_out_ = 0;
};

}  // namespace seq2seq
