#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>

#include "commands.h"
#include "decoding_models.h"
#include "flags.h"
#include "memory_blocks.h"
#include "output_lines.h"
#include "same_file.h"
#include "seq2seq/core/clock.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/log.h"
#include "seq2seq/decode/explanation.h"
#include "seq2seq/decode/models.h"
#include "seq2seq/decode/output_formats.h"
#include "seq2seq/decode/pool.h"
#include "seq2seq/decode/translator.h"
#include "seq2seq/model/device.h"
#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/report/explanation_page.h"
#include "seq2seq/report/html_page.h"

namespace seq2seq {
namespace {

struct TranslateOptions : MachineOptions {
  DecodingModelOptions models;
  std::string input = "-", source_key;
  std::string output = "-";
  TranslatorOptions translator;
  SourceLines::Companions companions;
  int64_t max_wait_ms = 0;
  bool scores = false;
  std::string details, alignments, explain;
  std::string shortlist;
  bool quiet = false;

  bool reads_stream() const {
    std::error_code unknown;
    return !std::filesystem::is_regular_file(input, unknown);
  }
  static void fields(auto& o, auto& f) {
    DecodingModelOptions::fields(o.models, f);
    f("input", o.input,
      "text, one sentence per line, or the sources of a .tsv or .jsonl; may be .gz; - for standard input",
      everyday);
    f("source-key", o.source_key, source_key_help, only_if(has_json_lines(o.input), "give a .jsonl file"));
    f("output", o.output, "output file, written as translation proceeds; - for standard output", everyday);
    f.group("translator", o.translator, GroupFlags::plain);
    f("scores", o.scores, "print each line's score and a tab before the text", everyday,
      only_if(o.translator.search.n_best == 1, "leave it out: n-best lists have scores anyway"));
    f("prefixes", o.companions.prefixes,
      "a file with a prefix of each output, one line per input, which may be empty");
    f("required", o.companions.required,
      "a file with phrases that each output must contain, one line per input, a tab between two phrases");
    f("details", o.details,
      "a file for one JSON line per output: tokens, their log-probabilities and the source token that each "
      "attends to most");
    f("alignments", o.alignments,
      "a file for the alignments of the best outputs in Pharaoh format, source-target by tokens from 0");
    f("explain", o.explain,
      "a file for the origin of each output token: generated or copied, from which word, and its attention; "
      "JSON lines, or heat maps if the name ends in .html",
      everyday);
    f("shortlist", o.shortlist,
      "a file written by seq2seq shortlist: only likely translations of the source tokens, and what other "
      "options ask for, are considered, which is faster");
    MachineOptions::fields(o, f);
    f("max-wait-ms", o.max_wait_ms,
      "streams: wait at most this long for further lines to decode together with the first; 0 = take the "
      "lines available",
      in_range(0, 1e6), noted_unless(o.reads_stream(), "for a file"));
    quiet_field(o, f);
  }
};

void check_files(const TranslateOptions& options) {
  std::vector<NamedFile> read = files_of(options.models);
  read.insert(read.begin(), {"--input", options.input});
  read.insert(read.end(), {{"--shortlist", options.shortlist},
                           {"--prefixes", options.companions.prefixes},
                           {"--required", options.companions.required}});
  check_files(std::move(read), {{"--output", options.output},
                                {"--explain", options.explain},
                                {"--details", options.details},
                                {"--alignments", options.alignments}});
}

void check(const TranslateOptions& options) {
  check(options.models);
  check(options.translator.search);
  const SearchOptions& search = options.translator.search;
  if (!options.companions.required.empty() && (search.sample || search.beam_groups > 1))
    throw UsageError("--required",
                     std::string("cannot be combined with ") + (search.sample ? "--sample" : "--beam-groups"),
                     "leave one of them out");
  if (!options.explain.empty() && (options.models.model.size() > 1 || options.models.foreign()))
    throw UsageError("--explain", "looks into one model of seq2seq train", "leave it out");
  if (!options.shortlist.empty()) {
    const char* reason = options.models.model.size() > 1 || options.models.foreign() ? "--model" : nullptr;
    if (options.translator.verify) reason = "--verify";
    if (search.sample) reason = "--sample";
    if (reason != nullptr)
      throw UsageError("--shortlist", std::string("leaves words out that are needed for ") + reason,
                       "leave one of them out");
  }
  check_files(options);
}

/// The output of --explain: JSON lines, or a page of heat maps.
class Explanations {
 public:
  explicit Explanations(const std::string& path) : lines_(path), page_(path.ends_with(".html")) {
    if (page_) lines_.write(explanation_page_begin());
  }
  void write(const TranslationModel& model, const Translation& translation, int64_t line) {
    if (!translation.answered()) return;
    int64_t rank = 0;
    for (const auto& output : translation.outputs) {
      const Explanation explanation = explain(model, translation.source, output);
      lines_.write(page_ ? explanation_page_section(explanation, output, line, rank)
                         : explanation_json(explanation, output, line, rank));
      ++rank;
    }
  }
  void finish() {
    if (page_) lines_.write(html_page_end());
  }

 private:
  OutputLines lines_;
  bool page_;
};

std::string summary(const Translator::Counts& counts, double seconds) {
  char text[160];
  std::snprintf(text, sizeof text, "%s lines in %.2f s: %.1f lines/s, %.0f tokens/s",
                format_count(counts.lines).c_str(), seconds, static_cast<double>(counts.lines) / seconds,
                static_cast<double>(counts.output_tokens) / seconds);
  std::string line = text;
  if (counts.bad_lines > 0) line += "; " + format_count(counts.bad_lines) + " could not be used";
  if (counts.cut_lines > 0) line += "; " + format_count(counts.cut_lines) + " were cut";
  if (counts.without_output > 0) line += "; " + format_count(counts.without_output) + " have no output";
  if (counts.unmet > 0) line += "; " + format_count(counts.unmet) + " lack a required phrase";
  return line;
}

int run_translate(TranslateOptions options, bool replace_unknown_given) {
  check(options);
  keep_few_shapes();
  const at::Device device = open_device(options.device);
  use_threads(options.threads);
  const ComputeScope kernels(&Compute::kernels, options.kernels);
  const DecodingModels model = load_models(options.models, device);
  if (replace_unknown_given && options.translator.replace_unknown && !model.has_attention())
    throw UsageError("--replace-unknown", "this model has no attention to choose a source word by",
                     "leave it out");
  if (options.translator.search.coverage_penalty != CoveragePenalty::none && !model.has_attention())
    throw UsageError("--coverage-penalty", "this model has no attention to penalise", "leave it out");
  for (const auto& [flag, given] : {std::pair("--explain", !options.explain.empty()),
                                    std::pair("--alignments", !options.alignments.empty())})
    if (given && !model.has_attention())
      throw UsageError(flag, "this model has no attention to tell of", "leave it out");
  if (!options.explain.empty()) restore_values(model.ours.front().model, model.ours.front().quantized);
  SourceLines input(options.input, options.companions, model.keys({options.source_key}));
  std::shared_ptr<const Shortlist> shortlist;
  if (!options.shortlist.empty())
    shortlist = std::make_shared<Shortlist>(
        Shortlist::load(options.shortlist, model.text.source->vocabulary(), model.text.target->vocabulary()));
  DecodingPool pool(model.scorers(0, shortlist));
  Translator translator(model, pool, options.translator);
  // Under load a stream is decoded in batches, but no line waits for lines beyond those decoded with it.
  const size_t window_size = options.max_wait_ms > 0 ? translator.capacity() : translator.window();
  const auto read = [&] { return input.read_window(window_size, options.max_wait_ms); };
  auto window = read();  // before the output file is truncated
  std::optional<Explanations> explanations;
  std::optional<OutputLines> details, alignments;
  if (!options.explain.empty()) explanations.emplace(options.explain);
  if (!options.details.empty()) details.emplace(options.details);
  if (!options.alignments.empty()) alignments.emplace(options.alignments);
  OutputLines output(options.output);

  Clock::duration busy{};
  int64_t index = 0;
  for (; !window.empty(); window = read()) {
    const auto start = Clock::now();
    const auto translations = translator.translate(window);
    std::string text, aligned, detailed;
    for (size_t i = 0; i < translations.size(); ++i) {
      const int64_t line = index + static_cast<int64_t>(i);
      text += format_translation(translations[i], line, options.translator.search.n_best, options.scores);
      if (alignments) aligned += pharaoh_alignment(translations[i].outputs.front().source_positions) + "\n";
      int64_t rank = 0;
      for (const auto& one : translations[i].outputs)
        if (details)
          detailed += details_json(translations[i], one, model.text.target->vocabulary(), line, rank++);
    }
    output.write(text);
    if (alignments) alignments->write(aligned);
    if (details) details->write(detailed);
    if (explanations)
      for (size_t i = 0; i < translations.size(); ++i)
        explanations->write(model.ours.front(), translations[i], index + static_cast<int64_t>(i));
    index += std::ssize(translations);
    busy += Clock::now() - start;
  }
  if (explanations) explanations->finish();
  const auto& counts = translator.counts();
  if (counts.unequal > 0)
    log_warning(fmt::format("{} outputs have another log-probability when they are scored once more",
                            format_count(counts.unequal)));
  if (counts.fewer > 0)
    log_warning(fmt::format(
        "{} of {} lines have fewer than {} outputs: the groups of their beam found no more "
        "that differ; raise --diversity or --beam-size",
        format_count(counts.fewer), format_count(counts.lines), options.translator.search.n_best));
  log_info(summary(counts, std::max(1e-6, std::chrono::duration<double>(busy).count())));
  const bool good =
      counts.bad_lines == 0 && counts.unequal == 0 && counts.without_output == 0 && counts.unmet == 0;
  return good ? 0 : 1;
}

}  // namespace

RunCommand add_translate(CLI::App& command) {
  describe(
      command,
      "Reads one sentence per line and writes one line for each, in the same order; an empty line gives "
      "an empty line. A line that cannot be read (not UTF-8, longer than 1 MiB), or whose prefix or "
      "required phrases are impossible, gives an empty line and a message; the exit code is then 1 at the "
      "end, as where an output lacks a required phrase. With --n-best the output is 'line ||| text ||| "
      "score', lines counting from 0.",
      "Examples:\n"
      "  seq2seq translate --model run --input test.en --output test.de\n"
      "  echo 'a small house' | seq2seq translate --model run --beam-size 1\n"
      "  seq2seq translate --model run/best/model.pt --input test.jsonl --n-best 5\n"
      "  seq2seq translate --model run1 run2 run3 --input test.en --verify\n"
      "  seq2seq translate --model run --input test.en --sample --n-best 5\n"
      "  seq2seq translate --model run --input report.txt --explain copying.html\n"
      "  seq2seq translate --model foreign.pt \\\n"
      "    --source-vocabulary en.txt --target-vocabulary de.txt");
  const auto flags = std::make_shared<Flags<TranslateOptions>>(command);
  return [flags] {
    TranslateOptions options = flags->resolve();
    const std::string replacing = path_of(options, &options.translator.replace_unknown);
    return run_translate(options, flags->patch().contains(replacing));
  };
}

}  // namespace seq2seq
