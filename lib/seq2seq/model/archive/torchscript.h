#pragma once

#include <torch/script.h>

#include "seq2seq/model/seq2seq_model.h"

namespace seq2seq {

/// A model on the CPU as a TorchScript module for the CPU: its parameters and buffers under their own names,
/// and methods traced from the C++ modules, with nothing baked in about batch sizes and lengths:
///   encode(source_ids [B, S] int64, source_lengths [B] int64) -> memory: List[Tensor], a row a sentence
///   start(memory) -> state: List[Tensor], a row a hypothesis; one for each sentence
///   step(memory, tokens [B] int64, state) -> (log_probabilities [B, V] or with copying [B, V + S],
///                                             attention [B, S] or [B, 0] without any, state)
///   greedy(source_ids, source_lengths, max_length: int) -> token ids [B, T] int64, </s> included, padding
///   behind it
///   greedy_with_attention(...) -> the same and the attention [B, T, S]
/// Ids are those of the archive's vocabularies; a source word that the vocabulary of V words lacks is V + its
/// first position in its sentence, and so is a copied one in the target.
torch::jit::Module to_torchscript(Seq2Seq& model);

/// TorchScript source with the ids of the special tokens in place of PADDING, UNKNOWN, BEGIN and END.
std::string with_special_ids(std::string source);

}  // namespace seq2seq
