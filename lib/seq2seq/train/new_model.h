#pragma once

#include <cstdint>
#include <string>

#include "seq2seq/data/corpus.h"
#include "seq2seq/model/archive/checkpoint.h"
#include "seq2seq/train/options.h"

namespace seq2seq {

/// An untrained model: vocabularies built or read for `corpus`, weights drawn from `seed`.
TranslationModel new_model(const TrainOptions& options, const Corpus& corpus, uint64_t seed);

/// The same with the vocabularies of `text` and weights drawn from `weights_seed`.
TranslationModel untrained_model(const TrainOptions& options, const TextCodecs& text, uint64_t weights_seed);

/// The model that a run starts or resumes from, on the run's device: the one at `from` (a path as for
/// load_model) with the options of the run or, if `from` is empty, a new one with its pretrained vectors.
/// With options.model.embedding.freeze the rows that got a vector are frozen. Throws Error.
TranslationModel model_to_train(const TrainOptions& options, const Corpus& corpus, const std::string& from);

}  // namespace seq2seq
