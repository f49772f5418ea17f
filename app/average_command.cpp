#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "commands.h"
#include "flags.h"
#include "same_file.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/log.h"
#include "seq2seq/decode/self_test.h"
#include "seq2seq/model/average.h"
#include "seq2seq/model/device.h"

namespace seq2seq {
namespace {

struct AverageOptions {
  std::vector<std::string> models;
  std::string output;
  bool quiet = false;
  static void fields(auto& o, auto& f) {
    f("models", o.models,
      "checkpoint directories, run directories (their best checkpoints) or model.pt files");
    f("output", o.output, "the model.pt to write");
    f("quiet", o.quiet, "no summary at the end");
  }
};

int run_average(const AverageOptions& options) {
  if (options.models.empty()) throw UsageError("--models", "is missing", "name the models to average");
  if (options.output.empty()) throw UsageError("--output", "is missing", "name the file to write");
  // One model may be written anew in its place.
  for (const std::string& name : options.models)
    if (options.models.size() > 1 && same_file(find_model_file(name).string(), options.output))
      throw UsageError("--output", "is one of the models, which would be overwritten", "name another file");
  use_threads(0);
  TranslationModel model = average_models({options.models.begin(), options.models.end()});
  model.self_test = to_json(self_test(model));
  save_model(model, options.output);
  if (!options.quiet)
    log_info(options.output + ": the mean of " + format_count(std::ssize(options.models)) +
             (options.models.size() == 1 ? " model" : " models"));
  return 0;
}

}  // namespace

void add_average(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand(
      "average",
      "Makes one model of several checkpoints: the mean of their weights.\n\n"
      "The last few checkpoints of a run, averaged, often translate better than each of them. All must have "
      "one "
      "configuration and the same vocabularies. Keep checkpoints with 'train --keep-checkpoints 5'.");
  command->footer("Example:\n  seq2seq average --models run/checkpoints/step-* --output average.pt");
  auto flags = std::make_shared<Flags<AverageOptions>>(*command);
  command->callback([flags, &exit_code] { exit_code = run_average(flags->resolve()); });
}

}  // namespace seq2seq
