#include <ATen/Parallel.h>

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>

#include "commands.h"
#include "flags.h"
#include "same_file.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/log.h"
#include "seq2seq/decode/ensemble.h"
#include "seq2seq/decode/explanation.h"
#include "seq2seq/decode/script_model.h"
#include "seq2seq/decode/translator.h"
#include "seq2seq/model/checkpoint.h"
#include "seq2seq/model/device.h"
#include "seq2seq/study/explanation_page.h"

namespace seq2seq {
namespace {

/// For an archive that is known by its methods alone.
struct ForeignOptions {
  std::string source_vocabulary, target_vocabulary;
  PlainTokenizer tokenizer = PlainTokenizer::whitespace;
  int64_t maximum_length = 250;
  bool given() const { return !source_vocabulary.empty(); }
  static void fields(auto& o, auto& f) {
    f("source-vocabulary", o.source_vocabulary,
      "for a TorchScript archive made by another program, whose methods this runs (docs/archives.md): the "
      "tokens of "
      "its source ids, a vocabulary file or a SentencePiece .model");
    f("target-vocabulary", o.target_vocabulary, "the tokens of its target ids");
    f("tokenizer", o.tokenizer, "what its tokens are; with a SentencePiece .model: its pieces");
    f("maximum-length", o.maximum_length, "source tokens it reads; longer lines are cut", in_range(1, 1e6));
  }
};

struct TranslateOptions {
  std::vector<std::string> model;
  EnsembleMean ensemble = EnsembleMean::linear;
  std::string input = "-";
  std::string output = "-";
  TranslatorOptions translator;
  SourceLines::Companions companions;
  int64_t max_wait_ms = 0;
  bool scores = false;
  std::string details, alignments, explain;
  ForeignOptions foreign;
  int64_t threads = 0;
  std::string device = "cpu";
  bool quiet = false;

  static void fields(auto& o, auto& f) {
    f("model", o.model,
      "a run directory (its best checkpoint), a checkpoint directory or a model.pt; several with the same "
      "vocabularies "
      "decode together");
    f("ensemble", o.ensemble,
      "the probabilities of several models: their mean (linear), or their geometric mean (log)");
    f("input", o.input,
      "text, one sentence a line, or the sources of a .tsv or .jsonl; each may be .gz; - for "
      "standard input");
    f("output", o.output, "where the text goes, as it comes; - for standard output");
    f.group("translator", o.translator, GroupFlags::plain);
    f("scores", o.scores, "print each line's score and a tab before the text");
    f("prefixes", o.companions.prefixes,
      "a file with the beginning of each output, a line (or an empty one) for each input");
    f("required", o.companions.required,
      "a file with phrases that each output must hold, a line for each input, a tab between two phrases");
    f("details", o.details,
      "a file for a JSON line about each output: tokens, their log-probabilities and the source token each "
      "looked at");
    f("alignments", o.alignments,
      "a file for the alignment of each best output in Pharaoh's form, source-target by tokens from 0");
    f("explain", o.explain,
      "a file that tells of every output token whether it was generated or copied, from where, and what was "
      "looked at: JSON lines, or pictures when the name ends in .html");
    f.group("foreign", o.foreign, GroupFlags::plain);
    f("threads", o.threads, "processor cores to use; 0 = all", in_range(0, 1024));
    f("device", o.device, "cpu, cuda or cuda:N");
    f("max-wait-ms", o.max_wait_ms,
      "streams: wait this long at most for further lines to decode together with the first; 0 = take those "
      "that are there",
      in_range(0, 1e6));
    f("quiet", o.quiet, "no summary at the end");
  }
};

/// What is written must not be what is read, or written twice.
void check_files(const TranslateOptions& options) {
  struct File {
    std::string flag, name;
  };
  std::vector<File> read{{"--input", options.input == "-" ? "/dev/stdin" : options.input}};
  for (const std::string& name : options.model) read.push_back({"--model", find_model_file(name)});
  const std::pair<const char*, std::string> others[] = {
      {"--source-vocabulary", options.foreign.source_vocabulary},
      {"--target-vocabulary", options.foreign.target_vocabulary},
      {"--prefixes", options.companions.prefixes},
      {"--required", options.companions.required}};
  for (const auto& [flag, name] : others)
    if (!name.empty()) read.push_back({flag, name});
  std::vector<File> written{{"--output", options.output == "-" ? "/dev/stdout" : options.output}};
  const std::pair<const char*, std::string> further[] = {
      {"--explain", options.explain}, {"--details", options.details}, {"--alignments", options.alignments}};
  for (const auto& [flag, name] : further)
    if (!name.empty()) written.push_back({flag, name == "-" ? "/dev/stdout" : name});
  for (const File& file : written) {
    if (file.name.ends_with(".gz"))
      throw UsageError(file.flag, "'" + file.name + "' would not be packed", "name a file without .gz");
    for (const File& source : read)
      if (same_file(file.name, source.name))
        throw UsageError(file.flag, "is the file of " + source.flag + ", which would be overwritten",
                         "name another file");
  }
  for (size_t i = 0; i < written.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (written[i].name == written[j].name || same_file(written[i].name, written[j].name))
        throw UsageError(written[i].flag, "is where " + written[j].flag + " goes", "name another file");
}

void check(const TranslateOptions& options) {
  if (options.model.empty()) throw UsageError("--model", "is missing", "give a run directory or a model.pt");
  check(options.translator.search);
  if (options.scores && options.translator.search.n_best > 1)
    throw UsageError("--scores", "would change nothing", "n-best lists have scores anyway; leave it out");
  if (options.model.size() == 1 && options.ensemble != EnsembleMean::linear)
    throw UsageError("--ensemble", "would change nothing", "name several models, or leave it out");
  if (options.model.size() > 1 && (!options.explain.empty() || options.foreign.given()))
    throw UsageError(options.foreign.given() ? "--source-vocabulary" : "--explain", "is for one model",
                     "leave it out, or name one model");
  const ForeignOptions& foreign = options.foreign;
  if (foreign.source_vocabulary.empty() != foreign.target_vocabulary.empty())
    throw UsageError(foreign.source_vocabulary.empty() ? "--source-vocabulary" : "--target-vocabulary",
                     "is missing", "give both, for an archive made by another program, or neither");
  if (!foreign.given() && (foreign.tokenizer != ForeignOptions{}.tokenizer ||
                           foreign.maximum_length != ForeignOptions{}.maximum_length))
    throw UsageError(foreign.tokenizer != ForeignOptions{}.tokenizer ? "--tokenizer" : "--maximum-length",
                     "is known for models of seq2seq train",
                     "leave it out, or add --source-vocabulary and --target-vocabulary");
  if (foreign.tokenizer != ForeignOptions{}.tokenizer && foreign.source_vocabulary.ends_with(".model") &&
      foreign.target_vocabulary.ends_with(".model"))
    throw UsageError("--tokenizer", "would change nothing: the vocabularies are SentencePiece models",
                     "leave it out");
  if (foreign.given() && !options.explain.empty())
    throw UsageError("--explain", "does not know the inside of an archive made by another program",
                     "leave it out");
  check_files(options);
}

/// What decodes: models of ours, or an archive known by its methods.
struct LoadedModel {
  std::vector<TranslationModel> ours;
  std::shared_ptr<const ScriptModel> foreign;
  TextCodecs text;
  int64_t maximum_length = 0;

  bool has_attention() const {
    if (foreign) return foreign->has_attention();
    return std::any_of(ours.begin(), ours.end(), [](const auto& one) { return one.model->has_attention(); });
  }
  bool on_cpu() const { return foreign ? foreign->device().is_cpu() : ours.front().model->device().is_cpu(); }
  std::unique_ptr<Scorer> scorer(EnsembleMean mean) const;
  Translator translator(const TranslateOptions& options) const;
};

std::shared_ptr<const TextCodec> read_codec(const std::string& file, PlainTokenizer tokenizer) {
  if (file.ends_with(".model")) {
    const std::string model = read_file(file);
    return std::make_shared<const TextCodec>(SentencePieceTokenizerOptions{}, NormalizationOptions{}, model,
                                             Vocabulary(sentencepiece_tokens(model, file)));
  }
  return std::make_shared<const TextCodec>(tokenizer_of(tokenizer), NormalizationOptions{}, "",
                                           Vocabulary::load(file));
}

LoadedModel load(const TranslateOptions& options, const at::Device& device) {
  LoadedModel result;
  const ForeignOptions& foreign = options.foreign;
  if (!foreign.given()) {
    for (const std::string& path : options.model) {
      const TranslationModel& model = result.ours.emplace_back(load_model(path, device));
      const TranslationModel& first = result.ours.front();
      if (result.ours.size() == 1) {
        result.text = model.text;
        result.maximum_length = model.maximum_length;
        continue;
      }
      if (!(model.text.source->vocabulary() == first.text.source->vocabulary() &&
            model.text.target->vocabulary() == first.text.target->vocabulary()))
        throw Error(path, "has other vocabularies than " + options.model.front(),
                    "name models that share them");
      if (model.text.form.sentences != first.text.form.sentences)
        throw Error(path, "does not read sentences as " + options.model.front() + " does",
                    "name models with a hierarchical encoder, or without one");
      // Words that the vocabulary lacks are <unk> to those that do not copy.
      if (model.text.form.copying) result.text.form.copying = true;
      result.maximum_length = std::min(result.maximum_length, model.maximum_length);
    }
    return result;
  }
  result.text.source = read_codec(foreign.source_vocabulary, foreign.tokenizer);
  result.text.target = foreign.target_vocabulary == foreign.source_vocabulary
                           ? result.text.source
                           : read_codec(foreign.target_vocabulary, foreign.tokenizer);
  result.foreign = std::make_shared<ScriptModel>(find_model_file(options.model.front()),
                                                 result.text.source->vocabulary().size(),
                                                 result.text.target->vocabulary().size(), device);
  result.text.form.copying = result.foreign->copies();
  result.maximum_length = foreign.maximum_length;
  return result;
}

std::unique_ptr<Scorer> LoadedModel::scorer(EnsembleMean mean) const {
  if (foreign) return std::make_unique<ScriptScorer>(foreign->for_another_thread());
  std::vector<std::unique_ptr<Scorer>> members;
  for (const TranslationModel& model : ours) members.push_back(std::make_unique<ModelScorer>(model.model));
  if (members.size() == 1) return std::move(members.front());
  return std::make_unique<EnsembleScorer>(std::move(members), mean);
}

Translator LoadedModel::translator(const TranslateOptions& options) const {
  std::vector<std::unique_ptr<Scorer>> scorers;
  for (int64_t i = on_cpu() ? at::get_num_threads() : 1; i > 0; --i)
    scorers.push_back(scorer(options.ensemble));
  return Translator(text, maximum_length, std::move(scorers), options.translator);
}

/// The file or standard output.
class OutputLines {
 public:
  explicit OutputLines(const std::string& path) : name_(path == "-" ? "standard output" : path) {
    if (path == "-") return;
    file_.open(path, std::ios::binary);
    if (!file_) throw Error(path, "cannot be written (" + system_reason() + ")", "check the folder");
    stream_ = &file_;
  }
  void write(const std::string& text) {
    *stream_ << text;
    stream_->flush();
    if (!*stream_) throw Error(name_, "cannot be written (" + system_reason() + ")", "is the disk full?");
  }

 private:
  std::string name_;
  std::ofstream file_;
  std::ostream* stream_ = &std::cout;
};

/// What --explain writes, as JSON lines or as a page of heat maps.
class Explanations {
 public:
  explicit Explanations(const std::string& path) : lines_(path), page_(path.ends_with(".html")) {
    if (page_) lines_.write(explanation_page_begin());
  }
  void write(const TranslationModel& model, const Translation& translation, int64_t line) {
    if (translation.source.ids.empty()) return;
    int64_t rank = 0;
    for (const auto& output : translation.outputs) {
      const Explanation explanation = explain(model, translation.source, output);
      lines_.write(page_ ? explanation_page_section(explanation, output, line, rank)
                         : explanation_json(explanation, output, line, rank));
      ++rank;
    }
  }
  void finish() {
    if (page_) lines_.write(explanation_page_end());
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
  if (counts.bad_lines > 0) line += "; " + format_count(counts.bad_lines) + " could not be read";
  if (counts.cut_lines > 0) line += "; " + format_count(counts.cut_lines) + " were cut";
  return line;
}

int run_translate(TranslateOptions options, bool replace_unknown_given) {
  check(options);
  const at::Device device = open_device(options.device);
  if (options.threads > 0) at::set_num_threads(static_cast<int>(options.threads));
  const LoadedModel model = load(options, device);
  if (replace_unknown_given && options.translator.replace_unknown && !model.has_attention())
    throw UsageError("--replace-unknown", "this model has no attention to choose a source word by",
                     "leave it out");
  if (options.translator.search.coverage_penalty != CoveragePenalty::none && !model.has_attention())
    throw UsageError("--coverage-penalty", "this model has no attention to penalise", "leave it out");
  for (const auto& [flag, given] : {std::pair("--explain", !options.explain.empty()),
                                    std::pair("--alignments", !options.alignments.empty())})
    if (given && !model.has_attention())
      throw UsageError(flag, "this model has no attention to tell of", "leave it out");
  SourceLines input(options.input, options.companions);
  Translator translator = model.translator(options);
  // Under load a stream is decoded in batches, but no line waits for more than those that are decoded with
  // it.
  const size_t window_size = options.max_wait_ms > 0 ? translator.capacity() : translator.window();
  const auto read = [&] { return input.read_window(window_size, options.max_wait_ms); };
  auto window = read();  // before the output is emptied
  std::optional<Explanations> explanations;
  std::optional<OutputLines> details, alignments;
  if (!options.explain.empty()) explanations.emplace(options.explain);
  if (!options.details.empty()) details.emplace(options.details);
  if (!options.alignments.empty()) alignments.emplace(options.alignments);
  OutputLines output(options.output);

  using Clock = std::chrono::steady_clock;
  Clock::duration busy{};
  int64_t index = 0;
  for (; !window.empty(); window = read()) {
    const auto start = Clock::now();
    const auto translations = translator.translate(window);
    std::string text, aligned, detailed;
    for (size_t i = 0; i < translations.size(); ++i) {
      const int64_t line = index + static_cast<int64_t>(i);
      text += format_translation(translations[i], line, options.translator.search.n_best, options.scores);
      aligned += pharaoh_alignment(translations[i].outputs.front()) + "\n";
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
  if (!options.quiet) log_info(summary(counts, std::max(1e-6, std::chrono::duration<double>(busy).count())));
  return counts.bad_lines > 0 || counts.unequal > 0 ? 1 : 0;
}

}  // namespace

void add_translate(CLI::App& app, int& exit_code) {
  auto* command =
      app.add_subcommand("translate",
                         "Translates or summarizes text, line by line.\n\n"
                         "Reads one sentence a line and writes one line for each, in the same order; an "
                         "empty line gives an empty line. A line that cannot be read (not UTF-8, longer "
                         "than 1 MiB) gives an empty line and a message, and the exit code is 1 at the "
                         "end. With --n-best the output is 'line ||| text ||| score', lines counting from "
                         "0.");
  command->footer(
      "Examples:\n"
      "  seq2seq translate --model run --input test.en --output test.de\n"
      "  echo 'a small house' | seq2seq translate --model run --beam-size 1\n"
      "  seq2seq translate --model run/best/model.pt --input test.jsonl --n-best 5\n"
      "  seq2seq translate --model run --input test.en --length-penalty wu\n"
      "  seq2seq translate --model run1 run2 run3 --input test.en --batch-invariant --verify\n"
      "  seq2seq translate --model run --input test.en --sample --beam-size 5 --n-best 5 --sample-top-p 0.9\n"
      "  seq2seq translate --model run --input report.txt --explain copying.html\n"
      "  seq2seq translate --model foreign.pt --source-vocabulary en.txt --target-vocabulary de.txt");
  auto flags = std::make_shared<Flags<TranslateOptions>>(*command);
  command->callback([flags, &exit_code] {
    exit_code = run_translate(flags->resolve(), flags->patch().contains("translator.replace-unknown"));
  });
}

}  // namespace seq2seq
