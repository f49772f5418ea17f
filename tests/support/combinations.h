#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "seq2seq/core/error.h"
#include "seq2seq/train/options.h"

namespace seq2seq::test {

/// Values of options, as a user gives them.
struct Choice {
  std::string name;
  std::vector<std::pair<std::string, OptionValue>> options;
};

inline std::vector<Choice> encoder_choices() {
  std::vector<Choice> all;
  for (const std::string type : {"rnn", "hierarchical", "transformer"})
    all.push_back({type, {{"model.encoder.type", type}}});
  return all;
}

inline std::vector<Choice> decoder_choices() {
  std::vector<Choice> all;
  for (const char* attention : option_names(AttentionOptions{})) {
    Choice choice{std::string("rnn, ") + attention,
                  {{"model.decoder.type", "rnn"}, {"model.decoder.attention", attention}}};
    // Dot attention requires the width of the encoder's states.
    if (choice.name.ends_with("dot")) choice.options.emplace_back("model.encoder.bidirectional", false);
    if (choice.name.ends_with("dot")) choice.options.emplace_back("model.decoder.size", int64_t{256});
    all.push_back(choice);
  }
  all.push_back({"transformer", {{"model.decoder.type", "transformer"}}});
  return all;
}

inline std::vector<Choice> feature_choices() {
  return {{"alone", {}},
          {"copying", {{"model.copying", true}}},
          {"coverage linear", {{"model.decoder.coverage", "linear"}}},
          {"coverage gru", {{"model.decoder.coverage", "gru"}}},
          {"coverage loss", {{"optimization.coverage-loss", 1.0}}},
          {"context gate", {{"model.decoder.context-gate", "both"}}},
          {"scheduled sampling", {{"optimization.scheduled-sampling", 0.25}}}};
}

/// The options of all choices together, or the error message for them.
struct Combination {
  TrainOptions options;
  std::optional<std::string> refusal;
};

inline Combination combined(const std::vector<Choice>& choices,
                            const std::vector<std::pair<std::string, OptionValue>>& further = {}) {
  Combination result;
  OptionPatch patch;
  static const auto catalogue = option_catalogue<TrainOptions>();
  const auto set = [&](const std::string& path, const OptionValue& value) {
    patch.set(path, value, "--" + std::ranges::find(catalogue, path, &OptionField::path)->flag);
  };
  set("run.run-directory", std::string("run"));
  set("data.train", std::string("train.tsv"));
  bool transformer_encoder = false;
  for (const Choice& choice : choices)
    for (const auto& [path, value] : choice.options) {
      if (path == "model.encoder.type") transformer_encoder = value == OptionValue("transformer");
      if (path == "model.encoder.bidirectional" && transformer_encoder) continue;
      set(path, value);
    }
  for (const auto& [path, value] : further) set(path, value);
  try {
    apply(result.options, patch);
    check(result.options);
  } catch (const UsageError& error) {
    result.refusal = error.what();
  }
  return result;
}

}  // namespace seq2seq::test
