#include "seq2seq/data/word_vectors.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "seq2seq/core/random.h"
#include "temporary_folder.h"

namespace seq2seq {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::StartsWith;

using Vectors = std::vector<std::pair<std::string, std::vector<float>>>;

class WordVectors : public testing::Test {
 protected:
  Vectors read(const std::string& path, int64_t width) const {
    Vectors vectors;
    read_word_vectors(path, width, [&](std::string_view token, std::span<const float> vector) {
      vectors.emplace_back(token, std::vector<float>(vector.begin(), vector.end()));
    });
    return vectors;
  }
  Vectors read_text(const std::string& text, int64_t width) const {
    return read(folder.write("vectors.txt", text), width);
  }
  std::string complaint(const std::string& name, const std::string& bytes, int64_t width) const {
    const std::string path = folder.write(name, bytes);
    const std::string message = error_of([&] { read(path, width); });
    EXPECT_THAT(message, StartsWith(folder.path("")));
    return message.substr(std::min(message.size(), folder.path("").size()));
  }
  const TemporaryFolder folder;
};

std::string bytes_of(const std::vector<float>& vector) {
  std::string bytes(vector.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), vector.data(), bytes.size());
  return bytes;
}

/// word2vec's binary form; `behind` stands behind each vector.
std::string binary(const Vectors& vectors, const std::string& header, const std::string& behind = "\n") {
  std::string bytes = header + "\n";
  for (const auto& [token, vector] : vectors) bytes += token + " " + bytes_of(vector) + behind;
  return bytes;
}

TEST_F(WordVectors, TheLastFieldsAreTheNumbers) {
  EXPECT_THAT(read_text("the 1 2\n. . . 3 4\nat name@example.org 5 6\nin 1 7 8\n", 2),
              ElementsAre(Pair("the", ElementsAre(1, 2)), Pair(". . .", ElementsAre(3, 4)),
                          Pair("at name@example.org", ElementsAre(5, 6)), Pair("in 1", ElementsAre(7, 8))));
  EXPECT_THAT(
      read_text("\xEF\xBB\xBFthe\t1\t2\r\na   3 \t 4  \r\n\r\n 5 6\n\u00A0 7 8\n12 9 10", 2),
      ElementsAre(Pair("the", ElementsAre(1, 2)), Pair("a", ElementsAre(3, 4)), Pair("", ElementsAre(5, 6)),
                  Pair("\u00A0", ElementsAre(7, 8)), Pair("12", ElementsAre(9, 10))));
  EXPECT_THAT(read_text("the 1\n5 1\n", 1),
              ElementsAre(Pair("the", ElementsAre(1)), Pair("5", ElementsAre(1))));
  EXPECT_THAT(read_text("5 2\n", 1), ElementsAre(Pair("5", ElementsAre(2))));
  EXPECT_TRUE(read_text("", 2).empty());
  EXPECT_TRUE(read_text("\n", 2).empty());
}

TEST_F(WordVectors, NumbersMayBeWrittenInEveryWay) {
  const Vectors vectors = read_text("a +0.1 -2.5e-3 1E2 .5 5. +0 1e-46 -1e-400 0.000e9 1e-40\n", 10);
  EXPECT_THAT(vectors.at(0).second, ElementsAre(0.1F, -2.5e-3F, 100, 0.5F, 5, 0, 0, 0, 0, 1e-40F));
  const std::string tiny = "0." + std::string(500, '0') + "1", tinier = "1e-99999999999999999999";
  EXPECT_THAT(read_text("a " + tiny + " " + tinier + "\n", 2).at(0).second, ElementsAre(0, 0));
  for (const char* number : {"nan", "inf", "-Infinity", "1e39", "+1e400", "1e99999999999999999999"})
    EXPECT_THAT(complaint("v", "a 1 2\nb 1 " + std::string(number) + "\n", 2),
                AllOf(StartsWith("v:2: '" + std::string(number) + "' is not finite"), HasSubstr("; take ")))
        << number;
  for (const char* number : {"zwei", "3x", "+-1", "++1", "0x10", "1,5", "-", "1e"})
    EXPECT_THAT(complaint("v", "a 1 2\nb 1 " + std::string(number) + "\n", 2),
                StartsWith("v:2: '" + std::string(number) + "' is not a number"))
        << number;
}

TEST_F(WordVectors, AHeaderIsNoVector) {
  EXPECT_THAT(read_text("2 3\nb 1 2 3 \na 4 5 6 \n", 3),
              ElementsAre(Pair("b", ElementsAre(1, 2, 3)), Pair("a", ElementsAre(4, 5, 6))));
  EXPECT_THAT(read_text("1 1\nb 7\n", 1), ElementsAre(Pair("b", ElementsAre(7))));
  // A wrong number of vectors is told, and trusted by nobody.
  for (const char* count : {"3", "18446744073709551615", "99999999999999999999999"}) {
    testing::internal::CaptureStderr();
    EXPECT_EQ(read_text(std::string(count) + " 2\nb 1 2\na 3 4\n", 2).size(), 2U);
    EXPECT_THAT(
        testing::internal::GetCapturedStderr(),
        AllOf(HasSubstr("vectors.txt: has 2 vectors, its first line says "), HasSubstr("file whole?\n")));
  }
}

TEST_F(WordVectors, AnotherWidthIsNamed) {
  const std::string remedy = "; give --embedding.size 3";
  EXPECT_THAT(complaint("v", "a 1 2 3\n", 2),
              AllOf(StartsWith("v:1: has 3 numbers, embedding.size is 2"), HasSubstr(remedy)));
  EXPECT_THAT(complaint("v", ". . 1 2 3\n", 2), AllOf(StartsWith("v:1: has 3 numbers"), HasSubstr(remedy)));
  EXPECT_THAT(complaint("v", "7 3\na 1 2 3\n", 2),
              AllOf(StartsWith("v:1: has 3 numbers"), HasSubstr(remedy)));
  EXPECT_THAT(complaint("v", binary({{"a", {1, 2, 3}}}, "1 3"), 2),
              AllOf(StartsWith("v:1: has 3"), HasSubstr(remedy)));
  EXPECT_THAT(complaint("v", "a 1 2\nb 1\n", 2),
              StartsWith("v:2: has 1 number, embedding.size is 2; make them"));
  EXPECT_THAT(complaint("v", "a 1 2 3\n", 4), AllOf(StartsWith("v:1: has 3 numbers"), HasSubstr(remedy)));
  EXPECT_THAT(complaint("v", "a\n", 2), StartsWith("v:1: has 0 numbers, embedding.size is 2; make them"));
}

TEST_F(WordVectors, TheBinaryFormIsRecognised) {
  const float tiny = std::numeric_limits<float>::denorm_min();
  const Vectors vectors{{"</s>", {0, 0, 0}}, {"ein", {0.1F, -2.5F, 3e20F}}, {"Häuschen", {tiny, 1, -0.0F}}};
  for (const char* behind : {"\n", ""}) {
    EXPECT_EQ(read(folder.write("v.bin", binary(vectors, "3 3", behind)), 3), vectors);
    EXPECT_EQ(read(folder.write_gz("v.bin.gz", binary(vectors, "3 3", behind)), 3), vectors);
  }
  EXPECT_EQ(read(folder.write_gz("v.vec.gz", "1 3\nein 1 2 3\n"), 3), (Vectors{{"ein", {1, 2, 3}}}));
  EXPECT_EQ(read(folder.write("v", binary({{"a", {0.5F}}}, "1 1")), 1), (Vectors{{"a", {0.5F}}}));
}

// Numbers of any bytes, line ends and spaces among them, and vectors over many blocks of the reader.
TEST_F(WordVectors, TheBinaryFormHoldsAnyBytes) {
  Random random(5);
  Vectors vectors;
  for (int i = 0; i < 300; ++i) {
    std::vector<float> vector(301);
    for (float& value : vector) {
      const uint32_t bits = static_cast<uint32_t>(random.next()) & 0xBFFFFFFF;  // finite
      std::memcpy(&value, &bits, sizeof value);
    }
    const uint32_t line_ends = 0x0A200A20;
    std::memcpy(&vector[static_cast<size_t>(i)], &line_ends, sizeof line_ends);
    vectors.emplace_back("w" + std::to_string(i), vector);
  }
  EXPECT_EQ(read(folder.write("v", binary(vectors, "300 301")), 301), vectors);
}

// Text whose tokens are not: cut in the middle of a character, or with control characters.
TEST_F(WordVectors, TextWithOddTokensIsText) {
  EXPECT_EQ(read_text("3 2\na 1 2\nb\xC3 1 2\nc\x01\x02 3 4\n", 2),
            (Vectors{{"a", {1, 2}}, {"b\xC3", {1, 2}}, {"c\x01\x02", {3, 4}}}));
}

TEST_F(WordVectors, ADamagedBinaryFileIsRefusedAtEveryLength) {
  const std::string whole = binary({{"ein", {1, 2}}, {"aus", {3, 4}}}, "2 2", "");
  for (size_t length = 5; length < whole.size(); ++length)
    EXPECT_NE(complaint("v", whole.substr(0, length), 2), "") << length;
  EXPECT_THAT(complaint("v", whole.substr(0, whole.size() - 1), 2), StartsWith("v: vector 2: is cut short"));
  EXPECT_THAT(complaint("v", whole + "x", 2),
              StartsWith("v: has more than 2 vectors, its first line says 2"));
  EXPECT_THAT(complaint("v", binary({{"ein", {1, 2}}}, "18446744073709551615 2"), 2),
              StartsWith("v: has 1 vectors, its first line says 18446744073709551615"));
  EXPECT_THAT(complaint("v", binary({{"ein", {1, 2}}, {std::string(5000, 'x'), {1, 2}}}, "2 2"), 2),
              StartsWith("v: vector 2: has no space behind its token"));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(complaint("v", binary({{"ein", {1, 2}}, {"aus", {3, nan}}}, "2 2"), 2),
              StartsWith("v: vector 2: nan is not finite"));
}

TEST_F(WordVectors, OtherFilesAreRefusedByName) {
  EXPECT_THAT(complaint("cc.bin", std::string("\xBA\x16\x4F\x2F\x0C\0\0\0", 8), 2),
              StartsWith("cc.bin: is a model of fastText; give its vectors"));
  EXPECT_THAT(complaint("v.zip", "PK\x03\x04\x14", 2), StartsWith("v.zip: is a zip archive; unpack it"));
  EXPECT_THAT(complaint("v", std::string("\x80\x03}q\0.", 6), 2), StartsWith("v: holds neither text nor"));
  EXPECT_THAT(complaint("none/v", "", 2), StartsWith("none/v: cannot be opened (No such file or directory)"));
}

}  // namespace
}  // namespace seq2seq
