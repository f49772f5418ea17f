#pragma once

#include "commands.h"

namespace seq2seq {

/// Parses the command line, runs the command and returns the process's exit code: the command's, 1 for a
/// failure, 2 for an invalid command line. Errors are reported in one line on stderr.
int run_command_line(CLI::App& app, const CommandRuns& runs, int argc, char** argv);

}  // namespace seq2seq
