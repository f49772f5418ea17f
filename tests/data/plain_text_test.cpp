// Files that are no plain text in UTF-8, as training, `check` and the reader of streams tell of them.

#include "seq2seq/core/plain_text.h"

#include <gmock/gmock.h>

#include "seq2seq/data/corpus.h"
#include "seq2seq/data/corpus_check.h"
#include "seq2seq/data/line_reader.h"
#include "temporary_folder.h"

namespace seq2seq {
namespace {

using std::string_literals::operator""s;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

/// What `check` says, its line breaks undone.
std::string findings_of(const CorpusFiles& files) {
  CheckSettings settings;
  settings.train = files;
  std::string text = check_corpora(settings).text;
  text.erase(0, text.find("Findings"));
  std::string joined;
  for (const char c : text)
    if (c != '\n' && c != ' ')
      joined += c;
    else if (!joined.ends_with(' '))
      joined += ' ';
  return joined;
}

class PlainTextTest : public testing::Test {
 protected:
  /// The same error in training, in `check` and in a stream.
  void expect_fault(const std::string& name, const std::string& bytes, const std::string& problem,
                    const std::string& remedy) {
    SCOPED_TRACE(problem);
    const CorpusFiles files{folder.write("t.txt", "one\n"), folder.write(name, bytes), ""};
    const std::string path = folder.path(name);
    EXPECT_EQ(error_of([&] { Corpus{files}; }), path + ": " + problem + "; " + remedy);
    const auto read = [&] {
      LineReader reader(path);
      for (std::string line; reader.next(line);) continue;
    };
    EXPECT_EQ(error_of(read), path + ": " + problem + "; " + remedy);
    const std::string found = findings_of(files);
    EXPECT_THAT(found, AllOf(HasSubstr(name + ": " + problem), HasSubstr("-> " + remedy)));
  }
  TemporaryFolder folder;
};

TEST_F(PlainTextTest, PackedFilesAreNamedWithTheirRemedy) {
  const std::string rest(300, 'x');
  expect_fault("a.xz",
               "\xFD"
               "7zXZ\0"s +
                   rest,
               "is packed with xz", "unpack it: xz -dc FILE > TEXT");
  expect_fault("a.zst", "\x28\xB5\x2F\xFD" + rest, "is packed with zstd", "unpack it: zstd -dc FILE > TEXT");
  expect_fault("a.bz2", "BZh91AY&SY" + rest, "is packed with bzip2", "unpack it: bzip2 -dc FILE > TEXT");
  expect_fault("a.zip", "PK\x03\x04" + rest, "is a zip archive", "unpack it: unzip -p FILE > TEXT");
  expect_fault("a.7z", "7z\xBC\xAF\x27\x1C" + rest, "is a 7z archive", "unpack it: 7z x -so FILE > TEXT");
  expect_fault("a.lz4", "\x04\x22\x4D\x18" + rest, "is packed with lz4", "unpack it: lz4 -dc FILE > TEXT");
  expect_fault("a.tar", "a.txt" + std::string(252, '\0') + "ustar" + rest, "is a tar archive",
               "unpack it: tar -xOf FILE > TEXT");
  expect_fault("a.en", "\x1F\x8B" + rest, "is packed with gzip",
               "unpack it: gzip -dc FILE > TEXT, or add .gz to its name");
  expect_fault("b.gz",
               "\xFD"
               "7zXZ\0"s +
                   rest,
               "is packed with xz", "unpack it: xz -dc FILE > TEXT");
}

TEST_F(PlainTextTest, PackedExamplesAreNamedAsWell) {
  const std::string path = folder.write("a.jsonl.xz",
                                        "\xFD"
                                        "7zXZ\0"s);
  EXPECT_THAT(error_of([&] {
                Corpus({"", "", path});
              }),
              StartsWith(path + ": is packed with xz; unpack it: "));
  EXPECT_THAT(error_of([&] {
                Corpus({"", "", folder.path("none.jsonl.xz")});
              }),
              HasSubstr("its format is unknown"));
}

TEST_F(PlainTextTest, AnArchiveInsideAPackedFileIsNamed) {
  folder.write_gz("t.tar.gz", "a.txt" + std::string(252, '\0') + "ustar  ");
  EXPECT_THAT(error_of([&] {
                Corpus({folder.path("t.tar.gz"), folder.write("t.de", "a\n"), ""});
              }),
              HasSubstr("t.tar.gz: is a tar archive"));
}

TEST_F(PlainTextTest, WideEncodingsAreNamedWithTheirRemedy) {
  const auto widen = [](const std::string& text, size_t before, size_t behind) {
    std::string wide;
    for (const char c : text) wide += std::string(before, '\0') + c + std::string(behind, '\0');
    return wide;
  };
  const std::string text = "a house, a man, a bird\n";
  const auto expect = [&](const std::string& bytes, const std::string& encoding) {
    expect_fault("a.en", bytes, "is in " + encoding + ", not in UTF-8",
                 "convert it: iconv -f " + encoding + " -t UTF-8 FILE > TEXT");
  };
  expect("\xFF\xFE" + widen(text, 0, 1), "UTF-16");
  expect("\xFE\xFF" + widen(text, 1, 0), "UTF-16");
  expect("\xFF\xFE\0\0"s + widen(text, 0, 3), "UTF-32");
  expect("\0\0\xFE\xFF"s + widen(text, 3, 0), "UTF-32");
  expect(widen(text, 0, 1), "UTF-16LE");
  expect(widen(text, 1, 0), "UTF-16BE");
  expect(widen(text, 0, 3), "UTF-32LE");
  expect(widen(text, 3, 0), "UTF-32BE");
}

TEST_F(PlainTextTest, TextIsTakenForNothingElse) {
  for (const std::string& text :
       {"BZh is no word\n"s, "PK\n"s, "LZIP packs\n"s, "7z\n"s, "a\0b\n"s, "\xEF\xBB\xBFone\n"s,
        std::string(8, '\0'), std::string(257, 'm') + "ustard\n"})
    EXPECT_EQ(error_of([&] { require_plain_text(text, "t"); }), "") << text;
}

TEST_F(PlainTextTest, CarriageReturnsAloneAreNamed) {
  const std::string problem = "its lines end in carriage returns (CR) alone, so that it is all one line";
  const std::string remedy = R"(convert it: tr '\r' '\n' < FILE > TEXT)";
  expect_fault("a.en", "one\rtwo\rthree\r", problem, remedy);
  std::string many;
  while (many.size() < 3 * maximum_line_bytes) many += "a line of some words\r";
  expect_fault("b.en", many, problem, remedy);
  // Whoever appends a line feed makes one line of it all the same.
  const CorpusFiles files{folder.write("c.en", "one\rtwo\r\n"), folder.write("c.de", "eins\n"), ""};
  EXPECT_THAT(error_of([&] { Corpus{files}; }), StartsWith(folder.path("c.en") + ": " + problem));
  EXPECT_THAT(findings_of(files), HasSubstr("c.en: " + problem));
}

TEST_F(PlainTextTest, ACarriageReturnAmongLinesIsText) {
  const Corpus corpus(
      {folder.write("a.en", "one\rtwo\nthree\r"), folder.write("a.de", "eins\r\nzwei\n"), ""});
  EXPECT_EQ(corpus.at(0).source, "one\rtwo");
  EXPECT_EQ(corpus.at(1).source, "three");
  EXPECT_EQ(Corpus({folder.write("b.en", "one\r"), folder.write("b.de", "eins\r\n"), ""}).at(0).source,
            "one");
}

TEST_F(PlainTextTest, InvalidUtf8HasARemedyThatWorks) {
  EXPECT_THAT(
      error_of([&] {
        Corpus({folder.write("a.en", "gr\xFC\xDF\n"), folder.write("a.de", "a\n"), ""});
      }),
      HasSubstr("a.en:1: not valid UTF-8 at byte 3 of the line; convert it from the encoding that it is "
                "in, for example: iconv -f WINDOWS-1252 -t UTF-8 FILE > TEXT"));
}

// gzip ignores what follows its data, but for zeros that would be text that is lost.
TEST_F(PlainTextTest, BytesBehindGzipDataAreNoTextThatGetsLost) {
  const auto gzip_of = [&](const std::string& text) {
    std::ifstream in(folder.write_gz("packed.gz", text), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  const std::string one = gzip_of("one\n"), two = gzip_of("two\n"), zeros(1000, '\0');
  expect_fault("a.gz", one + "two\n", "holds other bytes behind its gzip data",
               "if they are no text, leave them out: gzip -dc FILE | gzip > NEW.gz");
  expect_fault("b.gz", one + zeros + two, "holds other bytes behind its gzip data",
               "if they are no text, leave them out: gzip -dc FILE | gzip > NEW.gz");
  const CorpusFiles files{folder.write("c.gz", one + two + zeros), folder.write("c.de", "eins\nzwei\n"), ""};
  EXPECT_EQ(Corpus(files).at(1).source, "two");
  EXPECT_THAT(findings_of(files), HasSubstr("Findings none"));
  LineReader reader(folder.path("c.gz"));
  std::string line;
  EXPECT_TRUE(reader.next(line) && reader.next(line));
  EXPECT_EQ(line, "two");
  EXPECT_FALSE(reader.next(line));
}

}  // namespace
}  // namespace seq2seq
