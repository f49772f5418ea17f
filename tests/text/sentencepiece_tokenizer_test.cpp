#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sentencepiece_trainer.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "seq2seq/core/error.h"
#include "seq2seq/text/text_codec.h"
#include "seq2seq/text/utf8.h"
#include "seq2seq/text/white_space.h"
#include "text_support.h"

namespace seq2seq {
namespace {

using testing::HasSubstr;
using Words = std::vector<std::string>;

const Words& training_lines() {
  static const Words lines = [] {
    const Words subjects = {"The brown dog", "A young girl",    "An old man",  "Two children",
                            "Some workers",  "Der braune Hund", "Ein Mädchen", "Eine Gruppe",
                            "Zwei Kinder",   "Mehrere Arbeiter"};
    const Words verbs = {"walks",   "is running",  "jumps",  "läuft",
                         "springt", "was jumping", "spielt", "plays football"};
    const Words places = {"in the park",  "on the street",   "near a river", "at the beach",
                          "im Park",      "auf der Straße",  "am Fluß",      "am Strand",
                          "vor dem Haus", "behind the house"};
    Words result;
    for (const auto& subject : subjects)
      for (const auto& verb : verbs)
        for (const auto& place : places) result.push_back(subject + " " + verb + " " + place + ".");
    return result;
  }();
  return lines;
}

std::string train(int64_t size, const Words& lines = training_lines(), uint64_t seed = 1,
                  const SentencePieceTokenizerOptions& options = {},
                  const NormalizationOptions& normalization = {}) {
  size_t at = 0;
  return train_sentencepiece(
      [&](std::string& line) {
        if (at == lines.size()) return false;
        line = lines[at++];
        return true;
      },
      size, options, normalization, seed);
}

const std::string& model() {
  static const std::string bytes = train(100);
  return bytes;
}

std::unique_ptr<Tokenizer> make(const std::string& state, const NormalizationOptions& normalization = {}) {
  return make_tokenizer(SentencePieceTokenizerOptions{}, normalization, state);
}

// A model with settings that ours never have: another type, other ids of special symbols, byte fallback.
std::string foreign_model(const std::string& type, const std::string& byte_fallback) {
  struct Lines : sentencepiece::SentenceIterator {
    size_t at = 0;
    bool done() const override { return at == training_lines().size(); }
    void Next() override { ++at; }
    const std::string& value() const override { return training_lines()[at]; }
    sentencepiece::util::Status status() const override { return {}; }
  } lines;
  std::string bytes;
  const auto status = sentencepiece::SentencePieceTrainer::Train({{"model_type", type},
                                                                  {"vocab_size", "360"},
                                                                  {"hard_vocab_limit", "false"},
                                                                  {"byte_fallback", byte_fallback},
                                                                  {"unk_id", "0"},
                                                                  {"bos_id", "-1"},
                                                                  {"eos_id", "1"},
                                                                  {"pad_id", "-1"},
                                                                  {"user_defined_symbols", "<sep>,<pad>"},
                                                                  {"minloglevel", "3"}},
                                                                 &lines, &bytes);
  EXPECT_TRUE(status.ok()) << status.ToString();
  return bytes;
}

TEST(SentencePieceTokenizer, PiecesJoinToTheLine) {
  const auto tokenizer = make(model());
  size_t pieces = 0, characters = 0;
  for (const auto& line : training_lines()) {
    const auto tokens = tokenizer->tokenize(line);
    pieces += tokens.size();
    characters += utf8_characters(line).size();
    EXPECT_EQ(tokens.front().text.rfind("▁", 0), 0u);
    ASSERT_EQ(tokenizer->detokenize(texts_of(tokens)), line);
    ASSERT_EQ(texts_of(tokens), surfaces_of(tokens));
  }
  EXPECT_LT(pieces * 4, characters * 3);  // frequent strings have become pieces
  EXPECT_TRUE(tokenizer->tokenize("").empty());
}

TEST(SentencePieceTokenizer, WhiteSpaceOnlySeparates) {
  const auto tokenizer = make(model());
  const auto expected = tokenizer->tokenize("The dog jumps.");
  for (const std::string line :
       {"  The  dog\tjumps. ", "The\ndog\u00A0jumps.\n", "\u3000The dog\u2028jumps."}) {
    EXPECT_EQ(tokenizer->tokenize(line), expected) << line;
    EXPECT_EQ(tokenizer->detokenize(surfaces_of(tokenizer->tokenize(line))), "The dog jumps.");
  }
}

TEST(SentencePieceTokenizer, SurfacesJoinToAnyLine) {
  for (const auto& options : all_normalizations) {
    const auto tokenizer = make(model(), options);
    for (const auto& line : awkward_lines(500, 6))
      ASSERT_EQ(tokenizer->detokenize(surfaces_of(tokenizer->tokenize(line))), with_plain_spaces(line));
  }
}

TEST(SentencePieceTokenizer, IdsAgreeWithTheModels) {
  const auto tokens = sentencepiece_tokens(model());
  const TextCodec codec(SentencePieceTokenizerOptions{}, {}, model(), Vocabulary(tokens));
  EXPECT_EQ(codec.vocabulary().size(), 100);
  // SentencePiece's own ids, read through its own interface.
  sentencepiece::SentencePieceProcessor processor;
  ASSERT_TRUE(processor.LoadFromSerializedProto(model()).ok());
  ASSERT_EQ(processor.GetPieceSize(), 100);
  for (int id = 0; id < 100; ++id) EXPECT_EQ(codec.vocabulary().token(id), processor.IdToPiece(id));
  for (const auto& line : training_lines()) {
    const auto expected = processor.EncodeAsIds(line);
    ASSERT_EQ(codec.ids(line), std::vector<int64_t>(expected.begin(), expected.end()));
  }
}

TEST(SentencePieceTokenizer, UnknownCharactersKeepTheirText) {
  const auto tokenizer = make(model());
  const auto tokens = tokenizer->tokenize("The 犬猫 jumps.");
  const auto found = std::find(tokens.begin(), tokens.end(), Token{"犬猫", "犬猫"});
  EXPECT_NE(found, tokens.end());
  EXPECT_EQ(tokenizer->detokenize(texts_of(tokens)), "The 犬猫 jumps.");
  const TextCodec codec(SentencePieceTokenizerOptions{}, {}, model(),
                        Vocabulary(sentencepiece_tokens(model())));
  EXPECT_EQ(codec.ids(tokens)[static_cast<size_t>(found - tokens.begin())], Vocabulary::unknown);
  for (const int64_t id : codec.ids("<s> 犬 </s><pad>")) EXPECT_TRUE(id == 1 || id >= 4) << id;
}

TEST(SentencePieceTokenizer, SurfacesAreFromBeforeNormalization) {
  const auto tokenizer = make(train(80, training_lines(), 1, {}, {.nfkc = true, .lowercase = true}),
                              {.nfkc = true, .lowercase = true});
  const auto tokens = tokenizer->tokenize("ＴＨＥ Dog");
  EXPECT_EQ(tokenizer->detokenize(texts_of(tokens)), "the dog");
  EXPECT_EQ(tokenizer->detokenize(surfaces_of(tokens)), "ＴＨＥ Dog");
}

TEST(SentencePieceTokenizer, TrainingIsDeterministicAndWhiteSpaceDoesNotMatter) {
  Words spaced;
  for (const auto& line : training_lines()) {
    if (spaced.size() % 2 == 0) {
      spaced.push_back("  " + line + "  \t");
    } else {  // a line end within the text, and a no-break space
      spaced.back() += "\n" + line;
      spaced.back().replace(spaced.back().rfind(' '), 1, "\u00A0");
      spaced.emplace_back();
    }
  }
  EXPECT_EQ(train(100), model());
  EXPECT_EQ(train(100, spaced), model());
}

TEST(SentencePieceTokenizer, FrequentStringsBecomePieces) {
  EXPECT_THAT(sentencepiece_tokens(model()), testing::IsSupersetOf({"▁Ein", "▁Stra", "▁jump", "ing", "er"}));
}

TEST(SentencePieceTokenizer, CharacterCoverageLeavesOutRareCharacters) {
  Words lines = training_lines();
  lines.push_back("犬");
  SentencePieceTokenizerOptions most;
  most.character_coverage = 0.99;
  const auto has = [](const Words& tokens) {
    return std::find(tokens.begin(), tokens.end(), "犬") != tokens.end();
  };
  EXPECT_TRUE(has(sentencepiece_tokens(train(100, lines))));
  EXPECT_FALSE(has(sentencepiece_tokens(train(100, lines, 1, most))));
}

// The error message, and the number after `before` ("at most ", "at least ") in it.
std::pair<std::string, int64_t> refusal(int64_t size, const std::string& before) {
  try {
    train(size);
  } catch (const Error& error) {
    const std::string message = error.what();
    const size_t at = message.find(before);
    return {message, at == std::string::npos ? 0 : std::stoll(message.substr(at + before.size()))};
  }
  return {"none", 0};
}

TEST(SentencePieceTokenizer, ASizeIsABound) {
  const std::string usual = train(0);
  const int64_t most = Vocabulary(sentencepiece_tokens(usual)).size();
  ASSERT_GT(most, 100);
  testing::internal::CaptureStderr();
  EXPECT_EQ(train(8000), usual);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "SentencePiece model: the training text gives " +
                                                        std::to_string(most) +
                                                        " tokens, fewer than the 8,000 allowed\n");
  EXPECT_EQ(sentencepiece_tokens(train(most)), sentencepiece_tokens(usual));
  EXPECT_EQ(sentencepiece_tokens(train(most + 1)), sentencepiece_tokens(usual));
  EXPECT_EQ(sentencepiece_tokens(train(4'000'000'000)), sentencepiece_tokens(usual));

  const auto [small, least] = refusal(10, "at least ");
  ASSERT_GT(least, 10) << small;
  EXPECT_EQ(Vocabulary(sentencepiece_tokens(train(least))).size(), least);
  EXPECT_THROW(train(least - 1), Error);
  EXPECT_THROW(train(4), Error);
}

// SentencePiece would end the process, or tell its source line.
TEST(SentencePieceTokenizer, ATextWithoutWordsIsRefused) {
  for (const int64_t size : {0, 100})
    for (const std::string text :
         {"", "  ", "\u2581", "\u2581\u2581 \u2581", "\u2585", "\u2585\u2581 \u2585", "\u00A0\n"})
      EXPECT_THAT(
          [&] {
            train(size, {text, text});
          },
          testing::ThrowsMessage<Error>(HasSubstr("SentencePiece model: the training text has no word")))
          << text;
}

TEST(SentencePieceTokenizer, ReservedCharactersSeparateWords) {
  Words lines = training_lines(), marked;
  for (std::string line : lines) {
    for (size_t space = line.find(' '); space != std::string::npos; space = line.find(' ', space))
      line.replace(space, 1, marked.size() % 2 == 0 ? "\u2581" : "\u2585");
    marked.push_back(line);
  }
  EXPECT_EQ(train(100, marked), model());
  const auto tokenizer = make(model());
  for (const std::string text : {"\u2581", "\u2585", "a\u2585b", "\u2047", "\uFFFD", "\U0010FFFF", "\uFFFE"})
    EXPECT_NO_THROW(tokenizer->tokenize(text)) << text;
}

TEST(SentencePieceTokenizer, TheStateMakesItAgain) {
  const auto first = make(model());
  EXPECT_EQ(first->state(), model());
  const auto second = make(first->state());
  for (const auto& line : training_lines()) ASSERT_EQ(first->tokenize(line), second->tokenize(line));
}

TEST(SentencePieceTokenizer, ReadsAModelFile) {
  const auto path = std::filesystem::path(testing::TempDir()) / "sentencepiece_tokenizer_test.model";
  std::ofstream(path, std::ios::binary) << model();
  SentencePieceTokenizerOptions options;
  options.model = path.string();
  EXPECT_EQ(make_tokenizer(options, {})->state(), model());
  std::ofstream(path, std::ios::binary) << "no model";
  try {
    make_tokenizer(options, {});
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(path.string() + ": not a SentencePiece model"));
  }
  std::filesystem::remove(path);
  EXPECT_THROW(make_tokenizer(options, {}), Error);
  EXPECT_THROW(make_tokenizer(SentencePieceTokenizerOptions{}, {}), Error);
  EXPECT_THROW(sentencepiece_tokens(""), Error);
}

/// A field of a message of Protocol Buffers.
std::string field(int number, const std::string& content) {
  std::string size;
  size_t left = content.size();
  for (; left >= 0x80; left >>= 7) size += static_cast<char>(left | 0x80);
  return static_cast<char>(number << 3 | 2) + size + static_cast<char>(left) + content;
}
std::string number_bytes(auto value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}
/// The rules of a normalizer: an array of 256 units, of which the first leads to itself or, given `unit`, elsewhere.
std::string normalizer(uint32_t unit, const std::string& replacements, uint32_t array_bytes = 1024) {
  return field(
      3, field(2, number_bytes(array_bytes) + number_bytes(unit) + std::string(1020, '\0') + replacements));
}

// The library trusts what it reads: it would crash, or throw what is no Error.
TEST(SentencePieceTokenizer, ForgedModelsAreRefused) {
  const auto expect_refused = [](const std::string& addition, const std::string& reason) {
    try {
      sentencepiece_tokens(model() + addition, "a.model");
      ADD_FAILURE() << "accepted: " << testing::PrintToString(addition);
    } catch (const Error& error) {
      EXPECT_EQ(std::string(error.what()), "a.model: not a SentencePiece model" +
                                               (reason.empty() ? "" : " (" + reason + ")") +
                                               "; make one with 'seq2seq vocab --type sentencepiece'");
    }
  };
  EXPECT_NO_THROW(sentencepiece_tokens(model() + field(1, field(1, "piece of its own"))));
  expect_refused(field(1, ""), "a piece is empty");
  expect_refused(field(1, field(1, std::string("a\0b", 3))), "a text has a zero byte");
  expect_refused(field(1, field(1, "a\xff")), "a text is not valid UTF-8");
  expect_refused(field(1, field(1, "ab") + "\x15" + number_bytes(std::nanf(""))),
                 "a piece's score is not finite");
  expect_refused(field(1, field(1, "ab") + "\x18\x07"), "a piece is of an unknown type");
  expect_refused(field(1, field(1, "ab") + "\x1a\x01x"), "a field has another type than it should");
  expect_refused(field(1, field(1, "ab")) + field(1, field(1, "ab")), "");  // the library sees the repetition
  expect_refused(field(1, field(1, "ab")).substr(0, 4), "it ends in the middle");
  expect_refused("\x0b", "a field has no valid type");
  expect_refused(std::string(1, '\2'), "a field has no valid number");
  expect_refused("\x08" + std::string(12, '\xff'), "a number is too long");
  expect_refused(field(4, std::string(70'000, 'a')), "it has more than 64 KiB of texts to test itself with");
  const std::string outside = "its normalization leads out of itself",
                    damaged = "its normalization is damaged";
  EXPECT_NO_THROW(sentencepiece_tokens(model() + normalizer(0, std::string(1, '\0'))));
  expect_refused(normalizer(1U << 20, std::string(1, '\0')), outside);  // the array has 256 units
  expect_refused(normalizer(1U << 8 | 5U << 10, "ab"), damaged);        // no end
  expect_refused(normalizer(1U << 8, std::string("a\0", 2)), outside);  // at 256, of 2 bytes
  expect_refused(normalizer(0, std::string("\xff\0", 2)), damaged);
  expect_refused(normalizer(0, std::string(1, '\0'), 1020), damaged);
  expect_refused(normalizer(0, std::string(1, '\0'), 4096), damaged);
  EXPECT_THROW(sentencepiece_tokens(field(2, "")), Error);
  for (size_t length = 0; length < model().size(); length += 7) try {
      sentencepiece_tokens(model().substr(0, length));
    } catch (const Error&) {  // or it ends between two pieces
    }
}

TEST(SentencePieceTokenizer, ForeignModelsWork) {
  for (const char* type : {"bpe", "unigram", "char"}) {
    const std::string state = foreign_model(type, "false");
    const TextCodec codec(SentencePieceTokenizerOptions{}, {}, state,
                          Vocabulary(sentencepiece_tokens(state)));
    EXPECT_TRUE(codec.vocabulary().find("<sep>").has_value()) << type;
    for (const auto& line : training_lines()) {
      const auto tokens = codec.tokenize(line);
      ASSERT_EQ(codec.detokenize(texts_of(tokens)), line) << type;
      for (const int64_t id : codec.ids(tokens))
        ASSERT_GE(id, Vocabulary::special_count) << type << " " << line;
    }
    EXPECT_EQ(codec.ids("犬").back(), Vocabulary::unknown) << type;
  }
}

TEST(SentencePieceTokenizer, ForeignBytePiecesJoinToCharacters) {
  const std::string state = foreign_model("bpe", "true");
  const TextCodec codec(SentencePieceTokenizerOptions{}, {}, state, Vocabulary(sentencepiece_tokens(state)));
  const auto tokens = codec.tokenize("The 犬 jumps.");
  EXPECT_THAT(texts_of(tokens), testing::IsSupersetOf({"<0xE7>", "<0x8A>", "<0xAC>"}));
  EXPECT_EQ(codec.detokenize(texts_of(tokens)), "The 犬 jumps.");
  EXPECT_EQ(codec.detokenize(surfaces_of(tokens)), "The 犬 jumps.");
  for (const int64_t id : codec.ids(tokens)) EXPECT_GE(id, Vocabulary::special_count);
  EXPECT_EQ(codec.detokenize(Words{"▁a", "<0xE7>", "<0x8A>", "b"}), "a\uFFFD\uFFFDb");
}

}  // namespace
}  // namespace seq2seq
