#include "seq2seq/text/vocabulary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"

namespace seq2seq {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using testing::StrEq;
using Words = std::vector<std::string>;

Words tokens_of(const Vocabulary& vocabulary) {
  Words tokens;
  for (int64_t id = Vocabulary::special_count; id < vocabulary.size(); ++id)
    tokens.push_back(vocabulary.token(id));
  return tokens;
}

class VocabularyFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) /
              (std::string("vocabulary_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }
  /// The error message of loading `text`, without the folder.
  std::string complaint(const std::string& name, const std::string& text) const {
    try {
      Vocabulary::load(write(name, text));
    } catch (const Error& error) {
      const std::string message = error.what();
      EXPECT_THAT(message, StartsWith(folder_.string() + "/"));
      return message.substr(folder_.string().size() + 1);
    }
    return "none";
  }
  /// What the log says of reading `text`, without the folder.
  std::string told(const std::string& name, const std::string& text) const {
    const std::string file = write(name, text);
    testing::internal::CaptureStderr();
    Vocabulary::load(file);
    std::string log = testing::internal::GetCapturedStderr();
    for (size_t at; (at = log.find(folder_.string() + "/")) != std::string::npos;)
      log.erase(at, folder_.string().size() + 1);
    return log;
  }
  std::filesystem::path folder_;
};

TEST(Vocabulary, SpecialTokensComeFirst) {
  const Vocabulary vocabulary(Words{"b", "a"});
  EXPECT_EQ(vocabulary.size(), 6);
  EXPECT_EQ(vocabulary.token(Vocabulary::padding), "<pad>");
  EXPECT_EQ(vocabulary.token(Vocabulary::unknown), "<unk>");
  EXPECT_EQ(vocabulary.token(Vocabulary::begin), "<s>");
  EXPECT_EQ(vocabulary.token(Vocabulary::end), "</s>");
  EXPECT_EQ(vocabulary.id("b"), 4);
  EXPECT_EQ(vocabulary.id("a"), 5);
  EXPECT_EQ(vocabulary.id("c"), Vocabulary::unknown);
  EXPECT_EQ(vocabulary.find("c"), std::nullopt);
  EXPECT_EQ(vocabulary.find("</s>"), Vocabulary::end);
}

TEST(Vocabulary, RefusesWhatIsNoToken) {
  EXPECT_THROW(Vocabulary(Words{"a", "b", "a"}), Error);
  EXPECT_THROW(Vocabulary(Words{""}), Error);
  EXPECT_THROW(Vocabulary(Words{"a", "<s>"}), Error);
  EXPECT_THROW(Vocabulary(Words{"\xC3"}), Error);
}

TEST(Vocabulary, CopiesStandAlone) {
  auto original = std::make_unique<Vocabulary>(Words{"x", "a-rather-long-token-on-the-heap"});
  const Vocabulary copy = *original;
  Vocabulary assigned;
  assigned = *original;
  const Vocabulary moved = std::move(*original);
  original.reset();
  for (const auto* vocabulary : {&copy, const_cast<const Vocabulary*>(&assigned), &moved}) {
    EXPECT_EQ(vocabulary->id("x"), 4);
    EXPECT_EQ(vocabulary->id("a-rather-long-token-on-the-heap"), 5);
    EXPECT_TRUE(*vocabulary == copy);
  }
}

TEST(Vocabulary, CountsGiveTheMostFrequentFirstAndTiesInOrder) {
  const TokenCounts counts = {{"c", 5}, {"b", 5}, {"rare", 1}, {"a", 9}, {"z", 2}, {"ä", 5}, {"<unk>", 99}};
  EXPECT_EQ(tokens_of(Vocabulary::from_counts(counts, {})), (Words{"a", "b", "c", "ä", "z", "rare"}));
  EXPECT_EQ(tokens_of(Vocabulary::from_counts(counts, {.size = 0, .minimum_frequency = 2})),
            (Words{"a", "b", "c", "ä", "z"}));
  EXPECT_EQ(tokens_of(Vocabulary::from_counts(counts, {.size = 0, .minimum_frequency = 6})), (Words{"a"}));
  EXPECT_EQ(tokens_of(Vocabulary::from_counts(counts, {.size = 6, .minimum_frequency = 1})),
            (Words{"a", "b"}));
  EXPECT_EQ(Vocabulary::from_counts(counts, {.size = 7, .minimum_frequency = 6}).size(), 5);
  EXPECT_THROW(Vocabulary::from_counts(counts, {.size = 4, .minimum_frequency = 1}), Error);
}

TEST_F(VocabularyFile, SavesAndLoadsBothFormats) {
  const Vocabulary vocabulary(Words{"▁der", "\"", "\\", "￭,", "a b", "😀"});
  for (const char* name : {"v.json", "v.txt"}) {
    vocabulary.save(path(name));
    EXPECT_TRUE(Vocabulary::load(path(name)) == vocabulary) << name;
  }
  EXPECT_EQ(read_file(path("v.txt")), "<pad>\n<unk>\n<s>\n</s>\n▁der\n\"\n\\\n￭,\na b\n😀\n");
  EXPECT_TRUE(Vocabulary::from_json(vocabulary.to_json(), "test") == vocabulary);
}

TEST_F(VocabularyFile, PlainTextCannotHoldTabs) {
  const Vocabulary vocabulary(Words{"a\tb", "c\n", "d\r"});
  EXPECT_THROW(vocabulary.save(path("v.txt")), Error);
  EXPECT_FALSE(std::filesystem::exists(path("v.txt")));
  vocabulary.save(path("v.json"));
  EXPECT_TRUE(Vocabulary::load(path("v.json")) == vocabulary);
}

TEST_F(VocabularyFile, AcceptsWhatOtherProgramsWrite) {
  EXPECT_EQ(tokens_of(Vocabulary::load(write("a", "b\na"))), (Words{"b", "a"}));
  EXPECT_EQ(tokens_of(Vocabulary::load(write("b", "<unk>\r\n<s>\r\n</s>\r\nb\t12\r\na\t3\r\n"))),
            (Words{"b", "a"}));
  EXPECT_EQ(tokens_of(Vocabulary::load(write("c",
                                             "\xEF\xBB\xBF"
                                             "b\na\n"))),
            (Words{"b", "a"}));
  EXPECT_EQ(tokens_of(Vocabulary::load(write("e.json", R"({"format": 1, "tokens": ["b", "a"]})"))),
            (Words{"b", "a"}));
}

TEST_F(VocabularyFile, ErrorsNameTheLine) {
  EXPECT_THAT(complaint("v", "a\nb\na\n"), StartsWith("v:3: the token 'a' occurs twice"));
  EXPECT_THAT(complaint("v", "a\n\nb\n"), StartsWith("v:2: an empty token"));
  EXPECT_THAT(complaint("v", "<s>\na\n</s>\n"), StartsWith("v:3: the special token '</s>'"));
  EXPECT_THAT(complaint("v", "a\t1\nb\tx\n"), StartsWith("v:2: 'x' is not a count"));
  EXPECT_THAT(complaint("v", "a\nb\xFF\n"), StartsWith("v:2: the token is not valid UTF-8"));
  EXPECT_THAT(complaint("v.json", "{\"format\": 1,\n\"tokens\": [\n\"a\" \"b\"]}"), StartsWith("v.json:3"));
  EXPECT_THAT(complaint("v.json", R"({"format": 1, "tokens": ["a", 7]})"),
              StartsWith("v.json: tokens[1]: 7"));
  EXPECT_THAT(complaint("v.json", R"({"format": 1, "tokens": ["a", "a"]})"), StartsWith("v.json: tokens[1]"));
  EXPECT_THAT(complaint("v.json", R"({"format": 2, "tokens": []})"), HasSubstr("format 2"));
  EXPECT_THAT(complaint("v.json", R"({"tokens": []})"), HasSubstr("format is missing"));
  EXPECT_THAT(complaint("v.json", R"({"format": 1, "tokens": [], "x": 1})"), HasSubstr("'x'"));
  EXPECT_THAT(complaint("v.json", "[1]"), HasSubstr("not a vocabulary"));
  EXPECT_THROW(Vocabulary::load(path("missing")), Error);
}

TEST_F(VocabularyFile, OneWithoutTokensIsRefused) {
  const std::string remedy = "; give the vocabulary of the text";
  for (const char* text : {"", "\xEF\xBB\xBF"})
    EXPECT_EQ(complaint("v.txt", text), "v.txt: lists no tokens" + remedy);
  EXPECT_EQ(complaint("v.json", R"({"format": 1, "tokens": []})"), "v.json: lists no tokens" + remedy);
  const std::string special = ": lists no tokens but special ones" + remedy;
  EXPECT_EQ(complaint("v.txt", "<pad>\n<unk>\n<s>\n</s>\n"), "v.txt" + special);
  EXPECT_EQ(complaint("v", "<blank>\n<s>\n</s>\n"), "v" + special);
  EXPECT_EQ(complaint("v.json", R"({"format": 1, "tokens": ["<pad>", "<unk>", "<s>", "</s>"]})"),
            "v.json" + special);
  EXPECT_EQ(complaint("ids.json", R"({"</s>": 0, "<unk>": 1})"), "ids.json" + special);
}

// What `vocab` writes is read token by token, whatever the tokens look like.
TEST_F(VocabularyFile, OurOwnFilesAreNotTakenForOthers) {
  for (const Words& tokens : {Words{"the 5", "a 3"}, Words{"a: 0", "b: 1"}, Words{"<blank>", "eos", "UNK"},
                              Words{"[PAD]", "[UNK]", "[CLS]", "[SEP]"}, Words{"{\"a\": 1}"},
                              Words{"New York", " "}, Words{"#version: 0.2"}}) {
    const Vocabulary vocabulary(tokens);
    for (const char* name : {"v.json", "v.txt", "v.yml"}) {
      vocabulary.save(path(name));
      EXPECT_EQ(tokens_of(Vocabulary::load(path(name))), tokens) << name;
    }
    EXPECT_EQ(tokens_of(Vocabulary::from_json(vocabulary.to_json(), "test")), tokens);
  }
  EXPECT_EQ(told("v.txt", "<pad>\n<unk>\n<s>\n</s>\na\n"), "");
  EXPECT_EQ(told("v.json", R"({"format": 1, "tokens": ["a"]})"), "");
  // Without the special tokens: a list of any program, whose tokens may look like marks of other formats.
  for (const Words& tokens :
       {Words{"{", "}"}, Words{"[", "1", "]"}, Words{"a:", "1"}, Words{"eos", "UNK"}, Words{"<blank>", "a"},
        Words{"---", "#"}, Words{"a:0", "b:1"}, Words{"1", "2"}, Words{"[PAD]", "[UNK]"}}) {
    std::string text;
    for (const std::string& token : tokens) text += token + "\n";
    EXPECT_EQ(tokens_of(Vocabulary::load(write("list.txt", text))), tokens) << text;
    EXPECT_EQ(tokens_of(Vocabulary::load(write("list.yml", text))), tokens) << text;
  }
}

TEST_F(VocabularyFile, DictionariesOfFairseq) {
  const std::string dictionary = "the 512\nNew@@ 7\n▁a 7\n</s> 3 #fairseq:overwrite\nmadeupword0000 0";
  const Words tokens{"the", "New@@", "▁a", "madeupword0000"};
  EXPECT_EQ(tokens_of(Vocabulary::load(write("dict.en.txt", dictionary + "\n"))), tokens);
  EXPECT_EQ(tokens_of(Vocabulary::load(write("dict", "\xEF\xBB\xBF" + dictionary))), tokens);
  EXPECT_EQ(tokens_of(Vocabulary::load(write("dos", "the 5\r\na 4\r\n"))), (Words{"the", "a"}));
  EXPECT_EQ(told("dict.en.txt", dictionary),
            "dict.en.txt: read as a dictionary of fairseq; tokens: 4; special ones: </s>\n");
  EXPECT_EQ(told("dict.en.txt", "the 5\n"),
            "dict.en.txt: read as a dictionary of fairseq; tokens: 1; special ones: none listed\n");
  EXPECT_THAT(complaint("v", "the 5\na\n"),
              StartsWith("v:2: 'a' is not a word, a space and a count, as line 1"));
  EXPECT_THAT(complaint("v", "the 5\nNew York 4\n"), StartsWith("v:2: 'New York 4' is not a word"));
  EXPECT_THAT(complaint("v", "the 5\n\na 4\n"), StartsWith("v:2: '' is not a word"));
  EXPECT_THAT(complaint("v", "the 5\na -4\n"), StartsWith("v:2: 'a -4' is not a word"));
  EXPECT_THAT(complaint("v", "the 5\na 4\nthe 3\n"), StartsWith("v:3: the token 'the' occurs twice"));
}

TEST_F(VocabularyFile, VocabulariesOfMarian) {
  const std::string yaml =
      "</s>: 0\n<unk>: 1\n\"\\\"\": 3\nthe: 2\n':': 4\n'it''s': 5\n\"\\t\\\\\\u00e9\\U0001F600\\xA7\\_\": 6\n"
      "12: 7\n\": 8\": 8\na#b: 9\n~: 10\n";
  const Words tokens{"the", "\"", ":", "it's", "\t\\é😀§\u00A0", "12", ": 8", "a#b", "~"};
  EXPECT_EQ(tokens_of(Vocabulary::load(write("vocab.yml", "---\n# made by hand\n\n" + yaml + "...\n"))),
            tokens);
  EXPECT_EQ(tokens_of(Vocabulary::load(write("vocab.txt", "\xEF\xBB\xBF" + yaml))), tokens);
  EXPECT_EQ(told("vocab.yml", yaml),
            "vocab.yml: read as a vocabulary of Marian (token: id); tokens: 9; special ones: </s>, <unk>\n");
  EXPECT_EQ(
      told("old.yml", "eos: 0\nUNK: 1\na: 2"),
      "old.yml: read as a vocabulary of Marian (token: id); tokens: 1; special ones: eos as </s>, UNK as <unk>\n");
  EXPECT_EQ(tokens_of(Vocabulary::load(write("v.yml", "{\"</s>\": 0, \"<unk>\": 1,\n \"a\": 3, \"b\": 2}"))),
            (Words{"b", "a"}));
  EXPECT_THAT(complaint("v.yml", "a: 0\nb 1\n"), StartsWith("v.yml:2: 'b 1' is not 'token: id'"));
  EXPECT_THAT(complaint("v.yml", "a: 0\nb: x\n"), StartsWith("v.yml:2: 'b: x' is not 'token: id'"));
  EXPECT_THAT(complaint("v.yml", "a: 0\n\"b: 1\n"), StartsWith("v.yml:2: '\"b' is not a text in quotes"));
  EXPECT_THAT(complaint("v.yml", "a: 0\n\"\\q\": 1\n"), StartsWith("v.yml:2: '\"\\q\"' is not a text"));
  EXPECT_THAT(complaint("v.yml", "a: 0\n\"\\ud800\": 1\n"),
              StartsWith("v.yml:2: '\"\\ud800\"' is not a text"));
  EXPECT_THAT(complaint("v.yml", "a: 0\nb: 1\na: 2\n"), StartsWith("v.yml:3: the token 'a' occurs twice"));
  EXPECT_THAT(complaint("v.yml", "a: 0\nb: 1\nc: 1\n"), StartsWith("v.yml: 'b' and 'c' both have the id 1"));
}

TEST_F(VocabularyFile, GapsInIdsAreTold) {
  EXPECT_THAT(told("v.yml", "a: 0\nb: 5\n"),
              HasSubstr("warning: v.yml: no token has the id 1, though 5 is one: is the file whole?\n"));
  EXPECT_THAT(told("v.json", R"({"a": 1})"), HasSubstr("no token has the id 0, though 1 is one"));
  EXPECT_EQ(tokens_of(Vocabulary::load(path("v.yml"))), (Words{"a", "b"}));
}

TEST_F(VocabularyFile, VocabulariesOfHuggingFace) {
  const std::string json = R"({"</s>": 0, "<unk>": 1, "▁the": 3, "tokens": 2, "format": 4, "<pad>": 5})";
  for (const char* name : {"vocab.json", "vocab"})
    EXPECT_EQ(tokens_of(Vocabulary::load(write(name, json))), (Words{"tokens", "▁the", "format"})) << name;
  EXPECT_EQ(
      told("vocab.json", json),
      "vocab.json: read as a vocabulary of Hugging Face or Marian ({\"token\": id}); tokens: 3; special "
      "ones: </s>, <unk>, <pad>\n");
  EXPECT_THAT(
      told("bert.json", R"({"[PAD]": 0, "a": 1, "[UNK]": 2, "[CLS]": 3, "[SEP]": 4, "[MASK]": 5})"),
      HasSubstr("; tokens: 2; special ones: [PAD] as <pad>, [UNK] as <unk>, [CLS] as <s>, [SEP] as </s>\n"));
  EXPECT_EQ(tokens_of(Vocabulary::load(write("list.json", R"(["<unk>", "<s>", "</s>", "b", "a"])"))),
            (Words{"b", "a"}));
  EXPECT_THAT(complaint("v.json", R"({"a": 0, "b": 1, "a": 2})"), HasSubstr("'a' occurs twice"));
  EXPECT_THAT(complaint("v.json", R"({"a": 0, "b": 0})"),
              StartsWith("v.json: 'a' and 'b' both have the id 0"));
  EXPECT_THAT(complaint("v.json", R"({"a": 0, "b": -1})"), StartsWith("v.json: 'b': -1 is not an id"));
  EXPECT_THAT(complaint("v.json", R"({"a": 0, "b": 1.5})"), StartsWith("v.json: 'b': 1.5 is not an id"));
  EXPECT_THAT(complaint("v.json", R"({"a": 0, "b": 18446744073709551615})"), HasSubstr("is not an id"));
  EXPECT_THAT(complaint("v.json", R"({"a": 0, "": 1})"), StartsWith("v.json: '': an empty token"));
  EXPECT_THAT(complaint("v.json", R"({"version": "1.0", "model": {"type": "BPE", "vocab": {"a": 0}}})"),
              StartsWith("v.json: is a tokenizer of Hugging Face, not a vocabulary; give its vocab.json"));
  EXPECT_THAT(complaint("v.json", R"({"bos_token": "<s>"})"), HasSubstr("not a vocabulary"));
  EXPECT_THAT(complaint("v.json", "{}"), HasSubstr("not a vocabulary"));
}

// Keys in time in proportion to their number times its logarithm: a quadratic reader takes minutes.
TEST_F(VocabularyFile, ReadsManyIds) {
  std::string json = "{";
  for (int id = 0; id < 200000; ++id)
    json += (id == 0 ? "\"w" : ",\"w") + std::to_string(id) + "\":" + std::to_string(id);
  const Vocabulary vocabulary = Vocabulary::load(write("v.json", json + "}"));
  EXPECT_EQ(vocabulary.size(), 200004);
  EXPECT_EQ(vocabulary.id("w123456"), 123460);
}

TEST_F(VocabularyFile, VocabulariesOfOpenNmt) {
  EXPECT_EQ(
      told("src.vocab", "<unk>\n<blank>\n<s>\n</s>\nthe\n"),
      "src.vocab: read as a vocabulary of OpenNMT; tokens: 1; special ones: <unk>, <blank> as <pad>, <s>, </s>\n");
  EXPECT_EQ(tokens_of(Vocabulary::load(path("src.vocab"))), Words{"the"});
  EXPECT_EQ(tokens_of(Vocabulary::load(write("tf", "<blank>\n<s>\n</s>\nthe\n<blank>x\n"))),
            (Words{"the", "<blank>x"}));
  EXPECT_EQ(tokens_of(Vocabulary::load(write("old", "<unk>\t0\r\n<blank>\t0\r\nthe\t12\r\n"))), Words{"the"});
  EXPECT_EQ(told("counts", "the\t12\na\t7\n"),
            "counts: read as a list of tokens; tokens: 2; special ones: none listed\n");
  EXPECT_EQ(
      told("bert.txt", "[PAD]\n[unused0]\n[UNK]\n[CLS]\n[SEP]\nthe\n##s\n"),
      "bert.txt: read as a list of tokens; tokens: 3; special ones: [PAD] as <pad>, [UNK] as <unk>, [CLS] as <s>, "
      "[SEP] as </s>\n");
  EXPECT_THAT(complaint("v", "<unk>\n<blank>\nthe\n</s>\n"), StartsWith("v:4: the special token '</s>'"));
}

TEST_F(VocabularyFile, PiecesOfSentencePiece) {
  const std::string pieces = "<unk>\t0\n<s>\t0\n</s>\t0\n▁the\t-3.28\n▁\t-1e-05\ns\t-4\n";
  EXPECT_EQ(tokens_of(Vocabulary::load(write("joint.vocab", pieces))), (Words{"▁the", "▁", "s"}));
  EXPECT_EQ(
      told("joint.vocab", pieces),
      "joint.vocab: read as SentencePiece's pieces, for text that is split into such; tokens: 3; special ones: "
      "<unk>, <s>, </s>\n");
  EXPECT_EQ(tokens_of(Vocabulary::load(write("bpe.vocab", "<unk>\t0\n▁t\t-0\nhe\t-1"))), (Words{"▁t", "he"}));
  EXPECT_THAT(complaint("v", "a\t-1.5\nb\n"), StartsWith("v:2: 'b' has no score behind a tab"));
  EXPECT_THAT(complaint("v", "a\t-1.5\nb\tx\n"), StartsWith("v:2: 'b\\tx' has no score behind a tab"));
}

TEST_F(VocabularyFile, WhatIsNoVocabularyIsRefusedByName) {
  EXPECT_THAT(complaint("v", "a\nNew York\nb\n"),
              StartsWith("v:2: 'New York' holds a space, which no token does"));
  EXPECT_THAT(complaint("v", "a\nb 5\n"), StartsWith("v:2: 'b 5' holds a space"));
  EXPECT_THAT(complaint("v", "New York\t5\n"), StartsWith("v:1: 'New York' holds a space"));
  EXPECT_THAT(complaint("v", "the 0.1 -0.2\na 0.3 0.4\n"), StartsWith("v:1: 'the 0.1 -0.2' holds a space"));
  EXPECT_THAT(complaint("v", " 512 the\n 7 a\n"), StartsWith("v:1: ' 512 the' holds a space"));
  EXPECT_THAT(complaint("v", "a\rb\rc\r"),
              StartsWith("v:1: a carriage return inside a line; end lines in LF"));
  EXPECT_THAT(complaint("v", "#version: 0.2\nt h\nth e</w>\n"),
              StartsWith("v: holds merge operations of byte-pair"));
  EXPECT_THAT(complaint("v.txt.gz", std::string("\x1F\x8B\x08\0\0", 5)),
              StrEq("v.txt.gz: is packed with gzip; unpack it: gzip -dc FILE > TEXT"));
  EXPECT_THAT(complaint("v.txt", std::string("\x1F\x8B\x08\0\0", 5)),
              StrEq("v.txt: is packed with gzip; unpack it: gzip -dc FILE > TEXT"));
  EXPECT_THAT(complaint("v.zst", "\x28\xB5\x2F\xFD"), StartsWith("v.zst: is packed with zstd; unpack it: "));
  EXPECT_THAT(complaint("v", std::string("\xFF\xFE"
                                         "a\0",
                                         4)),
              StrEq("v: is in UTF-16, not in UTF-8; convert it: iconv -f UTF-16 -t UTF-8 FILE > TEXT"));
  EXPECT_THAT(
      complaint("joint.model", std::string("\n\x0E\n\x05<unk>\x15\0\0\0\0", 13)),
      StartsWith("joint.model: is a SentencePiece model, not a list of tokens; give it with --tokenizer"));
  EXPECT_THAT(complaint("v.pt", std::string("\x80\x02}q\0", 5)), StartsWith("v.pt: is no text"));
}

}  // namespace
}  // namespace seq2seq
