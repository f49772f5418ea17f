#pragma once

#include "seq2seq/data/corpus.h"
#include "seq2seq/model/text_options.h"

namespace seq2seq {

/// Vocabularies and subword models for a corpus: read from the files that the options name, made from the
/// corpus where they name none. Throws Error.
TextCodecs build_text(const TextOptions& options, const Corpus& corpus, uint64_t seed);

}  // namespace seq2seq
