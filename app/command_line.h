#pragma once

namespace CLI {
class App;
}

namespace seq2seq {

/// Parses the command line, which runs the chosen subcommand, and returns the process's exit code:
/// `exit_code` as the subcommand left it, 1 for a failure, 2 for a command line that makes no sense. Failures
/// are one line on stderr.
int run_command_line(CLI::App& app, int argc, char** argv, const int& exit_code);

}  // namespace seq2seq
