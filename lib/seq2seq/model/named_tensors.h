#pragma once

#include <map>
#include <string>

#include "seq2seq/model/seq2seq_model.h"

namespace seq2seq {

/// Tensors under their names: parameters are called as "encoder.weight".
using NamedTensors = std::map<std::string, Tensor>;

/// The parameters themselves, no copies.
NamedTensors named_parameters_of(Seq2SeqImpl& model);

/// Copies values, which may be on another device. Throws Error naming `origin` and the first name or shape
/// that does not fit; further values are left alone.
void copy_parameters(Seq2SeqImpl& model, const NamedTensors& values, const std::string& origin);

/// The same without a copy of what has the parameter's number format already: nothing is in memory twice. The
/// model goes to the values' device. `made`: values that are preferred, made by this program for these parameters; they
/// are taken as they are.
void take_parameters(Seq2SeqImpl& model, const NamedTensors& values, const std::string& origin,
                     const NamedTensors& made = {});

}  // namespace seq2seq
