#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "commands.h"
#include "flags.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/log.h"
#include "seq2seq/study/run_report.h"

namespace seq2seq {
namespace {

struct ReportOptions {
  std::string run_directory, output;
  bool quiet = false;
  static void fields(auto& o, auto& f) {
    f("run-directory", o.run_directory, "a run of seq2seq train, finished or not");
    f("output", o.output, "the page to write; report.html in the run directory when empty");
    f("quiet", o.quiet, "do not tell where it is");
  }
};

int run_report(const ReportOptions& options) {
  if (options.run_directory.empty())
    throw UsageError("--run-directory", "is missing", "name a run of seq2seq train");
  const std::string output = options.output.empty()
                                 ? (std::filesystem::path(options.run_directory) / "report.html").string()
                                 : options.output;
  write_file(output, run_report_html(options.run_directory));
  if (!options.quiet) log_info(output);
  return 0;
}

}  // namespace

void add_report(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("report",
                                     "Draws the curves of a training run.\n\n"
                                     "Writes one HTML file that needs nothing else: perplexity, validation "
                                     "scores, gradient norms, learning rate and "
                                     "speed by update.");
  command->footer("Example:\n  seq2seq report --run-directory run");
  auto flags = std::make_shared<Flags<ReportOptions>>(*command);
  command->callback([flags, &exit_code] { exit_code = run_report(flags->resolve()); });
}

}  // namespace seq2seq
