#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "commands.h"
#include "flags.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/options.h"
#include "seq2seq/data/corpus_check.h"
#include "seq2seq/data/example_line.h"
#include "seq2seq/model/archive/checkpoint.h"
#include "seq2seq/model/text_options.h"
#include "seq2seq/train/given_text.h"

namespace seq2seq {
namespace {

struct CheckOptions {
  CorpusFiles train_files, valid_files;
  int64_t maximum_length = CheckSettings{}.maximum_length;
  double tokens_per_second = CheckSettings{}.tokens_per_second;
  TextOptions text;
  std::string initialize_from;
  bool copying = false;
  double maximum_unknown = CheckSettings{}.maximum_unknown;

  static void fields(auto& o, auto& f) {
    f("train-source", o.train_files.source,
      "source side of the training text, one sentence per line; may be .gz", everyday);
    f("train-target", o.train_files.target, "its target side", everyday);
    f("train", o.train_files.combined, "both sides in one .tsv or .jsonl file, instead of the two above",
      everyday);
    f("valid-source", o.valid_files.source, "source side of the validation text", everyday);
    f("valid-target", o.valid_files.target, "its target side", everyday);
    f("valid", o.valid_files.combined, "both sides in one .tsv or .jsonl file, instead of the two above",
      everyday);
    const OptionCondition of_json_lines =
        only_if(has_json_lines(o.train_files.combined) || has_json_lines(o.valid_files.combined),
                "give a .jsonl file");
    f("source-key", o.train_files.keys.source, source_key_help, of_json_lines);
    f("target-key", o.train_files.keys.target, target_key_help, of_json_lines);
    f("max-length", o.maximum_length, "as in train: longer pairs are left out (counted in words here)",
      at_least(1), everyday);
    f("tokens-per-second", o.tokens_per_second, "training speed assumed for the estimate of time",
      at_least(1));
    // Of what is to be used on this text, as in train.
    f.choice("tokenizer", o.text.tokenizer, "how text is split into tokens, where vocabularies are given",
             only_if(o.initialize_from.empty(), "leave it out: the model brings its own"));
    f.group("normalization", o.text.normalization, GroupFlags::plain);
    f("shared-vocabulary", o.text.shared_vocabulary, "one vocabulary for source and target");
    f("source-vocabulary", o.text.source_vocabulary,
      "vocabulary file to be used on this text (with a shared vocabulary: for both sides): the tokens that it "
      "does not know are counted",
      everyday);
    f("target-vocabulary", o.text.target_vocabulary, "vocabulary file of the target side", everyday);
    f("sentence-separator", o.text.sentence_separator,
      "separator between the sentences of a source, for a hierarchical encoder",
      only_if(o.gives_vocabulary(), "leave it out: no vocabulary is given"));
    f("copying", o.copying, "words that copying can write are not counted as unknown",
      only_if(o.gives_vocabulary(), "leave it out: no vocabulary is given"));
    f("initialize-from", o.initialize_from, "model to be trained further on this text, likewise", everyday);
    f("max-unknown", o.maximum_unknown, "larger shares of unknown tokens are an error", in_range(0, 1),
      only_if(o.gives_vocabulary() || !o.initialize_from.empty(),
              "leave it out: neither vocabularies nor a model are given"));
  }
  bool gives_vocabulary() const { return !text.makes_vocabulary(); }
};

/// The vocabularies that are given, or those of the model.
TextCodecs given_codecs(const CheckOptions& options) {
  if (!options.initialize_from.empty()) return load_model(options.initialize_from).text;
  TextCodecs text = read_text(options.text);
  const std::string& separator = options.text.sentence_separator;
  text.form = {options.copying, !separator.empty(), separator};
  return text;
}

int run_check(const CheckOptions& options) {
  if (!options.initialize_from.empty() && options.gives_vocabulary())
    throw UsageError("--initialize-from", "the model brings its own vocabularies",
                     "leave out --source-vocabulary, --target-vocabulary and --tokenizer.model");
  check(options.text);
  require_corpus_files(options.train_files, corpus_flags("--train"));
  check_corpus_files(options.valid_files, corpus_flags("--valid"));
  for (const CorpusFiles* files : {&options.train_files, &options.valid_files})
    if (!files->combined.empty()) example_format(files->combined);  // throws for an unknown ending
  CheckSettings settings;
  settings.train = options.train_files;
  settings.valid = options.valid_files;
  settings.valid.keys = settings.train.keys;
  settings.maximum_length = options.maximum_length;
  settings.tokens_per_second = options.tokens_per_second;
  if (const auto given = given_text(options.text, options.initialize_from)) {
    const TextCodecs text = given_codecs(options);
    settings.given_source = text.source;
    settings.given_target = text.target;
    settings.form = text.form;
    settings.maximum_unknown = options.maximum_unknown;
    settings.given_remedy = given->remedy();
  }
  const CheckReport report = check_corpora(settings);
  std::cout << report.text << std::flush;
  return report.trainable ? 0 : 1;
}

}  // namespace

RunCommand add_check(CLI::App& command) {
  describe(command,
           "Reports all errors of encoding and format (with the lines of the first ones), empty and "
           "duplicate lines, overlap of training and validation, lengths, unknown words, and rough "
           "estimates of time and memory; each finding names the flag of 'seq2seq train' that helps. With "
           "the vocabularies, the subword model or the model that training is to begin with, the share of "
           "tokens unknown to them. The exit code is 0 if the files can be trained on, else 1.",
           "Example:\n"
           "  seq2seq check --train-source train.en --train-target train.de \\\n"
           "    --valid-source valid.en --valid-target valid.de");
  return run_with_flags(command, run_check);
}

}  // namespace seq2seq
