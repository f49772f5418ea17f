#include "commands.h"

#include <CLI/CLI.hpp>

namespace seq2seq {

std::span<const Command> commands() {
  static const Command all[] = {
      {"train", "Trains a model on parallel text, TSV or JSON lines.", add_train},
      {"translate", "Translates or summarizes text, line by line.", add_translate},
      {"evaluate", "Scores a text against references and prints JSON.", add_evaluate},
      {"vocab", "Builds a vocabulary from text.", add_vocab},
      {"generate", "Writes a synthetic corpus drawn from a grammar.", add_generate},
      {"check", "Checks the training files before training.", add_check},
      {"inspect", "Shows what a model contains, tests it, measures its gradients.", add_inspect},
      {"average", "Averages the weights of several checkpoints.", add_average},
      {"quantize", "Rounds the weights of a model to int8 or bfloat16.", add_quantize},
      {"score", "Computes the log-probabilities of given translations.", add_score},
      {"report", "Writes an HTML report of a training run.", add_report},
      {"study", "Compares architectures on the same text.", add_study},
      {"shortlist", "Finds which target words each source word may become.", add_shortlist},
      {"bench", "Measures speed on this machine; prints JSON.", add_bench, bench_commands()},
  };
  return all;
}

CommandRuns add_commands(CLI::App& app, std::span<const Command> added_commands) {
  CommandRuns runs;
  for (const Command& command : added_commands) {
    CLI::App& added = *app.add_subcommand(command.name, command.summary);
    if (RunCommand run = command.add(added)) runs[&added] = std::move(run);
    if (!command.parts.empty()) added.require_subcommand(0, 1);
    runs.merge(add_commands(added, command.parts));
  }
  return runs;
}

void describe(CLI::App& command, const std::string& text, const std::string& examples) {
  if (!text.empty()) command.description(command.get_description() + "\n\n" + text);
  command.footer(examples);
}

}  // namespace seq2seq
