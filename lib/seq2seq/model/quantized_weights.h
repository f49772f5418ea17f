#pragma once

#include <map>
#include <memory>
#include <string>

#include "seq2seq/model/named_tensors.h"
#include "seq2seq/nn/engine/packed_weight.h"

namespace seq2seq {

class WeightStore;

/// The matrices of a model that are kept in fewer bits than float32.
struct QuantizedWeights {
  WeightFormat format = WeightFormat::float32;   ///< of all of them; float32 = there are none
  std::map<std::string, QuantizedWeight> found;  ///< by the names of the parameters
};

/// Whether a matrix [O, I] may be kept in that format: those that layers multiply by and token embeddings, as far as `format_of`
/// allows. Position embeddings, vectors and small matrices stay float32.
bool may_be_quantized(const std::string& name, const Tensor& weight, WeightFormat format);

/// All matrices that may be, rounded to int8 or bfloat16; the parameters become what these stand for.
QuantizedWeights quantize_weights(Seq2SeqImpl& model, WeightFormat format);

/// What take_parameters shall give the parameters: the numbers in float32, or nothing that can be used (not a number, in no
/// memory), where only a WeightStore reads the weights.
enum class QuantizedValues { float32, none };
NamedTensors values_of(const QuantizedWeights& weights, QuantizedValues values);

/// Gives the parameters that have no values theirs, in float32, on the CPU. Needed wherever weights are not read from a store
/// in their own format.
void restore_values(Seq2Seq model, const QuantizedWeights& weights);

/// The weights of a model on the CPU packed in a format, of which `weights` are used as they are if it is theirs; otherwise
/// they are restored first.
std::shared_ptr<WeightStore> weight_store(const Seq2Seq& model, const QuantizedWeights& weights,
                                          WeightFormat format);

}  // namespace seq2seq
