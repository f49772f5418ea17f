#include "command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "seq2seq/core/error.h"
#include "seq2seq/core/log.h"
#include "seq2seq/core/nearest_name.h"

namespace seq2seq {
namespace {

constexpr int failure = 1, usage_error = 2;

int report(const std::string& text, int exit_code) {
  clear_progress();
  std::cout.flush();
  std::cerr << "seq2seq: " << text.substr(0, text.find('\n')) << std::endl;
  return exit_code;
}

/// Whether standard output could be flushed; reports an error if not.
bool flushed() {
  if (std::cout.flush()) return true;
  report("standard output: cannot be written; is the disk full?", failure);
  return false;
}

/// The innermost subcommand given, or the program itself.
const CLI::App& chosen_command(const CLI::App& app) {
  const CLI::App* chosen = &app;
  for (auto named = app.get_subcommands(); !named.empty(); named = chosen->get_subcommands())
    chosen = named.front();
  return *chosen;
}

std::string command_name(const CLI::App& command) {
  return command.get_parent() ? command_name(*command.get_parent()) + " " + command.get_name()
                              : command.get_name();
}

std::vector<std::string> flags_of(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options())
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

std::vector<std::string> subcommands_of(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* subcommand : command.get_subcommands({})) names.push_back(subcommand->get_name());
  return names;
}

/// For an abbreviation the first flag that begins with it, else the nearest flag by edit distance.
std::string nearest_flag(const std::string& name, const std::vector<std::string>& flags) {
  const auto longer =
      std::find_if(flags.begin(), flags.end(), [&](auto& flag) { return flag.starts_with(name); });
  return longer == flags.end() || name.size() < 4 ? nearest_name(name, flags) : *longer;
}

std::string describe_unexpected(const CLI::App& app) {
  const CLI::App* command = &chosen_command(app);
  // An unexpected word before a subcommand is left over in the command above it.
  while (command->remaining().empty() && command->get_parent()) command = command->get_parent();
  const auto words = command->remaining(true);
  std::string word = words.empty() ? "" : words.front();
  const std::string help = "; see " + command_name(*command) + " --help";
  if (word.starts_with("-")) {
    word = word.substr(0, word.find('='));
    const std::string name = word.substr(std::min(word.find_first_not_of('-'), word.size()));
    const std::string nearest = nearest_flag("--" + name, flags_of(*command));
    return word + ": is not a flag of '" + command_name(*command) + "'" +
           (nearest.empty() ? help : "; did you mean '" + nearest + "'?");
  }
  const auto subcommands = subcommands_of(*command);
  if (subcommands.empty()) return "'" + word + "': is not expected here; flags start with --" + help;
  return "'" + word + "': is not a command; " + suggest_name(word, subcommands);
}

std::string describe(const CLI::ParseError& error) {
  std::string text = error.what();
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) && text.find(" required") != std::string::npos)
    return text.substr(0, text.find(':')) + ": needs a value";
  return text;
}

/// The message of the exception being handled, in one line.
std::string failure_text(const std::string& doing) {
  try {
    rethrow_unforeseen(doing);
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace

int run_command_line(CLI::App& app, const CommandRuns& runs, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    const CLI::App& command = chosen_command(app);
    const auto run = runs.find(&command);
    if (run == runs.end()) {
      std::cerr << command.help();
      return usage_error;
    }
    const int exit_code = run->second();
    return flushed() ? exit_code : failure;
  } catch (const CLI::Success& help_or_version) {
    const int code = app.exit(help_or_version);
    return flushed() ? code : failure;
  } catch (const CLI::ExtrasError&) {
    return report(describe_unexpected(app), usage_error);
  } catch (const CLI::ParseError& error) {
    return report(describe(error), usage_error);
  } catch (const UsageError& error) {
    return report(error.what(), usage_error);
  } catch (...) {
    return report(failure_text(command_name(chosen_command(app))), failure);
  }
}

}  // namespace seq2seq
