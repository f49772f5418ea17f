#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <deque>
#include <future>
#include <memory>
#include <optional>

#include "commands.h"
#include "decoding_models.h"
#include "flags.h"
#include "memory_blocks.h"
#include "output_lines.h"
#include "pair_files.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/log.h"
#include "seq2seq/data/corpus.h"
#include "seq2seq/decode/models.h"
#include "seq2seq/decode/output_formats.h"
#include "seq2seq/decode/pool.h"
#include "seq2seq/model/device.h"
#include "seq2seq/nn/engine/compute.h"

namespace seq2seq {
namespace {

struct ScoreOptions : MachineOptions {
  DecodingModelOptions models;
  CorpusFiles files;
  std::string output = "-", alignments;
  bool tokens = false;
  int64_t batch_size = 32;
  bool quiet = false;

  static void fields(auto& o, auto& f) {
    DecodingModelOptions::fields(o.models, f);
    pair_file_fields(o.files, f);
    f("output", o.output, "the file to write; - for standard output", everyday);
    f("tokens", o.tokens, "add the log-probability of each token", everyday);
    f("alignments", o.alignments,
      "a file for alignments in Pharaoh format: the source token that each target token attends to most",
      everyday);
    f("batch-size", o.batch_size, "pairs scored together", in_range(1, 4096), everyday);
    MachineOptions::fields(o, f);
    quiet_field(o, f);
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

/// Without a score where it is not a number.
std::string line_of(const Hypothesis& target, bool tokens) {
  const size_t count = target.token_log_probabilities.size();
  if (std::isnan(target.log_probability)) return fmt::format("\t{}\n", count);
  std::string line = fmt::format("{:.4f}\t{}", target.log_probability, count);
  if (tokens)
    for (size_t i = 0; i < target.token_log_probabilities.size(); ++i)
      line += fmt::format("{}{:.4f}", i == 0 ? '\t' : ' ', target.token_log_probabilities[i]);
  return line + "\n";
}

/// Consecutive pairs of the corpus, scored together.
struct PendingPairs {
  uint64_t begin;            ///< number of the first
  std::vector<bool> usable;  ///< for each pair, whether it has a source and thus a result
  std::future<std::vector<Hypothesis>> answers;
};

/// Scores the pairs of a corpus and writes the results in the same order.
class CorpusScoring {
 public:
  CorpusScoring(const ScoreOptions& options, const DecodingModels& models)
      : options_(options),
        models_(models),
        corpus_(with_keys(options.files, models.keys(options.files.keys))),
        pool_(models.scorers()) {}
  /// Scores all pairs; returns the summary line.
  std::string run();
  bool all_scored() const { return without_score_ == 0; }

 private:
  PendingPairs ask(uint64_t begin, uint64_t end);
  void write(PendingPairs pairs);

  const ScoreOptions& options_;
  const DecodingModels& models_;
  Corpus corpus_;
  DecodingPool pool_;
  std::optional<OutputLines> alignments_, output_;
  double sum_ = 0;
  int64_t tokens_ = 0, cut_ = 0, without_score_ = 0;
};

PendingPairs CorpusScoring::ask(uint64_t begin, uint64_t end) {
  PendingPairs pairs{begin, {}, {}};
  ScoringRequest request;
  for (uint64_t i = begin; i < end; ++i) {
    const RawExample raw = corpus_.at(i);
    NumberedSource source = number_source(*models_.text.source, raw.source, raw.source_sentences,
                                          models_.text.form, models_.maximum_length);
    pairs.usable.push_back(!source.ids.empty());
    if (source.ids.empty()) continue;
    if (source.whole_length > models_.maximum_length && cut_++ == 0)
      log_warning(fmt::format("{}: cut from {} to {} tokens, as all longer sources will be", corpus_.place(i),
                              format_count(source.whole_length), format_count(models_.maximum_length)));
    request.targets.push_back(number_target(*models_.text.target, raw.target, source, models_.text.form));
    request.sources.push_back(std::move(source.ids));
  }
  pairs.answers = pool_.score(std::move(request));
  return pairs;
}

void CorpusScoring::write(PendingPairs pairs) {
  const std::vector<Hypothesis> answers = pairs.answers.get();
  auto answer = answers.begin();
  std::string text, aligned;
  for (size_t i = 0; i < pairs.usable.size(); ++i) {
    const Hypothesis one = pairs.usable[i] ? *answer++ : Hypothesis{};
    text += line_of(one, options_.tokens);
    aligned += pharaoh_alignment(one.source_positions) + "\n";
    if (std::isnan(one.log_probability)) {
      ++without_score_;
      log_warning(corpus_.place(pairs.begin + i) +
                  ": has no score: the model's probabilities are not numbers (NaN), or do not sum to 1; use "
                  "another checkpoint or archive");
      continue;
    }
    sum_ += one.log_probability;
    tokens_ += std::ssize(one.token_log_probabilities);
  }
  output_->write(text);
  if (alignments_) alignments_->write(aligned);
}

std::string CorpusScoring::run() {
  if (!options_.alignments.empty()) alignments_.emplace(options_.alignments);
  output_.emplace(options_.output);
  const auto batch = static_cast<uint64_t>(options_.batch_size);
  std::deque<PendingPairs> pending;  // keeps the workers busy in bounded memory
  const auto write_next = [&] {
    write(std::move(pending.front()));
    pending.pop_front();
  };
  for (uint64_t begin = 0; begin < corpus_.size(); begin += batch) {
    pending.push_back(ask(begin, std::min(corpus_.size(), begin + batch)));
    if (pending.size() > 2 * pool_.workers()) write_next();
  }
  while (!pending.empty()) write_next();
  if (tokens_ == 0)
    throw Error(corpus_.files().describe(), "has no pair that can be scored",
                all_scored() ? "give text" : "use another checkpoint or archive");
  return fmt::format("{} pairs, {} tokens: log-probability {:.4f} a token, perplexity {:.4f}",
                     format_count(static_cast<int64_t>(corpus_.size())), format_count(tokens_),
                     sum_ / static_cast<double>(tokens_), std::exp(-sum_ / static_cast<double>(tokens_)));
}

int run_score(const ScoreOptions& options) {
  check(options);
  keep_few_shapes();
  const at::Device device = open_device(options.device);
  use_threads(options.threads);
  const ComputeScope kernels(&Compute::kernels, options.kernels);
  const DecodingModels models = load_models(options.models, device);
  if (!options.alignments.empty() && !models.has_attention())
    throw UsageError("--alignments", "this model has no attention to tell of", "leave it out");
  CorpusScoring scoring(options, models);
  log_info(scoring.run());
  return scoring.all_scored() ? 0 : 1;
}

}  // namespace

RunCommand add_score(CLI::App& command) {
  describe(
      command,
      "Writes one line per pair: the log-probability of the target and </s> given the source, a tab, "
      "the number of tokens with </s>. The perplexity over all pairs goes to stderr. A pair whose "
      "source is empty has 0 tokens. Where the model's probabilities are not numbers the score is empty, "
      "and the exit code 1.",
      "Examples:\n"
      "  seq2seq score --model run --source test.en --target test.de\n"
      "  seq2seq score --model run --input test.tsv --tokens \\\n"
      "    --alignments test.align --output test.scores");
  return run_with_flags(command, run_score);
}

}  // namespace seq2seq
