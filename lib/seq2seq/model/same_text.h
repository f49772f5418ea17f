#pragma once

#include "seq2seq/model/translation_model.h"

namespace seq2seq {

/// Whether both number the same words alike, on both sides.
bool same_vocabularies(const TranslationModel& a, const TranslationModel& b);

/// Whether both cut every text into the same tokens, on both sides: what their tokenizers have learned and
/// all text options, but for those that only say how vocabularies are made.
bool read_text_alike(const TranslationModel& a, const TranslationModel& b);

}  // namespace seq2seq
