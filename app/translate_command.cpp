#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>

#include "commands.h"
#include "flags.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/log.h"
#include "seq2seq/decode/explanation.h"
#include "seq2seq/decode/script_model.h"
#include "seq2seq/decode/translator.h"
#include "seq2seq/model/checkpoint.h"
#include "seq2seq/model/device.h"
#include "seq2seq/study/explanation_page.h"

namespace seq2seq {
namespace {

enum class WordsBy { whitespace, word, character };
std::span<const char* const> option_names(WordsBy) {
  static constexpr const char* names[] = {"whitespace", "word", "char"};
  return names;
}

/// For an archive that is known by its methods alone.
struct ForeignOptions {
  std::string source_vocabulary, target_vocabulary;
  WordsBy tokenizer = WordsBy::whitespace;
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
  std::string model;
  std::string input = "-";
  std::string output = "-";
  TranslatorOptions translator;
  bool scores = false;
  std::string explain;
  ForeignOptions foreign;
  int64_t threads = 0;
  std::string device = "cpu";
  bool quiet = false;

  static void fields(auto& o, auto& f) {
    f("model", o.model, "a run directory (its best checkpoint), a checkpoint directory or a model.pt");
    f("input", o.input,
      "text, one sentence a line, or the sources of a .tsv or .jsonl; each may be .gz; - for "
      "standard input");
    f("output", o.output, "where the text goes, as it comes; - for standard output");
    f.group("translator", o.translator, GroupFlags::plain);
    f("scores", o.scores, "print each line's score and a tab before the text");
    f("explain", o.explain,
      "a file that tells of every output token whether it was generated or copied, from where, and what was "
      "looked at: JSON lines, or pictures when the name ends in .html");
    f.group("foreign", o.foreign, GroupFlags::plain);
    f("threads", o.threads, "processor cores to use; 0 = all", in_range(0, 1024));
    f("device", o.device, "cpu, cuda or cuda:N");
    f("quiet", o.quiet, "no summary at the end");
  }
};

/// Whether two names lead to one regular file, existing or not.
bool same_file(const std::string& a, const std::string& b) {
  namespace fs = std::filesystem;
  std::error_code missing;
  if (fs::exists(a, missing) && fs::exists(b, missing))
    return fs::equivalent(a, b, missing) && fs::is_regular_file(a, missing);
  return fs::weakly_canonical(a, missing) == fs::weakly_canonical(b, missing);
}

/// What is written must not be what is read, or written twice.
void check_files(const TranslateOptions& options) {
  struct File {
    std::string flag, name;
  };
  std::vector<File> read{{"--input", options.input == "-" ? "/dev/stdin" : options.input},
                         {"--model", find_model_file(options.model)}};
  for (const std::string& name : {options.foreign.source_vocabulary, options.foreign.target_vocabulary})
    if (!name.empty()) read.push_back({"a vocabulary", name});
  std::vector<File> written{{"--output", options.output == "-" ? "/dev/stdout" : options.output}};
  if (!options.explain.empty())
    written.push_back({"--explain", options.explain == "-" ? "/dev/stdout" : options.explain});
  for (const File& file : written) {
    if (file.name.ends_with(".gz"))
      throw UsageError(file.flag, "'" + file.name + "' would not be packed", "name a file without .gz");
    for (const File& source : read)
      if (same_file(file.name, source.name))
        throw UsageError(file.flag, "is the file of " + source.flag + ", which would be overwritten",
                         "name another file");
  }
  if (written.size() == 2 &&
      (written[0].name == written[1].name || same_file(written[0].name, written[1].name)))
    throw UsageError("--explain", "is where the text goes", "name another file");
}

void check(const TranslateOptions& options) {
  if (options.model.empty()) throw UsageError("--model", "is missing", "give a run directory or a model.pt");
  check(options.translator.search);
  if (options.scores && options.translator.search.n_best > 1)
    throw UsageError("--scores", "would change nothing", "n-best lists have scores anyway; leave it out");
  const ForeignOptions& foreign = options.foreign;
  if (foreign.source_vocabulary.empty() != foreign.target_vocabulary.empty())
    throw UsageError(foreign.source_vocabulary.empty() ? "--source-vocabulary" : "--target-vocabulary",
                     "is missing", "give both, for an archive made by another program, or neither");
  if (!foreign.given() && (foreign.tokenizer != ForeignOptions{}.tokenizer ||
                           foreign.maximum_length != ForeignOptions{}.maximum_length))
    throw UsageError(foreign.tokenizer != ForeignOptions{}.tokenizer ? "--tokenizer" : "--maximum-length",
                     "is known for models of seq2seq train",
                     "leave it out, or add --source-vocabulary and --target-vocabulary");
  if (foreign.given() && !options.explain.empty())
    throw UsageError("--explain", "does not know the inside of an archive made by another program",
                     "leave it out");
  check_files(options);
}

/// A model and what turns text into its numbers and back: one of ours, or an archive known by its methods.
struct LoadedModel {
  std::optional<TranslationModel> ours;
  std::shared_ptr<const ScriptModel> foreign;
  TextCodecs text;  ///< of the latter
  bool has_attention() const { return ours ? ours->model->has_attention() : foreign->has_attention(); }
  Translator translator(const TranslateOptions& options) const;
};

std::shared_ptr<const TextCodec> read_codec(const std::string& file, WordsBy words) {
  if (file.ends_with(".model")) {
    const std::string model = read_file(file);
    return std::make_shared<const TextCodec>(SentencePieceTokenizerOptions{}, NormalizationOptions{}, model,
                                             Vocabulary(sentencepiece_tokens(model, file)));
  }
  TokenizerOptions tokenizer = WhitespaceTokenizerOptions{};
  if (words == WordsBy::word) tokenizer = WordTokenizerOptions{};
  if (words == WordsBy::character) tokenizer = CharTokenizerOptions{};
  return std::make_shared<const TextCodec>(tokenizer, NormalizationOptions{}, "", Vocabulary::load(file));
}

LoadedModel load(const TranslateOptions& options, const at::Device& device) {
  LoadedModel result;
  const ForeignOptions& foreign = options.foreign;
  if (!foreign.given()) {
    result.ours = load_model(options.model, device);
    return result;
  }
  result.text.source = read_codec(foreign.source_vocabulary, foreign.tokenizer);
  result.text.target = foreign.target_vocabulary == foreign.source_vocabulary
                           ? result.text.source
                           : read_codec(foreign.target_vocabulary, foreign.tokenizer);
  result.foreign =
      std::make_shared<ScriptModel>(find_model_file(options.model), result.text.source->vocabulary().size(),
                                    result.text.target->vocabulary().size(), device);
  result.text.form.copying = result.foreign->copies();
  return result;
}

Translator LoadedModel::translator(const TranslateOptions& options) const {
  if (ours) return make_translator(*ours, options.translator);
  const int64_t workers = foreign->device().is_cpu() ? at::get_num_threads() : 1;
  std::vector<std::unique_ptr<Scorer>> scorers;
  for (int64_t i = 0; i < workers; ++i) scorers.push_back(std::make_unique<ScriptScorer>(foreign));
  return Translator(text, options.foreign.maximum_length, std::move(scorers), options.translator);
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
  if (!options.explain.empty() && !model.has_attention())
    throw UsageError("--explain", "this model has no attention to explain by", "leave it out");
  SourceLines input(options.input);
  Translator translator = model.translator(options);
  auto window = input.read_window(translator.window());  // before the output is emptied
  std::optional<Explanations> explanations;
  if (!options.explain.empty()) explanations.emplace(options.explain);
  OutputLines output(options.output);

  using Clock = std::chrono::steady_clock;
  Clock::duration busy{};
  int64_t index = 0;
  for (; !window.empty(); window = input.read_window(translator.window())) {
    const auto start = Clock::now();
    std::string text;
    const auto translations = translator.translate(window);
    const int64_t first = index;
    for (const Translation& translation : translations)
      text += format_translation(translation, index++, options.translator.search.n_best, options.scores);
    output.write(text);
    if (explanations)
      for (size_t i = 0; i < translations.size(); ++i)
        explanations->write(*model.ours, translations[i], first + static_cast<int64_t>(i));
    busy += Clock::now() - start;
  }
  if (explanations) explanations->finish();
  const auto& counts = translator.counts();
  if (!options.quiet) log_info(summary(counts, std::max(1e-6, std::chrono::duration<double>(busy).count())));
  return counts.bad_lines > 0 ? 1 : 0;
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
      "  seq2seq translate --model run --input report.txt --explain copying.html\n"
      "  seq2seq translate --model foreign.pt --source-vocabulary en.txt --target-vocabulary de.txt");
  auto flags = std::make_shared<Flags<TranslateOptions>>(*command);
  command->callback([flags, &exit_code] {
    exit_code = run_translate(flags->resolve(), flags->patch().contains("translator.replace-unknown"));
  });
}

}  // namespace seq2seq
