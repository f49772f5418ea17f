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
  EXPECT_EQ(Vocabulary::load(write("d", "")).size(), Vocabulary::special_count);
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

}  // namespace
}  // namespace seq2seq
