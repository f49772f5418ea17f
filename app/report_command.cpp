#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "commands.h"
#include "flags.h"
#include "memory_blocks.h"
#include "same_file.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/log.h"
#include "seq2seq/model/device.h"
#include "seq2seq/report/run_report.h"

namespace seq2seq {
namespace {

struct ReportOptions {
  std::string run_directory, output;
  RunReportOptions page;
  bool tensorboard = false;
  bool quiet = false;
  static void fields(auto& o, auto& f) {
    f("run-directory", o.run_directory, "a run of seq2seq train, finished or not; the flag may be omitted");
    f("output", o.output, "the page to write; report.html in the run directory when empty");
    f("examples", o.page.examples, "outputs of the best checkpoint to show, with their heat maps",
      in_range(0, 100));
    f("input", o.page.input,
      "text, .tsv or .jsonl to take the examples from; the run's validation files when empty",
      only_if(o.page.examples > 0, "leave out --examples 0"));
    f("device", o.page.device, "device of the model for the examples: auto, cpu, cuda or cuda:N",
      only_if(o.page.examples > 0, "leave out --examples 0"));
    f("tensorboard", o.tensorboard,
      "also write the curves for TensorBoard, to tensorboard/ in the run directory");
    quiet_field(o, f);
  }
};

int run_report(const ReportOptions& options) {
  if (options.run_directory.empty())
    throw UsageError("--run-directory", "is missing", "name a run of seq2seq train");
  if (options.page.examples > 0) open_device(options.page.device);  // refused before anything is read
  keep_few_shapes();
  use_threads(0);
  const std::filesystem::path run = options.run_directory;
  const std::string output = options.output.empty() ? (run / "report.html").string() : options.output;
  check_files({{"--input", options.page.input}}, {{"--output", output}});
  write_file(output, run_report_html(run, options.page));
  log_info(output);
  if (!options.tensorboard) return 0;
  write_tensorboard(run, run / "tensorboard");
  log_info("see the curves with: tensorboard --logdir " + (run / "tensorboard").string());
  return 0;
}

}  // namespace

RunCommand add_report(CLI::App& command) {
  describe(command,
           "Writes one self-contained HTML file: perplexity, validation scores, gradient norms and flow, "
           "learning rate and speed by update, and example outputs with heat maps of attention, copying and "
           "coverage.",
           "Examples:\n"
           "  seq2seq report run\n"
           "  seq2seq report run --input test.en --examples 5 --tensorboard");
  const auto flags = std::make_shared<Flags<ReportOptions>>(command);
  const auto run = std::make_shared<std::string>();
  command.add_option("RUN", *run, "the same as --run-directory")->type_name("");
  return [flags, run] {
    ReportOptions options = flags->resolve();
    if (!run->empty() && !options.run_directory.empty())
      throw UsageError("--run-directory", "is given beside '" + *run + "'", "give one of them");
    if (!run->empty()) options.run_directory = *run;
    return run_report(options);
  };
}

}  // namespace seq2seq
