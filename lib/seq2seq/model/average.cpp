#include "seq2seq/model/average.h"

#include <ATen/ATen.h>

#include "seq2seq/core/error.h"
#include "seq2seq/core/json.h"
#include "seq2seq/model/named_tensors.h"
#include "seq2seq/model/same_text.h"

namespace seq2seq {

TranslationModel average_models(const std::vector<std::filesystem::path>& paths) {
  TORCH_CHECK(!paths.empty(), "nothing to average");
  const at::NoGradGuard no_grad;
  TranslationModel result;
  NamedTensors sums;
  Json origins = Json::array();
  for (const auto& path : paths) {
    TranslationModel model = load_model(path);
    require_float32_weights(model, path.string());
    origins.push_back(parse_json(model.provenance, path.string()));
    NamedTensors weights = named_parameters_of(*model.model);
    if (sums.empty()) {
      for (auto& [name, weight] : weights) sums[name] = weight.to(at::kDouble);
      result = std::move(model);
      continue;
    }
    const std::string other = paths.front().string();
    const auto need = [&](bool same, const std::string& what) {
      if (!same)
        throw Error(
            path.string(), "has " + what + " other than those of " + other,
            "average checkpoints of one run, or of runs of one configuration with the same vocabularies");
    };
    need(options_to_json(model.model_options) == options_to_json(result.model_options), "model options");
    need(same_vocabularies(model, result), "vocabularies");
    need(read_text_alike(model, result) && model.maximum_length == result.maximum_length, "text options");
    for (auto& [name, weight] : weights) sums.at(name) += weight;
  }
  for (auto& [name, sum] : sums) sum = (sum / static_cast<double>(paths.size())).to(at::kFloat);
  copy_parameters(*result.model, sums, "the average");
  if (paths.size() > 1) result.provenance = dump_json(Json{{"average-of", origins}}, 2);
  result.self_test.clear();  // recorded with other weights
  return result;
}

}  // namespace seq2seq
