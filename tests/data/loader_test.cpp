#include "seq2seq/data/loader.h"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <stdexcept>
#include <thread>

#include "seq2seq/data/numbered_corpus.h"
#include "temporary_folder.h"

namespace seq2seq {
namespace {

/// Words, each time after `before`, which is told the line.
class ObservedTokenizer : public Tokenizer {
 public:
  explicit ObservedTokenizer(std::function<void(std::string_view)> before) : before_(std::move(before)) {}
  std::vector<Token> tokenize(std::string_view line) const override {
    before_(line);
    return words_->tokenize(line);
  }
  std::string detokenize(std::span<const std::string> tokens) const override {
    return words_->detokenize(tokens);
  }
  Spelling spelling(const std::string& token) const override { return words_->spelling(token); }

 private:
  std::function<void(std::string_view)> before_;
  std::unique_ptr<Tokenizer> words_ = make_tokenizer(WordTokenizerOptions{}, {});
};

void expect_same(const std::vector<LoadedBatch>& actual, const std::vector<LoadedBatch>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(actual[i].batch.indices, expected[i].batch.indices) << "batch " << i;
    EXPECT_EQ(actual[i].batch.source, expected[i].batch.source) << "batch " << i;
    EXPECT_EQ(actual[i].batch.source_lengths, expected[i].batch.source_lengths) << "batch " << i;
    EXPECT_EQ(actual[i].batch.target_input, expected[i].batch.target_input) << "batch " << i;
    EXPECT_EQ(actual[i].batch.target_output, expected[i].batch.target_output) << "batch " << i;
    EXPECT_EQ(actual[i].after, expected[i].after) << "batch " << i;
  }
}

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
  static std::vector<LoadedBatch> take(Loader& loader, int batches) {
    std::vector<LoadedBatch> result;
    for (int i = 0; i < batches; ++i) result.push_back(loader.next());
    return result;
  }
  std::vector<LoadedBatch> load(const Loader::Settings& wanted, int batches) {
    Loader loader(*corpus, codec, codec, wanted);
    return take(loader, batches);
  }
  /// `before` is called on the loader's threads.
  static TextCodec observed(std::function<void(std::string_view)> before) {
    return {std::make_unique<ObservedTokenizer>(std::move(before)), Vocabulary({"a", "b", "c"})};
  }
  /// A pair a line, all of them different.
  void use_different_pairs() {
    std::string source, target;
    for (int i = 0; i < pairs; ++i) {
      source += "a " + std::to_string(i) + "\n";
      target += "c d\n";
    }
    corpus =
        std::make_unique<Corpus>(CorpusFiles{folder.write("d.en", source), folder.write("d.de", target), ""});
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
  settings.held_out = {3, 7, 10, 200, 399};  // two of them the filter would leave out
  const auto [trained, counts] = first_epoch(settings);
  for (const uint64_t index : settings.held_out) EXPECT_FALSE(trained.contains(index));
  EXPECT_EQ(trained.size(), 391U - 3);
  EXPECT_EQ(counts, (FilterCounts{.kept = 388, .too_long = 7, .held_out = 5}));
}

TEST_F(LoaderTest, CopiesOfHeldOutPairsAreNotTrainedOn) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += "a " + std::to_string(i % 50) + "\n";  // each four times
  corpus = std::make_unique<Corpus>(CorpusFiles{folder.write("c.en", text), folder.write("c.de", text), ""});
  for (const bool remove : {false, true}) {
    settings.filter.remove_duplicates = remove;
    settings.held_out = {3, 60, 110, 199};  // 60 and 110 are the same
    const std::set<uint64_t> kinds = {3, 10, 49};
    const auto [trained, counts] = first_epoch(settings);
    for (const uint64_t index : trained) EXPECT_FALSE(kinds.contains(index % 50)) << index;
    EXPECT_EQ(trained.size(), (remove ? 1U : 4U) * 47);
    EXPECT_EQ(counts.held_out, 4U);
    // Of the copies those that are no duplicates: the first ones, which are not held out themselves.
    EXPECT_EQ(counts.held_out_copies, remove ? 2U : 8U);
    EXPECT_EQ(counts.total(), 200U);
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
    EXPECT_THAT(error_of([&] { loader.next(); }),
                testing::HasSubstr("no pair is left to train on: trained on 0 of 400 pairs (1 empty, "
                                   "399 over 1 tokens); raise --max-length"));
}

TEST_F(LoaderTest, StopsWhileItsQueueIsFull) {
  for (int i = 0; i < 20; ++i) Loader loader(*corpus, codec, codec, settings);
}

TEST_F(LoaderTest, StopsWhileItsThreadsTokenize) {
  const TextCodec slow = observed([](auto) { std::this_thread::sleep_for(std::chrono::microseconds(200)); });
  for (const int64_t threads : {1, 2, 5}) {
    settings.threads = threads;
    for (int i = 0; i < 10; ++i) Loader loader(*corpus, slow, slow, settings);
    for (int batches : {1, 7}) {
      Loader loader(*corpus, slow, slow, settings);
      take(loader, batches);
    }
  }
}

// Over more than three epochs, with filters, held-out pairs and duplicates.
TEST_F(LoaderTest, ThreadsAndMemoryChangeNothing) {
  settings.filter.maximum_ratio = 3;
  settings.held_out = {5, 120};
  for (const bool remove_duplicates : {false, true}) {
    settings.filter.remove_duplicates = remove_duplicates;
    const int batches = remove_duplicates ? 8 : 200;
    settings.threads = 1;
    settings.cache_bytes = 0;
    Loader plain(*corpus, codec, codec, settings);
    const std::vector<LoadedBatch> expected = take(plain, batches);
    ASSERT_GE(expected.back().after.epoch, 3U);
    EXPECT_GT(plain.counts().ratio, 0U);
    EXPECT_EQ(plain.cached_bytes(), 0U);
    for (const int64_t threads : {1, 2, 5}) {
      // None, some, all.
      for (const uint64_t bytes : {uint64_t{0}, uint64_t{8000}, uint64_t{1} << 20}) {
        settings.threads = threads;
        settings.cache_bytes = bytes;
        Loader loader(*corpus, codec, codec, settings);
        expect_same(take(loader, batches), expected);
        EXPECT_EQ(loader.counts(), plain.counts());
        EXPECT_LE(loader.cached_bytes(), bytes);
      }
    }
  }
}

TEST_F(LoaderTest, ResumesInTheMiddleOfAWindowWithAnyNumberOfThreads) {
  const auto whole = load(settings, 80);
  size_t in_the_middle = 0;
  for (const int64_t threads : {1, 2, 5}) {
    settings.threads = threads;
    for (size_t at = 0; at < 60; at += 7) {
      settings.start = whole[at].after;
      in_the_middle += settings.start.batch > 0 ? 1 : 0;
      expect_same(load(settings, 20), {whole.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                                       whole.begin() + static_cast<std::ptrdiff_t>(at) + 21});
    }
  }
  EXPECT_GT(in_the_middle, 6U);
}

TEST_F(LoaderTest, CountsDoNotDependOnWhatIsReadAhead) {
  for (const int64_t threads : {1, 5}) {
    settings.threads = threads;
    Loader loader(*corpus, codec, codec, settings);
    loader.next();
    const FilterCounts first = loader.counts();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    EXPECT_EQ(loader.counts(), first);
    EXPECT_LT(first.kept, 200U);
    Loader again(*corpus, codec, codec, settings);
    again.next();
    EXPECT_EQ(again.counts(), first);
  }
}

// Up to any batch, and on from there as if there had been no stop.
TEST_F(LoaderTest, CountsOfAResumedRunAreThoseOfTheWhole) {
  settings.held_out = {5, 120};
  settings.batch.window = 2;
  settings.filter.maximum_ratio = 3;
  Loader whole(*corpus, codec, codec, settings);
  std::vector<LoadedBatch> batches;
  std::vector<FilterCounts> counts;
  while (batches.empty() || batches.back().after.epoch == 0) {
    batches.push_back(whole.next());
    counts.push_back(whole.counts());
  }
  uint64_t delivered = 0;
  for (size_t at = 0; at < batches.size(); ++at) {
    const bool ended = batches[at].after.epoch > 0;
    delivered += batches[at].batch.indices.size();
    EXPECT_EQ(counts[at].trained_on(), delivered);
    EXPECT_EQ(batches[at].counted.total(), ended ? pairs : batches[at].after.window_begin);
    Loader::Settings rest = settings;
    rest.start = batches[at].after;
    rest.counted = batches[at].counted;
    Loader resumed(*corpus, codec, codec, rest);
    for (size_t next = at + 1; next < batches.size(); ++next) {
      resumed.next();
      ASSERT_EQ(resumed.counts(), counts[next]) << at << " to " << next;
    }
    resumed.next();  // of the second epoch
    EXPECT_EQ(resumed.counts(), counts.back());
  }
  EXPECT_EQ(counts.back().total(), static_cast<uint64_t>(pairs));
  EXPECT_GT(counts.back().ratio, 0U);
}

TEST_F(LoaderTest, AnErrorComesBehindTheBatchesBeforeIt) {
  use_different_pairs();
  std::optional<size_t> batches;
  for (const int64_t threads : {1, 2, 5}) {
    settings.threads = threads;
    const auto expected = load(settings, 40);
    // One of the fifth window, and one of the sixth that fails as well, perhaps before it.
    const uint64_t first = expected[14].batch.indices[0], second = expected[15].batch.indices[0];
    const TextCodec failing = observed([&](std::string_view line) {
      if (line == "a " + std::to_string(first)) std::this_thread::sleep_for(std::chrono::milliseconds(2));
      for (const uint64_t index : {first, second})
        if (line == "a " + std::to_string(index)) throw std::runtime_error("line " + std::to_string(index));
    });
    Loader loader(*corpus, failing, codec, settings);
    std::vector<LoadedBatch> before;
    const std::string error = error_of([&] {
      for (;;) before.push_back(loader.next());
    });
    EXPECT_EQ(error, "line " + std::to_string(first));
    EXPECT_EQ(error_of([&] { loader.next(); }), error);
    ASSERT_LE(before.size(), 14U);
    expect_same(before, {expected.begin(), expected.begin() + std::ssize(before)});
    // Whole windows come before it, and as many as with one thread.
    EXPECT_EQ(before.back().after.batch, 0U);
    EXPECT_EQ(batches.value_or(before.size()), before.size());
    batches = before.size();
  }
}

TEST_F(LoaderTest, LaterEpochsDoNotTokenizeAgain) {
  std::atomic<int> tokenized = 0;
  const TextCodec counting = observed([&](auto) { ++tokenized; });
  const auto lines_tokenized = [&](uint64_t cache_bytes, uint64_t epochs) {
    tokenized = 0;
    settings.cache_bytes = cache_bytes;
    Loader loader(*corpus, counting, counting, settings);
    while (loader.next().after.epoch < epochs) {
    }
    return tokenized.load();
  };
  constexpr int lines = 2 * pairs - 1;  // one is empty
  EXPECT_EQ(lines_tokenized(uint64_t{1} << 20, 5), lines);
  EXPECT_GE(lines_tokenized(0, 5), 5 * lines);
  const int with_some = lines_tokenized(8000, 5);
  EXPECT_GT(with_some, 2 * lines);
  EXPECT_LT(with_some, 5 * lines);
}

TEST_F(LoaderTest, TheNextWindowIsReadWhileOneIsUsed) {
  use_different_pairs();
  settings.batch = {BatchUnit::sentences, 10, 10};
  settings.prefetch = 1;
  for (const int64_t threads : {1, 3}) {
    settings.threads = threads;
    std::atomic<int> tokenized = 0;
    const TextCodec counting = observed([&](auto) { ++tokenized; });
    Loader loader(*corpus, counting, codec, settings);
    loader.next();
    for (int i = 0; i < 10000 && tokenized < 200; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_GE(tokenized.load(), 200);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    EXPECT_LT(tokenized.load(), pairs);  // but not all of the corpus
  }
}

}  // namespace
}  // namespace seq2seq
