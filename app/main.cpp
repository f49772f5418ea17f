#include <torch/version.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "command_line.h"
#include "commands.h"
#include "environment.h"
#include "help_formatter.h"

int main(int argc, char** argv) {
  seq2seq::open_standard_streams();
  seq2seq::silence_library_warnings();
  seq2seq::identify_processor();
  std::signal(SIGPIPE, SIG_DFL);  // a closed pipe ends the program silently
  std::signal(SIGXFSZ, SIG_IGN);  // a file at the limit of `ulimit -f` is told of by who writes it
  CLI::App app("Trains translation and summarization models from the terminal and uses them.", "seq2seq");
  app.set_version_flag("--version", "seq2seq " SEQ2SEQ_VERSION " (LibTorch " TORCH_VERSION ")");
  app.footer("Each command has a --help of its own: seq2seq train --help");
  app.formatter(std::make_shared<seq2seq::HelpFormatter>());
  app.require_subcommand(0, 1);
  const seq2seq::CommandRuns runs = seq2seq::add_commands(app, seq2seq::commands());
  const int exit_code = seq2seq::run_command_line(app, runs, argc, argv);
  std::cout.flush();
  std::fflush(nullptr);
  // Without the destructors of LibTorch, which take a tenth of the time of a short command.
  std::_Exit(exit_code);
}
