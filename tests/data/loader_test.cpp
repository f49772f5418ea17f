#include "seq2seq/data/loader.h"

#include <gmock/gmock.h>

#include <set>

#include "temporary_folder.h"

namespace seq2seq {
namespace {

class LoaderTest : public testing::Test {
 protected:
  LoaderTest() {
    std::string source, target;
    for (int i = 0; i < pairs; ++i) {
      for (int word = 0; word <= i % 9; ++word) source += word == 0 ? "a" : " b";
      source += "\n";
      target += i == 7 ? "\n" : i % 50 == 10 ? "c c c c c c c c c c c c\n" : "c d\n";
    }
    corpus =
        std::make_unique<Corpus>(CorpusFiles{folder.write("a.en", source), folder.write("a.de", target), ""});
    settings.batch = {BatchUnit::tokens, 60, 3};
    settings.filter.maximum_length = 10;
  }
  std::vector<LoadedBatch> load(const Loader::Settings& wanted, int batches) {
    Loader loader(*corpus, codec, codec, wanted);
    std::vector<LoadedBatch> result;
    for (int i = 0; i < batches; ++i) result.push_back(loader.next());
    return result;
  }
  /// The indices of the first epoch, and what the filter counted in it.
  std::pair<std::set<uint64_t>, FilterCounts> first_epoch(const Loader::Settings& wanted) {
    Loader loader(*corpus, codec, codec, wanted);
    std::set<uint64_t> indices;
    for (LoadedBatch loaded; loaded.after.epoch == 0;) {
      loaded = loader.next();
      indices.insert(loaded.batch.indices.begin(), loaded.batch.indices.end());
    }
    return {indices, loader.counts()};
  }

  static constexpr int pairs = 400;
  TemporaryFolder folder;
  TextCodec codec{WordTokenizerOptions{}, {}, "", Vocabulary({"a", "b", "c"})};
  std::unique_ptr<Corpus> corpus;
  Loader::Settings settings;
};

TEST_F(LoaderTest, EncodesAndCounts) {
  const auto [indices, counts] = first_epoch(settings);
  EXPECT_EQ(counts.empty, 1u);
  EXPECT_EQ(counts.too_long, 8u);
  EXPECT_EQ(counts.kept, 391u);
  EXPECT_EQ(counts.duplicate, 0u);
  EXPECT_EQ(indices.size(), 391u);
  EXPECT_FALSE(indices.contains(7));
  EXPECT_FALSE(indices.contains(60));

  const LoadedBatch first = load(settings, 1)[0];
  for (int64_t row = 0; row < first.batch.size; ++row) {
    EXPECT_EQ(first.batch.source_lengths[static_cast<size_t>(row)],
              static_cast<int64_t>(first.batch.indices[static_cast<size_t>(row)] % 9 + 2));
    EXPECT_EQ(first.batch.source[static_cast<size_t>(row * first.batch.source_width)], 4);
  }
}

TEST_F(LoaderTest, DoesNotDependOnPrefetchingAndResumes) {
  Loader::Settings eager = settings;
  eager.prefetch = 16;
  settings.prefetch = 0;
  const auto one = load(settings, 80), other = load(eager, 80);
  for (size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i].batch.indices, other[i].batch.indices);
    EXPECT_EQ(one[i].batch.target_output, other[i].batch.target_output);
    EXPECT_EQ(one[i].after, other[i].after);
  }
  ASSERT_GT(one.back().after.epoch, 0u);
  for (const size_t at : {0, 9, 33, 60}) {
    eager.start = one[at].after;
    const auto resumed = load(eager, 10);
    for (size_t i = 0; i < resumed.size(); ++i)
      EXPECT_EQ(resumed[i].batch.source, one[at + 1 + i].batch.source);
  }
}

TEST_F(LoaderTest, LeavesHeldOutExamplesToValidation) {
  std::string source, target;
  for (int i = 0; i < pairs; ++i) {
    source += "a " + std::to_string(i) + "\n";
    target += i == 7 ? "\n" : i % 50 == 10 ? "c c c c c c c c c c c c\n" : "c d\n";
  }
  corpus =
      std::make_unique<Corpus>(CorpusFiles{folder.write("b.en", source), folder.write("b.de", target), ""});
  settings.held_out = 25;
  const auto held_out = held_out_examples(pairs, 25, settings.seed);
  EXPECT_EQ(held_out.size(), 25u);
  EXPECT_NE(held_out, held_out_examples(pairs, 25, settings.seed + 1));
  const auto trained = first_epoch(settings).first;
  uint64_t faulty = 0;
  for (const uint64_t index : held_out) {
    EXPECT_FALSE(trained.contains(index));
    faulty += index == 7 || index % 50 == 10 ? 1 : 0;
  }
  EXPECT_EQ(trained.size(), 391 - (25 - faulty));
}

TEST_F(LoaderTest, CopiesOfHeldOutPairsAreNotTrainedOn) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += "a " + std::to_string(i % 50) + "\n";  // each four times
  corpus = std::make_unique<Corpus>(CorpusFiles{folder.write("c.en", text), folder.write("c.de", text), ""});
  for (const bool remove : {false, true}) {
    settings.filter.remove_duplicates = remove;
    settings.held_out = 10;
    std::set<uint64_t> kinds;
    for (const uint64_t index : held_out_examples(200, 10, settings.seed)) kinds.insert(index % 50);
    const auto trained = first_epoch(settings).first;
    for (const uint64_t index : trained) EXPECT_FALSE(kinds.contains(index % 50)) << index;
    EXPECT_EQ(trained.size(), (remove ? 1U : 4U) * (50 - kinds.size()));
  }
}

TEST_F(LoaderTest, RemovesDuplicates) {
  settings.filter.remove_duplicates = true;
  const auto [indices, counts] = first_epoch(settings);
  // Nine different sources with the same target remain; an empty or too long target is counted once.
  EXPECT_EQ(counts.kept, 9u);
  EXPECT_EQ(counts.kept + counts.empty + counts.too_long + counts.duplicate, static_cast<uint64_t>(pairs));
  EXPECT_THAT(indices, testing::ElementsAre(0, 1, 2, 3, 4, 5, 6, 8, 16));
}

TEST_F(LoaderTest, ThrowsTheErrorsOfItsThread) {
  settings.filter.maximum_length = 1;
  Loader loader(*corpus, codec, codec, settings);
  for (int attempt = 0; attempt < 2; ++attempt)
    EXPECT_THAT(error_of([&] { loader.next(); }), testing::HasSubstr("no pair of the corpus is left"));
}

TEST_F(LoaderTest, StopsWhileItsQueueIsFull) {
  for (int i = 0; i < 20; ++i) Loader loader(*corpus, codec, codec, settings);
}

}  // namespace
}  // namespace seq2seq
