#pragma once

#include <torch/script.h>

#include "seq2seq/model/quantized_weights.h"
#include "seq2seq/model/seq2seq_model.h"

namespace seq2seq {

/// The buffers that hold the weight NAME in fewer bits: NAME_int8 and NAME_scales, or NAME_bfloat16.
constexpr const char* scales_ending = "_scales";
std::string quantized_ending(WeightFormat format);

/// A model on the CPU as a TorchScript module for the CPU: its parameters and buffers under their own names,
/// and methods traced from the C++ modules, for any batch size and length:
///   encode(source_ids [B, S] int64, source_lengths [B] int64) -> memory: List[Tensor], one row per sentence
///   start(memory) -> state: List[Tensor], one row per hypothesis, one hypothesis per sentence
///   step(memory, tokens [B] int64, state) -> (log_probabilities [B, V], with copying [B, V + S],
///                                             attention [B, S], or [B, 0] without it, state)
///   greedy(source_ids, source_lengths, max_length: int) -> token ids [B, T] int64: up to </s>, then padding
///   greedy_with_attention(...) -> (the same, attention [B, T, S])
/// Ids are those of the archive's vocabularies; with copying, a token outside a vocabulary of size V is V +
/// its first position in the source sentence, in sources and in outputs.
/// Of the weights that are `quantized` it has those buffers in place of the parameters, and multiplies by what they stand for.
torch::jit::Module to_torchscript(Seq2Seq& model, const QuantizedWeights& quantized = {});

/// TorchScript source with the ids of the special tokens in place of PADDING, UNKNOWN, BEGIN and END.
std::string with_special_ids(std::string source);

}  // namespace seq2seq
