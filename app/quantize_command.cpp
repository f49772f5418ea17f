#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "commands.h"
#include "flags.h"
#include "same_file.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/log.h"
#include "seq2seq/decode/self_test.h"
#include "seq2seq/model/archive/checkpoint.h"
#include "seq2seq/model/device.h"

namespace seq2seq {
namespace {

/// The formats that weights are rounded to.
enum class RoundedFormat { int8, bfloat16 };
std::span<const char* const> option_names(RoundedFormat) {
  static constexpr const char* names[] = {"int8", "bfloat16"};
  return names;
}

struct QuantizeOptions {
  std::string model, output;
  RoundedFormat format = RoundedFormat::int8;
  bool quiet = false;
  static void fields(auto& o, auto& f) {
    f("model", o.model, "a run directory (its best checkpoint), checkpoint directory or model.pt");
    f("output", o.output, "the model.pt to write");
    f("format", o.format,
      "number format of the weights of large layers and embeddings: int8, a quarter of the size, or bfloat16, "
      "half of it");
    quiet_field(o, f);
  }
};

std::string size_text(const std::string& file) {
  std::error_code unknown;
  const auto bytes = std::filesystem::file_size(file, unknown);
  return unknown ? "?" : fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
}

int run_quantize(const QuantizeOptions& options) {
  if (options.model.empty()) throw UsageError("--model", "is missing", "give a run directory or a model.pt");
  if (options.output.empty()) throw UsageError("--output", "is missing", "name the file to write");
  const std::string file = find_model_file(options.model).string();
  check_files({{"--model", file}}, {{"--output", options.output}});
  use_threads(0);
  TranslationModel model = load_model(options.model);
  require_float32_weights(model, file);
  SelfTest before;
  if (!model.self_test.empty())
    before = self_test_from_json(model.self_test, file, model.text.source->vocabulary().size());
  const WeightFormat format =
      options.format == RoundedFormat::int8 ? WeightFormat::int8 : WeightFormat::bfloat16;
  model.quantized = quantize_weights(*model.model, format);
  if (model.quantized.found.empty())
    throw Error(file, "has no matrix that is large enough to be rounded", "use it as it is");
  model.self_test = to_json(self_test(model));
  const std::string size_before = size_text(file);
  save_model(model, options.output);
  log_info(fmt::format("{}: {} in {}, {} before", options.output, size_text(options.output),
                       option_name(format), size_before));
  if (before.empty()) return 0;
  ModelScorer scorer(model.model, weight_store(model.model, model.quantized, format));
  const SelfTestReport report = replay(before, scorer);
  log_info(fmt::format("self-test: {} of {} outputs as before, log-probabilities within {:.1e}",
                       report.cases - report.differing, report.cases, report.difference));
  return 0;
}

}  // namespace

RunCommand add_quantize(CLI::App& command) {
  describe(
      command,
      "The file is smaller, less memory is needed, and 'translate' is faster where products take the time. "
      "Outputs differ a little. Such a model is for decoding: it can be neither trained nor averaged.",
      "Example:\n"
      "  seq2seq quantize --model run --output small.pt\n"
      "  seq2seq translate --model small.pt --input test.en");
  return run_with_flags(command, run_quantize);
}

}  // namespace seq2seq
