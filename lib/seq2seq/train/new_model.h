#pragma once

#include <cstdint>
#include <string>

#include "seq2seq/data/corpus.h"
#include "seq2seq/model/archive/checkpoint.h"
#include "seq2seq/train/options.h"

namespace seq2seq {

/// A model that has learned nothing: vocabularies made or read for `corpus`, weights drawn from `seed`.
TranslationModel new_model(const TrainOptions& options, const Corpus& corpus, uint64_t seed);

/// The same with the vocabularies of `text`; here `weights_seed` is what weights are drawn from.
TranslationModel untrained_model(const TrainOptions& options, const TextCodecs& text, uint64_t weights_seed);

/// What a run begins or goes on with, on the run's device: the model that lies at `from` (as load_model finds
/// it) with the options of the run or, where `from` is empty, a new one with its pretrained vectors. Frozen
/// vectors ask for no gradient. Throws Error.
TranslationModel model_to_train(const TrainOptions& options, const Corpus& corpus, const std::string& from);

}  // namespace seq2seq
