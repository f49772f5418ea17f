#pragma once

#include <torch/script.h>

#include "seq2seq/model/translation_model.h"

namespace seq2seq {

/// Why an archive of this model cannot offer `translate`, or empty: TorchScript's strings are bytes, so that
/// tokenizers that look up properties of characters, and normalization, stay outside.
std::string why_no_translate(const ModelOptions& model, const TextOptions& text);

/// Adds translate(lines: List[str]) -> List[str] to an archive with the methods of torchscript.h: what
/// `seq2seq translate --beam-size 1` gives for each line. Only where `why_no_translate` is empty.
void add_translate(torch::jit::Module& archive, const TranslationModel& model);

}  // namespace seq2seq
