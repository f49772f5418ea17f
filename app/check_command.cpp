#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "commands.h"
#include "flags.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/options.h"
#include "seq2seq/data/corpus_check.h"
#include "seq2seq/data/example_line.h"

namespace seq2seq {
namespace {

struct CheckOptions {
  CorpusFiles train_files, valid_files;
  int64_t maximum_length = CheckSettings{}.maximum_length;
  double tokens_per_second = CheckSettings{}.tokens_per_second;

  static void fields(auto& o, auto& f) {
    f("train-source", o.train_files.source,
      "source side of the training text, one sentence per line; may be .gz");
    f("train-target", o.train_files.target, "its target side");
    f("train", o.train_files.combined, "both sides in one .tsv or .jsonl file, instead of the two above");
    f("valid-source", o.valid_files.source, "source side of the validation text");
    f("valid-target", o.valid_files.target, "its target side");
    f("valid", o.valid_files.combined, "both sides in one .tsv or .jsonl file, instead of the two above");
    const OptionCondition of_json_lines =
        only_if(has_json_lines(o.train_files.combined) || has_json_lines(o.valid_files.combined),
                "give a .jsonl file");
    f("source-key", o.train_files.keys.source, source_key_help, of_json_lines);
    f("target-key", o.train_files.keys.target, target_key_help, of_json_lines);
    f("max-length", o.maximum_length, "as in train: longer pairs are left out (counted in words here)",
      at_least(1));
    f("tokens-per-second", o.tokens_per_second, "training speed assumed for the estimate of time",
      at_least(1));
  }
};

int run_check(const CheckOptions& options) {
  require_corpus_files(options.train_files, corpus_flags("--train"));
  check_corpus_files(options.valid_files, corpus_flags("--valid"));
  for (const CorpusFiles* files : {&options.train_files, &options.valid_files})
    if (!files->combined.empty()) example_format(files->combined);  // throws for an unknown ending
  CheckSettings settings{options.train_files, options.valid_files, options.maximum_length,
                         options.tokens_per_second};
  settings.valid.keys = settings.train.keys;
  const CheckReport report = check_corpora(settings);
  std::cout << report.text << std::flush;
  return report.trainable ? 0 : 1;
}

}  // namespace

RunCommand add_check(CLI::App& command) {
  describe(command,
           "Reports all errors of encoding and format (with the lines of the first ones), empty and "
           "duplicate lines, overlap of training and validation, lengths, unknown words, and rough "
           "estimates of time and memory; each finding names the flag of 'seq2seq train' that helps. The "
           "exit code is 0 if the files can be trained on, else 1.",
           "Example:\n"
           "  seq2seq check --train-source train.en --train-target train.de \\\n"
           "    --valid-source valid.en --valid-target valid.de");
  return run_with_flags(command, run_check);
}

}  // namespace seq2seq
