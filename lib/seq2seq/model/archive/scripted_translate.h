#pragma once

#include <torch/script.h>

#include "seq2seq/model/translation_model.h"

namespace seq2seq {

/// Why an archive of this model cannot offer `translate`, or empty. TorchScript's strings are bytes, so
/// tokenizers that look up properties of characters, and normalization, are not supported.
std::string why_no_translate(const ModelOptions& model, const TextOptions& text);

/// Adds translate(lines: List[str]) -> List[str] to an archive with the methods of torchscript.h. It returns
/// the outputs of `seq2seq translate --beam-size 1`. Requires an empty `why_no_translate`.
void add_translate(torch::jit::Module& archive, const TranslationModel& model);

}  // namespace seq2seq
