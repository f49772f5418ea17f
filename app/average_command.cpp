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
    quiet_field(o, f);
  }
};

int run_average(const AverageOptions& options) {
  if (options.models.empty()) throw UsageError("--models", "is missing", "name the models to average");
  if (options.output.empty()) throw UsageError("--output", "is missing", "name the file to write");
  // A single model may be rewritten in place.
  for (const std::string& name : options.models)
    if (options.models.size() > 1 && same_file(find_model_file(name).string(), options.output))
      throw UsageError("--output", "is one of the models, which would be overwritten", "name another file");
  use_threads(0);
  TranslationModel model = average_models({options.models.begin(), options.models.end()});
  model.self_test = to_json(self_test(model));
  save_model(model, options.output);
  log_info(options.output + ": the mean of " + format_count(std::ssize(options.models)) +
           (options.models.size() == 1 ? " model" : " models"));
  return 0;
}

}  // namespace

RunCommand add_average(CLI::App& command) {
  describe(command,
           "The average of the last few checkpoints of a run often translates better than each of them. All "
           "must have the same configuration and vocabularies. Keep checkpoints with 'train "
           "--keep-checkpoints 5'.",
           "Example:\n"
           "  seq2seq average --models run/checkpoints/step-* --output average.pt");
  return run_with_flags(command, run_average);
}

}  // namespace seq2seq
