#pragma once

// Private to the metrics.

#include <string>

#include "seq2seq/metrics/bleu_tokenizer.h"

namespace seq2seq {

/// `text` with white space between the words that `tokenizer` finds.
std::u32string separate_words(std::u32string text, const BleuTokenizer& tokenizer);

}  // namespace seq2seq
