#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "seq2seq/data/corpus.h"
#include "seq2seq/data/held_out.h"
#include "seq2seq/data/loader.h"
#include "seq2seq/train/options.h"
#include "seq2seq/train/training_state.h"

namespace seq2seq {

/// Whether a run may be resumed with another text than it has been trained on.
enum class OtherText { refused, accepted };

/// The text of a run, for training and for validation.
class TrainingText {
 public:
  /// Opens the files. Throws Error, also where there is too little text to hold some out for validation.
  TrainingText(const DataOptions& data, uint64_t seed);

  /// Without validation files, draws training examples from the run's `seed`, which are held out, and tells so.
  /// To be called once, before what follows `held_out`. Throws Error when nothing is left to train on.
  void hold_out(HeldOutRule rule, const FilterOptions& filter, const TextCodecs& text);

  const Corpus& training() const { return training_; }
  /// The number of training pairs in the files: all that is trained on, held out and left out.
  int64_t pairs() const { return static_cast<int64_t>(training_.size()); }
  /// Throws Error unless there are `pairs` training pairs: a run must be resumed with its own text.
  void expect_pairs(int64_t pairs) const;

  const HeldOut& held_out() const { return held_out_; }

  const Corpus& validation() const { return validation_ ? *validation_ : training_; }
  /// The indices of the examples of `validation()` that a model is validated on.
  std::vector<uint64_t> validation_examples() const;

  /// Loads training examples from where `progress` stands, with the ids of `text`. This object and `text` must
  /// outlive it.
  std::unique_ptr<Loader> loader(const TrainOptions& options, const TextCodecs& text,
                                 const Progress& progress) const;

  /// Throws ChangedText if a file no longer has the content that it had when it was opened; see Corpus.
  void require_same() const;
  /// Of all files, as JSON: {"train": [{"name": ..., "bytes": ..., "crc32": ...}, ...], "valid": [...]}.
  std::string fingerprints() const;
  struct OtherFiles {
    std::vector<std::string> training, validation;
    /// Whether the text that is validated on is another: without files of its own it is a part of the training text.
    bool other_validation = false;
    std::vector<std::string> paths() const;  ///< all
    /// "are not the texts that the run was trained and validated on".
    std::string problem() const;
  };
  /// The files whose content is another than at the time of these `fingerprints`.
  OtherFiles other_files(const std::string& fingerprints) const;

 private:
  Corpus training_;
  std::optional<Corpus> validation_;
  uint64_t seed_, wanted_;
  HeldOut held_out_;
};

}  // namespace seq2seq
