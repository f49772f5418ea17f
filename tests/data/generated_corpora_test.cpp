#include <gmock/gmock.h>

#include <set>

#include "../support/paths.h"
#include "seq2seq/core/file.h"
#include "seq2seq/data/corpus.h"
#include "seq2seq/data/grammar.h"
#include "temporary_folder.h"

// The commands in data/README.md, through the library: the committed corpora follow from the grammars.

namespace seq2seq {
namespace {

using test::data_folder;
const std::vector<std::string> names = {"train", "valid", "test"};

TEST(GeneratedCorpora, TranslationIsAsCommitted) {
  const TemporaryFolder folder;
  const auto splits =
      generate_splits(Grammar::load(data_folder + "translation.grammar.json"), {8000, 300, 500}, 1);
  for (size_t i = 0; i < names.size(); ++i) {
    write_parallel_text(splits[i], folder.path("en"), folder.path("de"));
    for (const std::string side : {"en", "de"})
      EXPECT_TRUE(read_file(folder.path(side)) ==
                  read_file(data_folder + "translation/" + names[i] + "." + side))
          << "data/translation/" << names[i] << "." << side << " is not what its grammar gives";
  }
}

void expect_examples_as_committed(const std::string& task, const std::vector<uint64_t>& counts) {
  const TemporaryFolder folder;
  const auto splits = generate_splits(Grammar::load(data_folder + task + ".grammar.json"), counts, 1);
  for (size_t i = 0; i < names.size(); ++i) {
    write_examples(splits[i], folder.path("pairs.jsonl"));
    EXPECT_TRUE(read_file(folder.path("pairs.jsonl")) ==
                read_file(data_folder + task + "/" + names[i] + ".jsonl"))
        << "data/" << task << "/" << names[i] << ".jsonl is not what its grammar gives";
  }
}

TEST(GeneratedCorpora, CopyingIsAsCommitted) {
  expect_examples_as_committed("copying", {2000, 200, 200});
}

TEST(GeneratedCorpora, SummarizationIsAsCommitted) {
  expect_examples_as_committed("summarization", {2000, 200, 300});
}

TEST(GeneratedCorpora, ReportsAreAsCommitted) {
  expect_examples_as_committed("reports", {4000, 200, 400});
}

TEST(GeneratedCorpora, NoHeldOutSentenceIsInTraining) {
  std::set<std::string> sources;
  for (const auto& name : names) {
    const std::string stem = data_folder + "translation/" + name;
    const Corpus corpus({stem + ".en", stem + ".de", ""});
    for (uint64_t i = 0; i < corpus.size(); ++i) EXPECT_TRUE(sources.insert(corpus.at(i).source).second);
  }
  EXPECT_EQ(sources.size(), 8800u);
}

}  // namespace
}  // namespace seq2seq
