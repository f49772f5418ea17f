// Readers of text, JSON and SentencePiece models.
#include <zlib.h>

#include "input_file.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/random.h"
#include "seq2seq/data/corpus.h"
#include "seq2seq/data/grammar.h"
#include "seq2seq/data/line_reader.h"
#include "seq2seq/decode/source_lines.h"
#include "seq2seq/text/text_codec.h"
#include "seq2seq/text/vocabulary.h"
#include "target_groups.h"

namespace seq2seq::fuzz {
namespace {

using Seeds = std::vector<std::string>;

// As `train` reads a corpus, and as `translate` reads the same file.
void read_examples(const std::string& name, std::string_view bytes) {
  const std::string path = input_file(name, bytes);
  SourceLines lines(path);
  for (int windows = 0; windows < 20 && !lines.read_window(64).empty(); ++windows)
    continue;  // each line alone
  const Corpus corpus({.source = {}, .target = {}, .combined = path});
  for (uint64_t i = 0; i < corpus.size(); ++i) corpus.at(i);
}

void read_json_lines(std::string_view bytes) {
  read_examples("examples.jsonl", bytes);
}
Seeds json_lines_seeds() {
  return {source_file("tests/compatibility/14fe82e/corpus/lines.jsonl"),
          source_file("data/reports/test.jsonl").substr(0, 8000),
          R"({"source": ["One.", "Two."], "target": "x", "references": ["y", "z"], "id": 1e3})"
          "\n"
          R"({"source": "\ud83d\ude00\u0000", "target": null})"};
}

Seeds json_lines_large() {
  std::string keys = R"({"source": "a", "target": "b")", texts = R"({"target": "b", "source": [)";
  for (int i = 0; i < 80'000; ++i) {
    keys += ",\"k" + std::to_string(i) + "\":0";
    texts += "\"a\",";
  }
  return {keys + "}", texts + "\"\"]}", R"({"source": "a", "target": )" + std::string(500'000, '[')};
}

void read_tsv(std::string_view bytes) {
  read_examples("examples.tsv", bytes);
}
Seeds tsv_seeds() {
  return {
      "a b\tc d\r\n\xEF\xBB\xBF"
      "e\tf\n\tg\n",
      "\xEF\xBB\xBF"
      "ein\tone\nzwei\ttwo"};
}

// Parallel text, tokenized in every way and joined again.
void read_text(std::string_view bytes) {
  const std::string path = input_file("lines.txt", bytes);
  const Corpus corpus({.source = path, .target = path, .combined = {}});
  constexpr size_t most_tokenized = size_t{1} << 16;  // tokens take more than text
  static const std::vector<TextCodec> codecs = [] {
    std::vector<TextCodec> all;
    for (const auto kind : {PlainTokenizer::word, PlainTokenizer::character, PlainTokenizer::whitespace})
      for (const bool normalized : {false, true})
        all.emplace_back(tokenizer_of(kind),
                         NormalizationOptions{.nfkc = normalized, .lowercase = normalized}, "",
                         Vocabulary(std::vector<std::string>{"a"}));
    return all;
  }();
  size_t bytes_tokenized = 0;
  for (uint64_t i = 0; i < corpus.size(); ++i) {
    const std::string line = corpus.at(i).source;
    if ((bytes_tokenized += line.size() + 1) > most_tokenized) return;
    for (const TextCodec& codec : codecs) {
      std::vector<std::string> texts;
      for (const Token& token : codec.tokenize(line)) texts.push_back(token.text);
      codec.detokenize(texts);
    }
  }
}
Seeds text_seeds() {
  return {source_file("data/translation/test.de").substr(0, 4000),
          "a\u0301 \u4e2d\u6587 \U0001F468\u200D\U0001F469 \u2581\uFFED\r\n"};
}

void read_gz(std::string_view bytes) {
  const std::string path = input_file("lines.txt.gz", bytes);
  const auto read_lines = [&] {
    LineReader reader(path);
    for (std::string line; reader.next(line);) continue;
  };
  try {
    read_lines();
  } catch (const Error&) {  // Corpus must find it damaged as well
  }
  const Corpus corpus({.source = path, .target = path, .combined = {}});
  for (uint64_t i = 0; i < corpus.size(); ++i) corpus.at(i);
}
std::string gzipped(const std::string& text) {
  const std::string path = (input_folder() / "seed.gz").string();
  gzFile file = ::gzopen(path.c_str(), "wb");
  ::gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
  ::gzclose(file);
  return source_file(path);
}
Seeds gz_seeds() {
  return {gzipped("one\ntwo\n"), gzipped("one\n") + gzipped("two"), gzipped(std::string(100'000, 'a')),
          gzipped("")};
}

// The name of a vocabulary tells its format.
void read_vocabulary(std::string_view bytes) {
  for (const char* name : {"vocabulary.txt", "vocabulary.json", "vocabulary.yml"}) try {
      Vocabulary::load(input_file(name, bytes));
    } catch (const Error&) {  // the next format
    }
}
Seeds vocabulary_seeds() {
  return {"<pad>\n<unk>\n<s>\n</s>\nHaus\t17\nein\t3\n", "Haus 17\nein 3\nmadeupword0000 0\n",
          "\"</s>\": 0\n\"<unk>\": 1\nHaus: 2\n\"\\u00e4\": 3\n",
          R"({"format": 1, "tokens": ["<pad>", "<unk>", "<s>", "</s>", "Haus", "\u00e4"]})",
          R"({"</s>": 0, "<unk>": 1, "Haus": 2})"};
}

void read_grammar(std::string_view bytes) {
  // Features multiply, in data/reports.grammar.json as well: what they may take is said, rather than bounded by the file.
  const Grammar grammar = Grammar::parse(std::string(bytes), "grammar.json", size_t{8} << 20);
  Random random(1);
  for (int i = 0; i < 3; ++i) grammar.sample(random);
}
Seeds grammar_seeds() {
  return {source_file("data/translation.grammar.json"), source_file("data/copying.grammar.json"),
          source_file("data/summarization.grammar.json")};
}

Seeds grammar_large() {
  // A chain of symbols, the last first and the first first; a symbol of many forms; features of many values.
  std::string down = R"({"start": "A0", "rules": {)", up, choices, values, expansion;
  constexpr int count = 20'000;
  for (int i = 0; i < count; ++i) {
    const std::string rule = "\"A" + std::to_string(i) + "\": [{\"source\": \"" +
                             (i + 1 < count ? "{A" + std::to_string(i + 1) + "}" : "a") +
                             "\", \"target\": \"\"}]";
    down += (i > 0 ? "," : "") + rule;
    up = rule + (i > 0 ? "," : "") + up;
    choices += std::string(i > 0 ? "," : "") + R"({"source": "a", "target": "{B.p}"})";
    values += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\"";
  }
  down += "}}";
  up = R"({"start": "A0", "maximum_depth": 1000, "rules": {)" + up + "}}";
  choices =
      R"({"start": "A", "rules": {"B": [{"source": "", "target": {"p": "b"}}], "A": [)" + choices + "]}}";
  const std::string features =
      R"({"start": "A", "features": {"f": [)" + values + R"(]}, "rules": {"A": [{"source": )";
  expansion = features + R"("{B[f1,f2,f3]}", "target": ""}], "B[f,f,f]": [{"source": "b", "target": ""}]}})";
  // Sentences that grow without bound.
  const std::string doubling =
      R"({"start": "A", "maximum_depth": 1000, "rules": {"A": [{"weight": 1e9, "source": "{A:1}{A:1}{A:2}", "target": ""},
          {"source": "a", "target": ""}]}})";
  return {down, up, choices, expansion, doubling};
}

void read_sentencepiece(std::string_view bytes) {
  const std::string model(bytes);
  const std::vector<std::string> tokens = sentencepiece_tokens(model, "file.model");
  const auto tokenizer = make_tokenizer(SentencePieceTokenizerOptions{}, {}, model);
  for (const char* line : {"", "ein Haus", "\u2581 \u00e4\u4e2d\U0001F468  x\t"}) {
    std::vector<std::string> texts;
    for (const Token& token : tokenizer->tokenize(line)) texts.push_back(token.text);
    tokenizer->detokenize(texts);
  }
  tokenizer->detokenize(tokens);
}
Seeds sentencepiece_seeds() {
  Seeds seeds;
  for (const double coverage : {1.0, 0.98}) {
    int line = 0;
    seeds.push_back(train_sentencepiece(
        [&](std::string& text) {
          text = "ein Haus und noch ein Haus " + std::to_string(line % 7);
          return line++ < 50;
        },
        0, {.model = {}, .character_coverage = coverage}, {}, 1));
  }
  return seeds;
}

constexpr Target text_table[] = {
    {"json_lines", read_json_lines, json_lines_seeds, json_lines_large},
    {"tsv", read_tsv, tsv_seeds},
    {"text", read_text, text_seeds},
    {"gz", read_gz, gz_seeds},
    {"vocabulary", read_vocabulary, vocabulary_seeds},
    {"grammar", read_grammar, grammar_seeds, grammar_large},
    {"sentencepiece", read_sentencepiece, sentencepiece_seeds},
};

}  // namespace

std::span<const Target> text_targets() {
  return text_table;
}

}  // namespace seq2seq::fuzz
