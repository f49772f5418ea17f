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

/// Whether a run may be resumed with another text than it has been trained on.
enum class OtherText { refused, accepted };

/// The text of a run, for training and for validation.
class TrainingText {
 public:
  /// Opens the files. Without validation files, training examples drawn from the run's `seed` are held out,
  /// and a log line says so. Throws Error.
  TrainingText(const DataOptions& data, uint64_t seed);

  const Corpus& training() const { return training_; }
  /// The number of training pairs before filtering, including those held out.
  int64_t pairs() const { return static_cast<int64_t>(training_.size()); }
  /// Throws Error unless there are `pairs` training pairs: a run must be resumed with its own text.
  void expect_pairs(int64_t pairs) const;

  const Corpus& validation() const { return validation_ ? *validation_ : training_; }
  /// The indices of the examples of `validation()` that a model is validated on.
  std::vector<uint64_t> validation_examples() const;

  /// Loads training examples from `start` on, with the ids of `text`. This object and `text` must outlive it.
  std::unique_ptr<Loader> loader(const TrainOptions& options, const TextCodecs& text,
                                 const SamplerPosition& start) const;

  /// Throws ChangedText if a file no longer has the content that it had when it was opened; see Corpus.
  void require_same() const;
  /// Of all files, as JSON: {"train": [{"name": ..., "bytes": ..., "crc32": ...}, ...], "valid": [...]}.
  std::string fingerprints() const;
  /// The files, and of them those of the text that is validated on, whose content is another than at the time
  /// of these `fingerprints`.
  struct OtherFiles {
    std::vector<std::string> paths;
    bool validation = false;
  };
  OtherFiles other_files(const std::string& fingerprints) const;

 private:
  Corpus training_;
  std::optional<Corpus> validation_;
  uint64_t seed_, held_out_ = 0;
};

}  // namespace seq2seq
