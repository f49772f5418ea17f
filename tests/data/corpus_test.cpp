#include "seq2seq/data/corpus.h"

#include <gmock/gmock.h>

#include "seq2seq/data/example_line.h"
#include "seq2seq/data/filter.h"
#include "seq2seq/data/fingerprint.h"
#include "seq2seq/data/unpacked_copy.h"
#include "temporary_folder.h"

namespace seq2seq {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CorpusTest : public testing::Test {
 protected:
  std::string fault(const std::string& source, const std::string& target) {
    return error_of([&] { Corpus({folder.write("a.en", source), folder.write("a.de", target), ""}); });
  }
  std::string combined_fault(const std::string& name, const std::string& text) {
    return error_of([&] { Corpus({"", "", folder.write(name, text)}); });
  }
  TemporaryFolder folder;
};

TEST_F(CorpusTest, ReadsParallelText) {
  const Corpus corpus({folder.write("a.en", "one\r\ntwo words\n\n"),
                       folder.write("a.de",
                                    "eins\nzwei Wörter\n"
                                    "drei"),
                       ""});
  ASSERT_EQ(corpus.size(), 3u);
  EXPECT_EQ(corpus.at(0).source, "one");
  EXPECT_EQ(corpus.at(1).target, "zwei Wörter");
  EXPECT_EQ(corpus.at(2).source, "");
  EXPECT_EQ(corpus.at(2).target, "drei");
  EXPECT_EQ(corpus.place(1, true), folder.path("a.de") + ":2");
  EXPECT_EQ(corpus.files().describe(), folder.path("a.en") + " + " + folder.path("a.de"));
}

TEST_F(CorpusTest, ReadsTsvAndJsonLines) {
  const Corpus tsv({"", "", folder.write("a.tsv", "one\teins\ntwo\t\n")});
  EXPECT_EQ(tsv.at(0).target, "eins");
  EXPECT_EQ(tsv.at(1).target, "");

  const Corpus json({"", "", folder.write("a.jsonl", R"({"source": "one", "target": "eins", "id": 7}
{"source": ["A b.", "C."], "target": "d", "references": ["e", "f"]}
)")});
  EXPECT_EQ(json.at(0).source, "one");
  EXPECT_THAT(json.at(0).source_sentences, IsEmpty());
  EXPECT_EQ(json.at(1).source, "A b. C.");
  EXPECT_THAT(json.at(1).source_sentences, ElementsAre("A b.", "C."));
  EXPECT_THAT(json.at(1).references, ElementsAre("e", "f"));
}

// The texts of a line of JSON, and what is told.
std::string read_as(const std::string& line, const ExampleKeys& keys = {},
                    TargetField target = TargetField::required) {
  const RawExample example = parse_example(line, ExampleFormat::json_lines, "x:1", target, keys);
  return example.source + " > " + example.target;
}

TEST_F(CorpusTest, TakesUsualKeys) {
  EXPECT_EQ(read_as(R"({"src": "a", "tgt": "b"})"), "a > b");
  EXPECT_EQ(read_as(R"({"id": "x", "article": "a", "highlights": "b"})"), "a > b");
  EXPECT_EQ(read_as(R"({"document": "a", "summary": "b"})"), "a > b");
  EXPECT_EQ(read_as(R"({"src": "c", "tgt": "d", "source": "a", "target": "b"})"), "a > b");
  EXPECT_EQ(read_as(R"({"source": "cnn", "article": "a", "highlights": "b"})"), "a > b");
  EXPECT_EQ(read_as(R"({"source": "a", "summary": "b"})"), "a > b");
  EXPECT_EQ(read_as(R"({"source_id": 7, "sources": ["x"], "source": "a", "target": "b"})"), "a > b");
  EXPECT_EQ(read_as(R"({"article": "a"})", {}, TargetField::optional), "a > ");
}

TEST_F(CorpusTest, TakesTheKeysGiven) {
  const ExampleKeys nested{"translation.en", "translation.de"};
  EXPECT_EQ(read_as(R"({"translation": {"en": "a", "de": "b"}, "source": "c"})", nested), "a > b");
  EXPECT_EQ(read_as(R"({"translation.en": "a", "translation": {"en": "c", "de": "b"}})", nested), "a > b");
  EXPECT_EQ(read_as(R"({"x": {"y": {"z": "a"}}, "target": "b"})", {"x.y.z"}), "a > b");
  EXPECT_EQ(read_as(R"({"text": ["a", "\u00A0", "b"], "tgt": "c"})", {"text"}), "a b > c");
  const auto refused = [&](const std::string& line) { return error_of([&] { read_as(line, nested); }); };
  EXPECT_THAT(refused(R"({"translation": {"en": "a", "fr": "b"}, "target": "c"})"),
              HasSubstr("x:1: no 'translation.de'"));
  EXPECT_THAT(refused(R"({"translation": "a", "source": "b", "target": "c"})"),
              HasSubstr("x:1: no 'translation.en'"));
  // Those of a model are only preferred.
  const ExampleKeys preferred{"article", "highlights", false};
  EXPECT_EQ(read_as(R"({"source": "cnn", "article": "a", "highlights": "b", "target": "c"})", preferred),
            "a > b");
  EXPECT_EQ(read_as(R"({"source": "a", "target": "b"})", preferred), "a > b");
}

TEST_F(CorpusTest, TellsOnceWhatItReads) {
  const auto told = [&](const std::string& text, const ExampleKeys& keys = {}) {
    const CorpusFiles files{"", "", folder.write("k.jsonl", text), keys};
    testing::internal::CaptureStderr();
    const Corpus corpus(files);
    EXPECT_EQ(corpus.at(0).source, "a");
    return testing::internal::GetCapturedStderr();
  };
  EXPECT_EQ(told("{\"source\": \"a\", \"target\": \"b\", \"sources\": 1, \"id\": 2}\n"), "");
  const std::string article = "{\"article\": \"a\", \"highlights\": \"b\"}\n";
  EXPECT_EQ(told(article + article),
            folder.path("k.jsonl") + ":1: read as source: 'article', as target: 'highlights'\n");
  EXPECT_EQ(told(article, {"article", "highlights"}), "");
  const std::string near = "{\"source\": \"a\", \"target\": \"b\", \"reference\": \"c\"}\n";
  const std::string line = told(near + near);
  EXPECT_THAT(line, HasSubstr("k.jsonl:1: the key 'reference' is not read; did you mean 'references'?\n"));
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  const Corpus corpus({"", "", folder.write("k.jsonl", article)});
  EXPECT_EQ(corpus.other_keys().source, "article");
  EXPECT_EQ(corpus.other_keys().target, "highlights");
  EXPECT_TRUE(Corpus({"", "", folder.write("k.jsonl", near)}).other_keys().empty());
}

TEST_F(CorpusTest, NamesBothFilesAndCountsWhenLinesDiffer) {
  EXPECT_THAT(fault("a\nb\n", "a\nb\nc\n"), AllOf(HasSubstr("a.en has 2 lines"), HasSubstr("a.de has 3")));
}

TEST_F(CorpusTest, NamesThePlaceOfAFault) {
  EXPECT_THAT(fault("a\nab\xC3(\n", "a\nb\n"), HasSubstr("a.en:2: not valid UTF-8 at byte 3"));
  EXPECT_THAT(fault("a\n", std::string(maximum_line_bytes + 1, 'x')),
              HasSubstr("a.de:1: the line has 1048577 bytes"));
  EXPECT_EQ(fault("a\n", std::string(maximum_line_bytes, 'x')), "");
  EXPECT_THAT(fault("", "a\n"), HasSubstr("a.en: is empty"));
  EXPECT_THAT(combined_fault("a.tsv", "a\tb\nc\n"), HasSubstr("a.tsv:2: no tab"));
  EXPECT_THAT(combined_fault("a.tsv", "a\tb\tc\n"), HasSubstr("a.tsv:1: more than one tab"));
  EXPECT_THAT(combined_fault("a.jsonl", "{\"source\": \"a\", \"target\": \"b\"}\n{\"source\": \"a\"\n"),
              HasSubstr("a.jsonl:2: not valid JSON at byte "));
  EXPECT_THAT(combined_fault("a.jsonl", R"({"source": "a", "target": "b", "score": 1e999})"),
              HasSubstr("a.jsonl:1: not valid JSON (a number is out of range); write a smaller one"));
  EXPECT_THAT(combined_fault("a.jsonl", R"({"source": "a"})"), HasSubstr("a.jsonl:1: no 'target'"));
  EXPECT_THAT(combined_fault("a.jsonl", R"({"source": 5, "target": "b"})"),
              HasSubstr("'source' holds number"));
  EXPECT_THAT(combined_fault("a.jsonl", R"({"source": ["a", 1], "target": "b"})"),
              HasSubstr("'source' holds number"));
  EXPECT_THAT(combined_fault("a.jsonl", R"({"source": "a", "target": "b", "target": "c"})"),
              HasSubstr("a.jsonl:1: the key 'target' occurs twice; remove one of them"));
  EXPECT_THAT(combined_fault("a.jsonl", R"({"source": "a", "targets": "b"})"),
              HasSubstr("a.jsonl:1: no 'target'; did you mean 'targets'? then give --target-key targets"));
  EXPECT_THAT(combined_fault("a.jsonl", R"({"text": "a", "target": "b"})"),
              HasSubstr("a.jsonl:1: no 'source'; every line needs one; --source-key names another key"));
  EXPECT_THAT(combined_fault("a.jsonl", "[1]"), HasSubstr("holds array, not an object"));
  EXPECT_THAT(combined_fault("a.txt", "a\tb\n"), HasSubstr("name it .tsv or .jsonl"));
}

TEST_F(CorpusTest, RefusesHalfOfTheFilesAndDirectories) {
  EXPECT_THAT(error_of([&] {
                Corpus({folder.write("a.en", "a\n"), "", ""});
              }),
              HasSubstr("target: is missing"));
  EXPECT_THAT(error_of([&] {
                Corpus({folder.path("."), folder.path("."), ""});
              }),
              HasSubstr("not a regular file"));
}

TEST_F(CorpusTest, TargetIsOptionalInTranslation) {
  EXPECT_EQ(parse_example("only source", ExampleFormat::tsv, "x:1", TargetField::optional).source,
            "only source");
  EXPECT_EQ(
      parse_example(R"({"source": "s"})", ExampleFormat::json_lines, "x:1", TargetField::optional).source,
      "s");
  EXPECT_THAT(error_of([] {
                parse_example(R"({"target": "s"})", ExampleFormat::json_lines, "x:1", TargetField::optional);
              }),
              HasSubstr("x:1: no 'source'"));
}

TEST_F(CorpusTest, UnpacksGzipOnceAndAgainWhenItChanges) {
  const std::string source = folder.write_gz("a.en.gz", "one\ntwo\n");
  const std::string target = folder.write("a.de", "eins\nzwei\n");
  EXPECT_EQ(Corpus({source, target, ""}).at(1).source, "two");
  const std::string copy = unpacked_copy(source).path;
  EXPECT_TRUE(copy.starts_with(folder.cache().string()));
  const auto made = std::filesystem::last_write_time(copy);
  EXPECT_EQ(Corpus({source, target, ""}).at(0).source, "one");
  EXPECT_EQ(std::filesystem::last_write_time(copy), made);

  folder.write_gz("a.en.gz", "uno\ndue\n");
  std::filesystem::last_write_time(source, made + std::chrono::seconds(10));
  EXPECT_EQ(Corpus({source, target, ""}).at(0).source, "uno");
  EXPECT_FALSE(std::filesystem::exists(copy));
}

// Whether it has just been unpacked or is so already; zeros may fill up its last block.
TEST_F(CorpusTest, TheFingerprintOfGzipIsThatOfThePackedFile) {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += std::to_string(i * 7919) + "\n";
  const std::string source = folder.write_gz("a.en.gz", text), target = folder.write("a.de", text);
  std::ofstream(source, std::ios::binary | std::ios::app) << std::string(1000, '\0');
  const FileFingerprint packed = fingerprint_of(source), plain = fingerprint_of(target);
  ASSERT_GT(packed.bytes, 100'000U);  // more than a block
  for (const bool unpacked : {false, true}) {
    SCOPED_TRACE(unpacked);
    const Corpus corpus({source, target, ""});
    EXPECT_EQ(corpus.fingerprints().front().name, "a.en.gz");
    EXPECT_TRUE(corpus.fingerprints().front().same_content(packed));
    EXPECT_TRUE(corpus.text_fingerprints().front().same_content(plain));
  }
}

TEST_F(CorpusTest, LeavesNoCopyOfDamagedGzip) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += std::to_string(i * 7919) + "\n";
  const std::string source = folder.write_gz("a.en.gz", text);
  std::filesystem::resize_file(source, 2000);
  testing::internal::CaptureStderr();
  EXPECT_THAT(error_of([&] {
                Corpus({source, folder.write("a.de", text), ""});
              }),
              HasSubstr("ends in the middle of its compressed data"));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::Not(HasSubstr("unpacked into")));
  EXPECT_TRUE(std::filesystem::is_empty(folder.cache() / "seq2seq"));
}

TEST_F(CorpusTest, FindsDuplicatesButTheFirst) {
  const Corpus corpus({"", "", folder.write("a.tsv", "a\tb\nab\tc\na\tbc\na\tb\na\tc\na\tb\n")});
  EXPECT_THAT(find_duplicates(corpus), ElementsAre(false, false, false, true, false, true));
}

size_t anonymous_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("RssAnon:")) return std::stoul(line.substr(8)) * 1024;
  return 0;
}

TEST_F(CorpusTest, TakesFewBytesAPair) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizer's own memory hides what is measured";
#endif
  std::string text;
  for (int i = 0; i < 29000; ++i) text += "a sentence of words\n";
  auto grown = [&](int times) {
    std::string many;
    for (int i = 0; i < times; ++i) many += text;
    const CorpusFiles files{folder.write("big.en", many), folder.write("big.de", many), ""};
    std::string().swap(many);
    const size_t before = anonymous_bytes();
    const Corpus corpus(files);
    EXPECT_EQ(corpus.at(corpus.size() - 1).source, "a sentence of words");
    return static_cast<double>(anonymous_bytes()) - static_cast<double>(before);
  };
  const double once = grown(1), twenty_times = grown(20);
  EXPECT_GT(anonymous_bytes(), 0u);
  EXPECT_LE(twenty_times - once, 19.0 * 29000 * 20);
}

}  // namespace
}  // namespace seq2seq
