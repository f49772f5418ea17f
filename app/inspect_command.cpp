#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <sstream>

#include "commands.h"
#include "decoding_models.h"
#include "device_table.h"
#include "flags.h"
#include "gradient_flow_table.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/json.h"
#include "seq2seq/core/log.h"
#include "seq2seq/decode/script_model.h"
#include "seq2seq/decode/self_test.h"
#include "seq2seq/decode/source_lines.h"
#include "seq2seq/model/archive/checkpoint.h"
#include "seq2seq/model/archive/scripted_translate.h"
#include "seq2seq/model/device.h"

namespace seq2seq {
namespace {

struct InspectOptions {
  std::vector<std::string> model;
  int64_t vocabulary_head = 20;
  bool verify = false;
  std::string verify_input;
  KeptWeights weights = KeptWeights::file;
  bool devices = false, json = false;
  GradientFlowOptions gradient_flow;
  static void fields(auto& o, auto& f) {
    f("model", o.model,
      "a run directory, checkpoint directory or model.pt; for --gradient-flow there may be several",
      everyday);
    f("vocabulary-head", o.vocabulary_head, "tokens of each vocabulary to show", in_range(0, 1e6));
    f("verify", o.verify,
      "replay the archive's self-test: with this program and with the archive's TorchScript methods, which "
      "are executed",
      everyday);
    f("verify-input", o.verify_input,
      "with --verify: also compare the two on these lines (text, .tsv or .jsonl, .gz)", everyday,
      only_if(o.verify || o.gradient_flow.wanted, "add --verify"));
    DecodingModelOptions::weights_field(o, f, only_if(o.verify, "add --verify"));
    f("devices", o.devices, "what this machine can compute with: processor and GPUs", everyday);
    f("json", o.json, "print JSON instead of tables", everyday);
    f.group("gradient-flow", o.gradient_flow, GroupFlags::plain);
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

WeightFormat format_of_parameter(const TranslationModel& model, const std::string& name) {
  return model.quantized.found.contains(name) ? model.quantized.format : WeightFormat::float32;
}

Json describe(const TranslationModel& model, const std::string& file, int64_t head) {
  Json result;
  result["file"] = file;
  result["model"] = parse_json(options_to_json(model.model_options), file);
  result["text"] = parse_json(options_to_json(model.text_options), file);
  result["maximum-length"] = model.maximum_length;
  result["weights"] = option_name(model.quantized.format);
  result["methods"] = model.methods;
  if (std::find(model.methods.begin(), model.methods.end(), "translate") == model.methods.end()) {
    const std::string reason = why_no_translate(model.model_options, model.text_options);
    result["no-translate-method"] = reason.empty() ? "it was written by an older seq2seq" : reason;
  }
  result["provenance"] = parse_json(model.provenance, file);
  result["parameters"] = Json::object();
  for (const auto& parameter : model.model->named_parameters())
    result["parameters"][parameter.key()] = {
        {"sizes", parameter.value().sizes().vec()},
        {"count", parameter.value().numel()},
        {"weights", option_name(format_of_parameter(model, parameter.key()))}};
  result["parameter-count"] = parameter_count(*model.model);
  result["source-vocabulary"] = vocabulary_head(model.text.source->vocabulary(), head);
  if (!model.text_options.shared_vocabulary)
    result["target-vocabulary"] = vocabulary_head(model.text.target->vocabulary(), head);
  return result;
}

void print_tables(const TranslationModel& model, const Json& description) {
  for (const char* part : {"model", "text", "provenance"})
    std::cout << part << " " << dump_json(description[part], 2) << "\n";
  std::cout << "\nTorchScript methods:";
  for (const std::string& method : model.methods) std::cout << " " << dump_json(method);
  if (description.contains("no-translate-method"))
    std::cout << "; no translate: " << description["no-translate-method"].get<std::string>();
  std::cout << "\n\nparameters\n";
  for (const auto& parameter : model.model->named_parameters())
    std::cout << fmt::format(
        "  {:<42} {:>14} {:>14}{}\n", parameter.key(), sizes_text(parameter.value()),
        format_count(parameter.value().numel()),
        model.quantized.found.contains(parameter.key()) ? "  " + option_name(model.quantized.format) : "");
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

std::vector<std::vector<int64_t>> numbered_lines(const TranslationModel& model, const std::string& path) {
  std::vector<std::vector<int64_t>> sources;
  SourceLines lines(path, {}, model.keys);
  for (auto window = lines.read_window(1024); !window.empty(); window = lines.read_window(1024))
    for (const SourceLine& line : window) {
      if (!line.problem.empty()) throw Error("--verify-input", line.problem);
      auto ids =
          number_source(*model.text.source, line.text, line.sentences, model.text.form, model.maximum_length)
              .ids;
      if (ids.empty()) continue;
      ids.push_back(Vocabulary::end);
      sources.push_back(std::move(ids));
    }
  if (sources.empty()) throw Error(path, "has no line to translate", "name a file with text");
  return sources;
}

Json report_json(const SelfTestReport& report) {
  return {{"cases", report.cases},
          {"differing-outputs", report.differing},
          {"largest-difference", report.difference},
          {"passed", report.passed()}};
}

/// What rounding may change in the log-probability of a token: of weights, and of what they are multiplied with, where the last
/// bit decides between two integers.
double allowed_difference(WeightFormat recorded, WeightFormat used) {
  if (recorded != used) return 0.1;
  return recorded == WeightFormat::int8 ? 0.01 : 0;
}

/// The results of --verify, by what was compared. In float32 both this program and the archive's methods multiply by the
/// numbers that rounded weights stand for.
Json verification(const TranslationModel& model, const InspectOptions& options, const std::string& file) {
  if (model.self_test.empty() || model.methods.empty())
    throw Error(file, "has no self-test or no methods: it was written by an older seq2seq",
                "train or average it again");
  const SelfTest expected =
      self_test_from_json(model.self_test, file, model.text.source->vocabulary().size());
  const WeightFormat recorded = expected.front().weights;
  ModelScorer modules(model.model);
  ScriptScorer methods(std::make_shared<ScriptModel>(file, model.text.source->vocabulary().size(),
                                                     model.text.target->vocabulary().size(), at::kCPU));
  Json result;
  const auto replay_with = [&](Scorer& scorer, WeightFormat used) {
    return report_json(replay(expected, scorer, 32, allowed_difference(recorded, used)));
  };
  const WeightFormat wanted = weight_format(options.weights).value_or(model.quantized.format);
  result["self-test by this program"] = replay_with(modules, WeightFormat::float32);
  if (wanted != WeightFormat::float32) {
    ModelScorer rounded(model.model, weight_store(model.model, model.quantized, wanted));
    result["self-test with weights in " + option_name(wanted)] = replay_with(rounded, wanted);
  }
  result["self-test by the archive's methods"] = replay_with(methods, WeightFormat::float32);
  if (recorded != WeightFormat::float32) {
    std::vector<std::vector<int64_t>> sources;
    for (const SelfTestCase& one : expected) sources.push_back(one.source);
    result["self-test's sources by both"] = report_json(replay(self_test(sources, modules), methods));
  }
  if (options.verify_input.empty()) return result;
  const SelfTest lines = self_test(numbered_lines(model, options.verify_input), modules);
  // Another batch size, in case tracing has made the first one a constant.
  result["lines by both"] = report_json(replay(lines, methods, 37));
  if (options.json) result["lines"] = parse_json(to_json(lines), "lines");
  return result;
}

void print_verification(const Json& verification) {
  std::cout << "\nverification\n";
  for (const auto& [what, report] : verification.items())
    std::cout << fmt::format("  {:<36} {}: {} of {} outputs equal, log-probabilities within {:.1e}\n", what,
                             report["passed"].get<bool>() ? "passed" : "FAILED",
                             report["cases"].get<int64_t>() - report["differing-outputs"].get<int64_t>(),
                             report["cases"].get<int64_t>(), report["largest-difference"].get<double>());
}

/// Throws UsageError if options were given that look into one model.
void refuse_options_of_a_model(const InspectOptions& options, const char* subject) {
  const InspectOptions defaults;
  const auto refuse = [&](bool given, const char* flag) {
    if (given) throw UsageError(flag, std::string("does not go with ") + subject, "leave one of them out");
  };
  refuse(options.verify, "--verify");
  refuse(!options.verify_input.empty(), "--verify-input");
  refuse(options.vocabulary_head != defaults.vocabulary_head, "--vocabulary-head");
}

int show_devices(const InspectOptions& options) {
  refuse_options_of_a_model(options, "--devices");
  if (!options.model.empty() || options.gradient_flow.wanted)
    throw UsageError(options.model.empty() ? "--gradient-flow" : "--model", "does not go with --devices",
                     "leave one of them out");
  const Json devices = describe_devices();
  std::cout << (options.json ? dump_json(devices, 2) + "\n" : device_table(devices));
  return 0;
}

int show_gradient_flow(const InspectOptions& options) {
  const double clip_norm = options.gradient_flow.clip_norm;
  refuse_options_of_a_model(options, "--gradient-flow");
  const auto flows = measure_gradient_flow(options.gradient_flow, options.model);
  if (options.json)
    std::cout << dump_json({{"gradient-flow", gradient_flow_json(flows, clip_norm)}}, 2) << "\n";
  else
    std::cout << gradient_flow_table(flows, clip_norm);
  if (!options.gradient_flow.plot.empty())
    write_file(options.gradient_flow.plot, line_chart_svg(gradient_flow_chart(flows, clip_norm)));
  return 0;
}

int run_inspect(const InspectOptions& options) {
  check(options.gradient_flow, options.model);
  if (options.devices) return show_devices(options);
  use_threads(0);
  if (options.gradient_flow.wanted) return show_gradient_flow(options);
  if (options.model.empty()) throw UsageError("--model", "is missing", "name a run directory or a model.pt");
  if (options.model.size() > 1)
    throw UsageError("--model", "names several models", "name one, or add --gradient-flow");
  const TranslationModel model = load_model(options.model.front());
  const std::string file = find_model_file(options.model.front()).string();
  Json description = describe(model, file, options.vocabulary_head);
  if (options.verify) description["verification"] = verification(model, options, file);
  if (options.json) {
    std::cout << dump_json(description, 2) << "\n";
  } else {
    print_tables(model, description);
    if (options.verify) print_verification(description["verification"]);
  }
  if (!options.verify) return 0;
  const Json& reports = description["verification"];
  return std::all_of(reports.begin(), reports.end(),
                     [](const Json& report) { return report.is_array() || report["passed"].get<bool>(); })
             ? 0
             : 1;
}

}  // namespace

RunCommand add_inspect(CLI::App& command) {
  describe(command,
           "Shows configuration, parameters, vocabularies and provenance; with --verify, tests whether the "
           "outputs are still the same; with --gradient-flow, measures how far back gradients reach.",
           "Examples:\n"
           "  seq2seq inspect --model run\n"
           "  seq2seq inspect --devices\n"
           "  seq2seq inspect --model model.pt --verify --verify-input test.en\n"
           "  seq2seq inspect --gradient-flow --plot flow.svg \\\n"
           "    --fresh models/simple-rnn.json models/gru.json");
  return run_with_flags(command, run_inspect);
}

}  // namespace seq2seq
