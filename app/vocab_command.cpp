#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "commands.h"
#include "flags.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/log.h"
#include "seq2seq/data/example_line.h"
#include "seq2seq/data/line_reader.h"
#include "seq2seq/text/tokenizer.h"
#include "seq2seq/text/utf8.h"
#include "seq2seq/text/vocabulary.h"
#include "seq2seq/text/white_space.h"

namespace seq2seq {
namespace {

/// SentencePiece, then the tokenizers in the order of PlainTokenizer.
enum class VocabularyType { sentencepiece, word, character, whitespace };
std::span<const char* const> option_names(VocabularyType) {
  static const auto names = [] {
    std::vector<const char*> all{SentencePieceTokenizerOptions::type};
    for (const char* name : option_names(PlainTokenizer{})) all.push_back(name);
    return all;
  }();
  return names;
}

/// Of files that hold both.
enum class TextSide { both, source, target };
std::span<const char* const> option_names(TextSide) {
  static constexpr const char* names[] = {"both", "source", "target"};
  return names;
}

struct VocabOptions {
  std::vector<std::string> input;
  TextSide side = TextSide::both;
  ExampleKeys keys;
  VocabularyType type = VocabularyType::sentencepiece;
  std::string output;
  VocabularyOptions vocabulary;
  NormalizationOptions normalization;
  double character_coverage = 1.0;
  int64_t seed = 1;

  static void fields(auto& o, auto& f) {
    f("input", o.input,
      "text files, one sentence per line, or .tsv or .jsonl with source and target; each may be .gz; - for "
      "standard input",
      everyday);
    f("side", o.side, "which texts of .tsv and .jsonl files count",
      only_if(o.has_examples(), "name .tsv or .jsonl files with --input"));
    const OptionCondition of_json_lines = only_if(o.reads_json_lines(), "give a .jsonl file");
    f("source-key", o.keys.source, source_key_help, of_json_lines);
    f("target-key", o.keys.target, target_key_help, of_json_lines);
    f("type", o.type, "what a token is", everyday);
    f("output", o.output,
      "file to write: the SentencePiece model, or the vocabulary of words or characters (JSON if the name "
      "ends in .json, else one token per line)",
      everyday);
    f.group("vocabulary", o.vocabulary, GroupFlags::plain);
    f.also(&o.vocabulary.minimum_frequency,
           only_if(o.type != VocabularyType::sentencepiece, "set --size instead"));
    f.group("normalization", o.normalization, GroupFlags::plain);
    f("character-coverage", o.character_coverage,
      "sentencepiece: share of the text's characters that get a token; less than 1 leaves out the rarest",
      in_range(0.98, 1.0), only_if(o.type == VocabularyType::sentencepiece, "add --type sentencepiece"));
    f("seed", o.seed, "sentencepiece: seed of the sample drawn from a text of more than a million words",
      at_least(0), noted_unless(o.type == VocabularyType::sentencepiece, "without --type sentencepiece"));
  }
  bool has_examples() const { return std::any_of(input.begin(), input.end(), has_example_format); }
  bool reads_json_lines() const { return std::any_of(input.begin(), input.end(), has_json_lines); }
  void check() const;
};

void VocabOptions::check() const {
  if (input.empty()) throw UsageError("--input", "no file is given", "name the text to count");
  if (output.empty()) throw UsageError("--output", "no file is given", "name the file to write");
  std::error_code missing;
  for (const std::string& file : input)
    if (std::filesystem::equivalent(file, output, missing))
      throw UsageError("--output", "is the input, which would be overwritten", "name another file");
}

/// The texts of all files: their lines, or the chosen sides of their examples. Throws Error for one that is
/// not valid.
class InputTexts {
 public:
  explicit InputTexts(const VocabOptions& options) : options_(options) {}

  bool next(std::string& text) {
    if (second_) {
      text = std::move(*second_);
      second_.reset();
      return true;
    }
    if (!next_line(text)) return false;
    if (const std::string& file = options_.input[file_ - 1]; has_example_format(file)) {
      RawExample example =
          parse_example(text, example_format(file), reader_->place(), needed(), options_.keys, &notes_);
      text = std::move(options_.side == TextSide::target ? example.target : example.source);
      if (options_.side == TextSide::both) second_ = std::move(example.target);
    }
    return true;
  }
  int64_t lines() const { return lines_; }

 private:
  TargetField needed() const {
    if (options_.side == TextSide::both) return TargetField::required;
    return options_.side == TextSide::source ? TargetField::optional : TargetField::alone;
  }
  bool next_line(std::string& line) {
    while (true) {
      if (!reader_) {
        if (file_ == options_.input.size()) return false;
        reader_ = std::make_unique<LineReader>(options_.input[file_++]);
        notes_ = {};
      }
      if (reader_->next(line)) break;
      reader_.reset();
    }
    if (reader_->too_long()) throw Error(reader_->place(), "the line is over 1 MiB", "split it");
    if (const auto at = find_invalid_utf8(line))
      throw Error(reader_->place(), "not valid UTF-8 at byte " + std::to_string(*at + 1), utf8_remedy);
    ++lines_;
    return true;
  }

  const VocabOptions& options_;
  std::unique_ptr<LineReader> reader_;
  ExampleNotes notes_;                 // of the present file
  std::optional<std::string> second_;  // of the same example
  size_t file_ = 0;
  int64_t lines_ = 0;
};

void report(const VocabOptions& options, int64_t tokens, int64_t lines, const TokenCounts& counts,
            const std::function<bool(const std::string&)>& covers, const char* unit) {
  int64_t total = 0, covered = 0;
  for (const auto& [token, count] : counts) {
    total += count;
    if (covers(token)) covered += count;
  }
  // Rounded down, so that 100% means all.
  const double share =
      total == 0 ? 100.0
                 : std::floor(1e4 * static_cast<double>(covered) / static_cast<double>(total)) / 100.0;
  char percent[16];
  std::snprintf(percent, sizeof percent, "%.2f%%", share);
  log_info(options.output + ": " + format_count(tokens) + " tokens cover " + percent + " of the running " +
           unit + " (" + format_count(total) + " in " + format_count(lines) + " lines)");
}

void make_sentencepiece(const VocabOptions& options) {
  InputTexts texts(options);
  std::unordered_map<char32_t, int64_t> characters;
  const auto next_line = [&](std::string& line) {
    if (!texts.next(line)) return false;
    line = normalize(with_plain_spaces(line), options.normalization);
    for (const char32_t point : utf8_decode(line))
      if (point != U' ') ++characters[point];
    return true;
  };
  SentencePieceTokenizerOptions training;
  training.character_coverage = options.character_coverage;
  const std::string model = train_sentencepiece(next_line, options.vocabulary.size, training, {},
                                                static_cast<uint64_t>(options.seed));
  write_file(options.output, model);

  const Vocabulary vocabulary(sentencepiece_tokens(model));
  TokenCounts counts;
  for (const auto& [point, count] : characters) counts.emplace(utf8_encode(std::u32string(1, point)), count);
  report(
      options, vocabulary.size(), texts.lines(), counts,
      [&](const std::string& character) { return vocabulary.find(character).has_value(); }, "characters");
}

void make_vocabulary(const VocabOptions& options) {
  const auto tokenizer = make_tokenizer(
      tokenizer_of(static_cast<PlainTokenizer>(static_cast<int>(options.type) - 1)), options.normalization);
  InputTexts texts(options);
  TokenCounts counts;
  for (std::string text; texts.next(text);)
    for (const Token& token : tokenizer->tokenize(text)) ++counts[token.text];
  if (counts.empty()) throw Error("--input", "the text is empty", "name files with text");
  const Vocabulary vocabulary = Vocabulary::from_counts(counts, options.vocabulary);
  vocabulary.save(options.output);
  report(
      options, vocabulary.size(), texts.lines(), counts,
      [&](const std::string& token) { return vocabulary.find(token).has_value(); },
      options.type == VocabularyType::character ? "characters" : "words");
}

int run_vocab(const VocabOptions& options) {
  options.check();
  if (options.type == VocabularyType::sentencepiece) {
    make_sentencepiece(options);
  } else {
    make_vocabulary(options);
  }
  return 0;
}

}  // namespace

RunCommand add_vocab(CLI::App& command) {
  describe(command,
           "sentencepiece trains a subword model (unigram) and writes the model file; word, char and "
           "whitespace (text tokenized by another program) count tokens and write a vocabulary, most "
           "frequent first. Give the files of both languages, or one that holds both, to build one "
           "vocabulary that source and target share. --nfkc and --lowercase must be the same in training; "
           "'seq2seq train' builds its vocabularies itself if none are given.",
           "Examples:\n"
           "  seq2seq vocab --input train.en train.de --type sentencepiece \\\n"
           "    --size 8000 --output joint.model\n"
           "  seq2seq vocab --input train.en.gz --type word --size 30000 \\\n"
           "    --output en.json");
  return run_with_flags(command, run_vocab);
}

}  // namespace seq2seq
