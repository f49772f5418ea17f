#include "seq2seq/model/quantized_weights.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <limits>

#include "seq2seq/nn/engine/weight_store.h"

namespace seq2seq {

bool may_be_quantized(const std::string& name, const Tensor& weight, WeightFormat format) {
  const bool of_products = name.substr(name.rfind('.') + 1).find("weight") != std::string::npos;
  return of_products && weight.dim() == 2 && format_of(weight, format) != WeightFormat::float32;
}

QuantizedWeights quantize_weights(Seq2SeqImpl& model, WeightFormat format) {
  const at::NoGradGuard no_grad;
  QuantizedWeights result{.format = format, .found = {}};
  for (auto& parameter : model.named_parameters()) {
    Tensor& weight = parameter.value();
    if (!may_be_quantized(parameter.key(), weight, format)) continue;
    const QuantizedWeight& rounded = result.found[parameter.key()] = quantize(weight, format);
    weight.set_data(rounded.dequantized());
  }
  return result;
}

NamedTensors values_of(const QuantizedWeights& weights, QuantizedValues values) {
  constexpr float nothing = std::numeric_limits<float>::quiet_NaN();
  NamedTensors result;
  for (const auto& [name, weight] : weights.found)
    result[name] = values == QuantizedValues::float32 ? weight.dequantized()
                                                      : at::full({}, nothing).expand(weight.values.sizes());
  return result;
}

void restore_values(Seq2Seq model, const QuantizedWeights& weights) {
  const c10::InferenceMode usual(false);  // its tensors cannot become parameters
  const at::NoGradGuard no_grad;
  for (auto& parameter : model->named_parameters()) {
    const auto found = weights.found.find(parameter.key());
    if (found != weights.found.end() && parameter.value().stride(0) == 0)
      parameter.value().set_data(found->second.dequantized());
  }
}

std::shared_ptr<WeightStore> weight_store(const Seq2Seq& model, const QuantizedWeights& weights,
                                          WeightFormat format) {
  if (format != weights.format) restore_values(model, weights);
  auto store = std::make_shared<WeightStore>(model->parameters(), format);
  if (format != weights.format) return store;
  for (const auto& parameter : model->named_parameters())
    if (const auto found = weights.found.find(parameter.key()); found != weights.found.end())
      store->keep(parameter.value(), found->second);
  return store;
}

}  // namespace seq2seq
