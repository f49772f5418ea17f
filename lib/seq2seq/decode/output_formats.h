#pragma once

// Outputs as text and in the formats of docs/formats.md.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "seq2seq/decode/translation.h"
#include "seq2seq/text/text_codec.h"

namespace seq2seq {

/// Whether <unk> is kept or replaced by the most attended source token.
enum class UnknownWords { keep, replace };

/// An output as one line of detokenized text: tokens of the target vocabulary, the surface form of the source
/// token where a copy slot beyond the vocabulary was chosen, and with `replace` that of the most attended
/// source token in place of <unk>.
std::string written(const Hypothesis& hypothesis, const TextCodec& target, const std::vector<Token>& source,
                    UnknownWords unknown);

/// How `seq2seq translate` prints: the text; with scores "score TAB text"; with n_best > 1, for each output,
/// "index ||| text ||| score", where lines count from 0. Where nothing was found the score is empty.
std::string format_translation(const Translation& translation, int64_t index, int64_t n_best, bool scores);

/// One line of JSON for an output: tokens, log-probabilities, alignment (docs/formats.md). Where nothing was
/// found scores are null.
std::string details_json(const Translation& translation, const Translation::Output& output,
                         const Vocabulary& target, int64_t line, int64_t rank);

/// "0-0 1-2": source and target positions, counted from 0, in target order.
std::string pharaoh_alignment(std::span<const int64_t> source_positions);

}  // namespace seq2seq
