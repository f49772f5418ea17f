#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <sstream>

#include "commands.h"
#include "flags.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/json.h"
#include "seq2seq/core/log.h"
#include "seq2seq/model/checkpoint.h"

namespace seq2seq {
namespace {

struct InspectOptions {
  std::string model;
  int64_t vocabulary_head = 20;
  bool json = false;
  static void fields(auto& o, auto& f) {
    f("model", o.model, "a run directory, a checkpoint directory or a model.pt");
    f("vocabulary-head", o.vocabulary_head, "tokens of each vocabulary to show", in_range(0, 1e6));
    f("json", o.json, "print JSON instead of tables");
  }
};

std::string sizes_text(const Tensor& tensor) {
  std::ostringstream text;
  text << tensor.sizes();
  return text.str();
}

Json vocabulary_head(const Vocabulary& vocabulary, int64_t count) {
  Json tokens = Json::array();
  for (int64_t id = 0; id < std::min(count, vocabulary.size()); ++id) tokens.push_back(vocabulary.token(id));
  return {{"size", vocabulary.size()}, {"head", tokens}};
}

Json describe(const TranslationModel& model, const std::string& file, int64_t head) {
  Json result;
  result["file"] = file;
  result["model"] = parse_json(options_to_json(model.model_options), file);
  result["text"] = parse_json(options_to_json(model.text_options), file);
  result["maximum-length"] = model.maximum_length;
  result["provenance"] = parse_json(model.provenance, file);
  result["parameters"] = Json::object();
  for (const auto& parameter : model.model->named_parameters())
    result["parameters"][parameter.key()] = {{"sizes", parameter.value().sizes().vec()},
                                             {"count", parameter.value().numel()}};
  result["parameter-count"] = parameter_count(*model.model);
  result["source-vocabulary"] = vocabulary_head(model.text.source->vocabulary(), head);
  if (!model.text_options.shared_vocabulary)
    result["target-vocabulary"] = vocabulary_head(model.text.target->vocabulary(), head);
  return result;
}

void print_tables(const TranslationModel& model, const Json& description) {
  for (const char* part : {"model", "text", "provenance"})
    std::cout << part << " " << dump_json(description[part], 2) << "\n";
  std::cout << "\nparameters\n";
  for (const auto& parameter : model.model->named_parameters())
    std::cout << fmt::format("  {:<42} {:>14} {:>14}\n", parameter.key(), sizes_text(parameter.value()),
                             format_count(parameter.value().numel()));
  std::cout << fmt::format("  {:<42} {:>14} {:>14}\n", "all", "",
                           format_count(parameter_count(*model.model)));
  for (const char* side : {"source-vocabulary", "target-vocabulary"}) {
    if (!description.contains(side)) continue;
    std::cout << fmt::format("\n{}: {} tokens\n ", side,
                             format_count(description[side]["size"].get<int64_t>()));
    for (const auto& token : description[side]["head"]) std::cout << " " << token.get<std::string>();
    std::cout << "\n";
  }
}

int run_inspect(const InspectOptions& options) {
  if (options.model.empty()) throw UsageError("--model", "is missing", "name a run directory or a model.pt");
  const TranslationModel model = load_model(options.model);
  const Json description = describe(model, find_model_file(options.model).string(), options.vocabulary_head);
  if (options.json)
    std::cout << dump_json(description, 2) << "\n";
  else
    print_tables(model, description);
  return 0;
}

}  // namespace

void add_inspect(CLI::App& app, int& exit_code) {
  auto* command =
      app.add_subcommand("inspect", "Show what is in a model: configuration, parameters, vocabularies.");
  command->footer("Example:\n  seq2seq inspect --model run");
  auto flags = std::make_shared<Flags<InspectOptions>>(*command);
  command->callback([=, &exit_code] { exit_code = run_inspect(flags->resolve()); });
}

}  // namespace seq2seq
