#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <iostream>
#include <memory>
#include <numeric>
#include <optional>

#include "commands.h"
#include "decoding_models.h"
#include "flags.h"
#include "memory_blocks.h"
#include "output_lines.h"
#include "pair_files.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/log.h"
#include "seq2seq/data/batch.h"
#include "seq2seq/data/corpus.h"
#include "seq2seq/decode/forced.h"
#include "seq2seq/model/device.h"
#include "seq2seq/nn/engine/compute.h"

namespace seq2seq {
namespace {

struct ScoreOptions {
  DecodingModelOptions models;
  CorpusFiles files;
  std::string output = "-", alignments;
  bool tokens = false;
  int64_t batch_size = 32;
  int64_t threads = 0;
  std::string device = "cpu";
  Kernels kernels = Kernels::fast;
  bool quiet = false;

  static void fields(auto& o, auto& f) {
    DecodingModelOptions::fields(o.models, f);
    pair_file_fields(o.files, f);
    f("output", o.output, "where the lines go; - for standard output");
    f("tokens", o.tokens, "add the log-probability of each token");
    f("alignments", o.alignments,
      "a file for alignments in Pharaoh's form: the source token each target token looked at");
    f("batch-size", o.batch_size, "pairs scored together", in_range(1, 4096));
    f("threads", o.threads, "processor threads; 0 = one for each core that may be used", in_range(0, 1024));
    f("device", o.device, "cpu, cuda or cuda:N");
    kernels_field(o, f);
    f("quiet", o.quiet, "no summary at the end");
  }
};

void check(const ScoreOptions& options) {
  check(options.models);
  check_pair_files(options.files);
  std::vector<NamedFile> read = files_of(options.models);
  const std::vector<NamedFile> pairs = files_of(options.files);
  read.insert(read.end(), pairs.begin(), pairs.end());
  check_files(std::move(read), {{"--output", options.output}, {"--alignments", options.alignments}});
}

std::string line_of(const ForcedOutput& forced, bool tokens) {
  std::string line = fmt::format("{:.4f}\t{}", forced.log_probability(), forced.log_probabilities.size());
  if (tokens)
    for (size_t i = 0; i < forced.log_probabilities.size(); ++i)
      line += fmt::format("{}{:.4f}", i == 0 ? '\t' : ' ', forced.log_probabilities[i]);
  return line + "\n";
}

int run_score(const ScoreOptions& options) {
  check(options);
  keep_few_shapes();
  const at::Device device = open_device(options.device);
  use_threads(options.threads);
  const ComputeScope kernels(&Compute::kernels, options.kernels);
  const DecodingModels models = DecodingModels::load(options.models, device);
  if (!options.alignments.empty() && !models.has_attention())
    throw UsageError("--alignments", "this model has no attention to tell of", "leave it out");
  const Corpus corpus(options.files);
  const auto scorer = models.scorer();
  std::optional<OutputLines> alignments;
  if (!options.alignments.empty()) alignments.emplace(options.alignments);
  OutputLines output(options.output);
  double sum = 0;
  int64_t tokens = 0, cut = 0;
  for (uint64_t begin = 0; begin < corpus.size(); begin += static_cast<uint64_t>(options.batch_size)) {
    const uint64_t end = std::min(corpus.size(), begin + static_cast<uint64_t>(options.batch_size));
    std::vector<Example> examples;
    std::vector<std::vector<int64_t>> targets;
    std::vector<size_t> place(end - begin, SIZE_MAX);
    for (uint64_t i = begin; i < end; ++i) {
      const RawExample raw = corpus.at(i);
      const NumberedSource source = number_source(*models.text.source, raw.source, raw.source_sentences,
                                                  models.text.form, models.maximum_length);
      if (source.ids.empty()) continue;
      if (source.whole_length > models.maximum_length && cut++ == 0)
        log_warning(fmt::format("{}: cut from {} to {} tokens, as all longer sources will be",
                                corpus.place(i), format_count(source.whole_length),
                                format_count(models.maximum_length)));
      place[i - begin] = examples.size();
      examples.push_back({examples.size(), source.ids, {}});
      targets.push_back(number_target(*models.text.target, raw.target, source, models.text.form));
    }
    std::vector<ForcedOutput> forced;
    if (!examples.empty()) forced = force(*scorer, to_tensors(make_batch(examples)).source, targets);
    std::string text, aligned;
    for (const size_t at : place) {
      const ForcedOutput empty;
      const ForcedOutput& one = at == SIZE_MAX ? empty : forced[at];
      text += line_of(one, options.tokens);
      aligned += pharaoh_alignment(one.source_positions) + "\n";
      sum += one.log_probability();
      tokens += std::ssize(one.log_probabilities);
    }
    output.write(text);
    if (alignments) alignments->write(aligned);
  }
  if (tokens == 0) throw Error(corpus.files().describe(), "has no pair to score", "give text");
  if (!options.quiet)
    log_info(fmt::format("{} pairs, {} tokens: log-probability {:.4f} a token, perplexity {:.4f}",
                         format_count(static_cast<int64_t>(corpus.size())), format_count(tokens),
                         sum / static_cast<double>(tokens), std::exp(-sum / static_cast<double>(tokens))));
  return 0;
}

}  // namespace

void add_score(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("score",
                                     "Tells what a model holds of given translations.\n\n"
                                     "For each pair a line: the log-probability of the target and its end "
                                     "given the source, a tab, the number of "
                                     "tokens with the end. The perplexity of all goes to stderr. A pair "
                                     "whose source is empty has 0 tokens.");
  command->footer(
      "Examples:\n"
      "  seq2seq score --model run --source test.en --target test.de\n"
      "  seq2seq score --model run --input test.tsv --tokens \\\n    --alignments test.align --output "
      "test.scores");
  auto flags = std::make_shared<Flags<ScoreOptions>>(*command);
  command->callback([flags, &exit_code] { exit_code = run_score(flags->resolve()); });
}

}  // namespace seq2seq
