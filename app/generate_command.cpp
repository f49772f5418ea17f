#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <memory>

#include "commands.h"
#include "flags.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/log.h"
#include "seq2seq/core/options.h"
#include "seq2seq/data/example_line.h"
#include "seq2seq/data/grammar.h"

namespace seq2seq {
namespace {

struct GenerateOptions {
  std::string grammar;
  int64_t count = 0;
  std::string output, output_source, output_target;
  std::vector<std::string> splits;
  std::string output_directory;
  std::vector<std::string> extensions{"source", "target"};
  int64_t seed = 1;

  static void fields(auto& o, auto& f) {
    f("grammar", o.grammar, "JSON file of the grammar (data/README.md describes it)");
    f("count", o.count, "pairs to write to --output, or to --output-source and --output-target", at_least(0));
    f("output", o.output, "one file for both sides, .tsv or .jsonl");
    f("output-source", o.output_source, "text file for the sources, one per line");
    f("output-target", o.output_target, "text file for the targets, one per line");
    f("splits", o.splits, "names and sizes of splits that share no source: train=8000 valid=300 test=500");
    f("output-directory", o.output_directory, "folder for the splits");
    f("extensions", o.extensions, "extensions of the splits' files: two, such as en de, or one, tsv or jsonl",
      only_if(!o.splits.empty(), "add --splits"));
    f("seed", o.seed, "the same seed gives the same pairs", at_least(0));
  }

  bool parallel() const { return !output_source.empty() || !output_target.empty(); }
  void check() const;
};

void GenerateOptions::check() const {
  if (grammar.empty())
    throw UsageError("--grammar", "is missing", "for example data/translation.grammar.json");
  if (!splits.empty()) {
    if (output_directory.empty()) throw UsageError("--splits", "needs --output-directory", "name a folder");
    if (count > 0 || !output.empty() || parallel())
      throw UsageError("--splits", "does not go with --count or --output", "leave one of them out");
    if (extensions.empty() || extensions.size() > 2)
      throw UsageError("--extensions", "takes one or two endings", "for example en de, or jsonl");
    if (extensions.size() == 1 && extensions[0] != "tsv" && extensions[0] != "jsonl")
      throw UsageError("--extensions", "'" + extensions[0] + "' alone is unknown",
                       "valid: tsv, jsonl, or two endings");
    if (extensions.size() == 2 && extensions[0] == extensions[1])
      throw UsageError("--extensions", "both are '" + extensions[0] + "'",
                       "give the sides different endings");
    return;
  }
  if (!output_directory.empty())
    throw UsageError("--output-directory", "needs --splits", "add for example train=8000");
  if (count == 0) throw UsageError("--count", "is missing", "say how many pairs to write, or use --splits");
  if (output.empty() != parallel() || (parallel() && (output_source.empty() || output_target.empty())))
    throw UsageError("--output", "the place for the pairs is not clear",
                     "give --output, or --output-source and --output-target");
  if (parallel() && output_source == output_target)
    throw UsageError("--output-target", "is the file of --output-source", "name another file");
  if (!output.empty() && output.ends_with(".gz"))
    throw UsageError("--output", "cannot be .gz", "compress it afterwards");
  if (!output.empty()) example_format(output);
}

struct Split {
  std::string name;
  uint64_t count = 0;
};

Split parse_split(const std::string& text) {
  const size_t at = text.find('=');
  Split split{text.substr(0, at), 0};
  const std::string digits = at == std::string::npos ? "" : text.substr(at + 1);
  const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), split.count).ptr;
  if (digits.empty() || end != digits.data() + digits.size() || split.count == 0 || split.name.empty() ||
      split.name.find('/') != std::string::npos)
    throw UsageError("--splits", "'" + text + "' is no split", "write NAME=COUNT, for example train=8000");
  return split;
}

void generate_splits_into(const GenerateOptions& options, const Grammar& grammar) {
  std::vector<Split> splits;
  for (const auto& text : options.splits) {
    splits.push_back(parse_split(text));
    for (size_t i = 0; i + 1 < splits.size(); ++i)
      if (splits[i].name == splits.back().name)
        throw UsageError("--splits", "'" + splits.back().name + "' is named twice",
                         "give every split its own name");
  }
  std::vector<uint64_t> counts;
  for (const auto& split : splits) counts.push_back(split.count);
  const auto pairs = generate_splits(grammar, counts, static_cast<uint64_t>(options.seed));
  std::error_code failure;
  std::filesystem::create_directories(options.output_directory, failure);
  if (failure)
    throw Error(options.output_directory, "cannot be created (" + failure.message() + ")",
                "check the folder's permissions");
  for (size_t i = 0; i < splits.size(); ++i) {
    const std::string stem =
        (std::filesystem::path(options.output_directory) / splits[i].name).string() + ".";
    if (options.extensions.size() == 2)
      write_parallel_text(pairs[i], stem + options.extensions[0], stem + options.extensions[1]);
    else
      write_examples(pairs[i], stem + options.extensions[0]);
    log_info(stem + options.extensions[0] + ": " + format_count(static_cast<int64_t>(counts[i])) + " pairs");
  }
}

int run_generate(const GenerateOptions& options) {
  options.check();
  const Grammar grammar = Grammar::load(options.grammar);
  if (!options.splits.empty()) {
    generate_splits_into(options, grammar);
    return 0;
  }
  const auto pairs =
      generate_splits(grammar, {static_cast<uint64_t>(options.count)}, static_cast<uint64_t>(options.seed));
  if (options.output.empty())
    write_parallel_text(pairs[0], options.output_source, options.output_target);
  else
    write_examples(pairs[0], options.output);
  log_info(format_count(options.count) + " pairs written");
  return 0;
}

}  // namespace

RunCommand add_generate(CLI::App& command) {
  describe(command,
           "No source sentence occurs twice, and with --splits none occurs in two splits. Names and numbers "
           "that the grammar marks as unseen stay within one split. The same grammar and seed give the same "
           "files everywhere.",
           "Examples:\n"
           "  seq2seq generate --grammar data/translation.grammar.json --count 1000 \\\n"
           "    --output-source sample.en --output-target sample.de\n"
           "  seq2seq generate --grammar data/copying.grammar.json --extensions jsonl \\\n"
           "    --splits train=2000 valid=200 test=200 --output-directory data/copying");
  return run_with_flags(command, run_generate);
}

}  // namespace seq2seq
