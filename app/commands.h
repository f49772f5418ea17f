#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>

namespace CLI {
class App;
}

namespace seq2seq {

/// Runs a command whose flags have been parsed; returns the process's exit code.
using RunCommand = std::function<int()>;

struct Command {
  const char* name;
  const char* summary;                   ///< one line
  RunCommand (*add)(CLI::App& command);  ///< declares its flags; the result is empty if it has only `parts`
  std::span<const Command> parts = {};   ///< its subcommands: "bench train"
};

/// All commands, in the order in which help lists them.
std::span<const Command> commands();

RunCommand add_train(CLI::App& command);
RunCommand add_translate(CLI::App& command);
RunCommand add_evaluate(CLI::App& command);
RunCommand add_vocab(CLI::App& command);
RunCommand add_generate(CLI::App& command);
RunCommand add_check(CLI::App& command);
RunCommand add_inspect(CLI::App& command);
RunCommand add_average(CLI::App& command);
RunCommand add_quantize(CLI::App& command);
RunCommand add_score(CLI::App& command);
RunCommand add_report(CLI::App& command);
RunCommand add_study(CLI::App& command);
RunCommand add_shortlist(CLI::App& command);
RunCommand add_bench(CLI::App& command);
std::span<const Command> bench_commands();

/// What runs each subcommand.
using CommandRuns = std::map<const CLI::App*, RunCommand>;
/// Adds the subcommands to `app`.
CommandRuns add_commands(CLI::App& app, std::span<const Command> added_commands);

/// Sets the help text below the summary, and the examples at its end.
void describe(CLI::App& command, const std::string& text, const std::string& examples);

}  // namespace seq2seq
