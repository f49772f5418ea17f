#include "seq2seq/model/named_tensors.h"

#include <ATen/ATen.h>

#include <sstream>

#include "seq2seq/core/error.h"

namespace seq2seq {
namespace {

// Calls `use` for each parameter and its value, once it is known to fit, with the name.
template <class Use>
void for_each_value(Seq2SeqImpl& model, const NamedTensors& values, const std::string& origin, Use use) {
  const at::NoGradGuard no_grad;
  for (auto& parameter : model.named_parameters()) {
    const auto found = values.find(parameter.key());
    const std::string name = "the parameter '" + parameter.key() + "'";
    if (found == values.end()) throw Error(origin, "lacks " + name, "it belongs to another architecture");
    if (found->second.sizes() != parameter.value().sizes()) {
      std::ostringstream sizes;
      sizes << found->second.sizes() << " instead of " << parameter.value().sizes();
      throw Error(origin, name + " has sizes " + sizes.str(), "architecture and vocabulary must be the same");
    }
    use(parameter.value(), found->second, parameter.key());
  }
}

}  // namespace

NamedTensors named_parameters_of(Seq2SeqImpl& model) {
  NamedTensors result;
  for (const auto& parameter : model.named_parameters()) result[parameter.key()] = parameter.value();
  return result;
}

void copy_parameters(Seq2SeqImpl& model, const NamedTensors& values, const std::string& origin) {
  for_each_value(model, values, origin,
                 [](Tensor& parameter, const Tensor& value, const std::string&) { parameter.copy_(value); });
}

void take_parameters(Seq2SeqImpl& model, const NamedTensors& values, const std::string& origin,
                     const NamedTensors& made) {
  NamedTensors all = made;
  all.insert(values.begin(), values.end());  // others of the same name stay
  for_each_value(model, all, origin, [&](Tensor& parameter, const Tensor& value, const std::string& name) {
    if (made.contains(name)) return parameter.set_data(value);
    Tensor data = value.to(parameter.scalar_type()).contiguous();
    // Values that share memory, as a file may say, would change each other in training.
    if (data.storage().use_count() > 1) data = data.clone();
    parameter.set_data(data);
  });
}

}  // namespace seq2seq
