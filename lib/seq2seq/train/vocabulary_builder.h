#pragma once

#include "seq2seq/data/corpus.h"
#include "seq2seq/model/text_options.h"

namespace seq2seq {

/// The vocabularies and subword models of a corpus: read from the files that the options name, or else built
/// from the corpus. Throws Error.
TextCodecs build_text(const TextOptions& options, const Corpus& corpus, uint64_t seed);

}  // namespace seq2seq
