#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "commands.h"
#include "flags.h"
#include "pair_files.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/log.h"
#include "seq2seq/data/corpus.h"
#include "seq2seq/data/lexical_table.h"
#include "seq2seq/decode/shortlist.h"
#include "seq2seq/model/archive/checkpoint.h"

namespace seq2seq {
namespace {

struct ShortlistOptions {
  std::string model, output;
  CorpusFiles files;
  int64_t candidates = 100, frequent = 100, pairs = 1'000'000;
  double minimum_probability = 0.003;
  static void fields(auto& o, auto& f) {
    f("model", o.model, "the model for the shortlist: a run directory, a checkpoint directory or a model.pt",
      everyday);
    pair_file_fields(o.files, f);
    f("candidates", o.candidates, "candidate target tokens per source token", in_range(1, 100000), everyday);
    f("minimum-probability", o.minimum_probability, "leave out candidates with a lower probability",
      in_range(0, 1));
    f("frequent", o.frequent, "target tokens that are always considered, the most frequent ones",
      in_range(0, 100000), everyday);
    f("pairs", o.pairs, "use at most this many pairs, from the beginning", at_least(1));
    f("output", o.output, "the file to write (JSON)", everyday);
  }
};

int run_shortlist(const ShortlistOptions& options) {
  if (options.model.empty()) throw UsageError("--model", "is missing", "give a run directory or a model.pt");
  if (options.output.empty()) throw UsageError("--output", "is missing", "name the file to write");
  check_pair_files(options.files);
  std::vector<NamedFile> read = files_of(options.files);
  read.push_back({"--model", find_model_file(options.model).string()});
  check_files(std::move(read), {{"--output", options.output}});
  const TranslationModel model = load_model(options.model);
  const Corpus corpus(options.files.keys.empty() ? with_keys(options.files, model.keys) : options.files);
  const uint64_t pairs = std::min(corpus.size(), static_cast<uint64_t>(options.pairs));
  const LexicalTable table(pairs,
                           [&](uint64_t i, std::vector<int64_t>& source, std::vector<int64_t>& target) {
                             const RawExample raw = corpus.at(i);
                             source = model.text.source->ids(raw.source);
                             target = model.text.target->ids(raw.target);
                           });
  const Shortlist shortlist{table.candidates(model.text.source->vocabulary().size(), options.candidates,
                                             options.minimum_probability),
                            table.frequent(options.frequent)};
  shortlist.save(options.output, model.text.source->vocabulary(), model.text.target->vocabulary());
  log_info(fmt::format("{}: from {} pairs", options.output, format_count(static_cast<int64_t>(pairs))));
  return 0;
}

}  // namespace

RunCommand add_shortlist(CLI::App& command) {
  describe(command,
           "Translating can leave out all others then.\n"
           "\n"
           "Aligns the tokens of the training text (IBM Model 1) and writes the most probable translations "
           "of each. 'translate --shortlist' then computes the output layer for these and the most frequent "
           "tokens only.",
           "Example:\n"
           "  seq2seq shortlist --model run --source train.en \\\n"
           "    --target train.de --output short.json\n"
           "  seq2seq translate --model run --shortlist short.json --input test.en");
  return run_with_flags(command, run_shortlist);
}

}  // namespace seq2seq
