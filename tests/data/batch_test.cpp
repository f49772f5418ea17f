#include "seq2seq/data/batch.h"

#include <gmock/gmock.h>

#include "seq2seq/data/filter.h"

namespace seq2seq {
namespace {

using testing::ElementsAre;

TEST(Batch, PadsToTheLongest) {
  const std::vector<Example> examples = {{5, {10, 11, 12}, {20}}, {3, {13}, {21, 22}}};
  const Batch batch = make_batch(examples);
  EXPECT_EQ(batch.size, 2);
  EXPECT_EQ(batch.source_width, 4);
  EXPECT_EQ(batch.target_width, 3);
  EXPECT_THAT(batch.source, ElementsAre(10, 11, 12, 3, 13, 3, 0, 0));
  EXPECT_THAT(batch.source_lengths, ElementsAre(4, 2));
  EXPECT_THAT(batch.target_input, ElementsAre(2, 20, 0, 2, 21, 22));
  EXPECT_THAT(batch.target_output, ElementsAre(20, 3, 0, 21, 22, 3));
  EXPECT_THAT(batch.indices, ElementsAre(5, 3));
  EXPECT_EQ(batch.source_tokens, 6);
  EXPECT_EQ(batch.target_tokens, 5);
}

TEST(Batch, PartsHoldItsRowsAndAreNoWiderThanTheyHaveToBe) {
  const std::vector<Example> examples = {{5, {10, 11, 12}, {20}}, {3, {13}, {21, 22}}, {8, {}, {}}};
  const std::vector<Batch> parts = split_batch(make_batch(examples), 2);
  ASSERT_EQ(parts.size(), 2u);
  const Batch expected[] = {make_batch(std::span(examples).first(1)),
                            make_batch(std::span(examples).subspan(1))};
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(parts[i].size, expected[i].size);
    EXPECT_EQ(parts[i].source_width, expected[i].source_width);
    EXPECT_EQ(parts[i].target_width, expected[i].target_width);
    EXPECT_EQ(parts[i].source, expected[i].source);
    EXPECT_EQ(parts[i].source_lengths, expected[i].source_lengths);
    EXPECT_EQ(parts[i].target_input, expected[i].target_input);
    EXPECT_EQ(parts[i].target_output, expected[i].target_output);
    EXPECT_EQ(parts[i].target_lengths, expected[i].target_lengths);
    EXPECT_EQ(parts[i].indices, expected[i].indices);
    EXPECT_EQ(parts[i].source_tokens, expected[i].source_tokens);
    EXPECT_EQ(parts[i].target_tokens, expected[i].target_tokens);
  }
  EXPECT_EQ(split_batch(make_batch(examples), 3).size(), 3u);
  EXPECT_EQ(split_batch(make_batch(examples), 1)[0].source, make_batch(examples).source);
}

TEST(Filter, JudgesLengths) {
  FilterOptions options;
  options.maximum_length = 10;
  EXPECT_EQ(judge_lengths(10, 1, options), FilterVerdict::keep);
  EXPECT_EQ(judge_lengths(11, 5, options), FilterVerdict::too_long);
  EXPECT_EQ(judge_lengths(5, 11, options), FilterVerdict::too_long);
  EXPECT_EQ(judge_lengths(0, 5, options), FilterVerdict::empty);
  EXPECT_EQ(judge_lengths(5, 0, options), FilterVerdict::empty);
  options.maximum_ratio = 2;
  EXPECT_EQ(judge_lengths(8, 4, options), FilterVerdict::keep);
  EXPECT_EQ(judge_lengths(9, 4, options), FilterVerdict::ratio);
  EXPECT_EQ(judge_lengths(4, 9, options), FilterVerdict::ratio);
}

TEST(Filter, DescribesWhatItDid) {
  FilterCounts counts;
  counts.kept = 28990;
  EXPECT_EQ(counts.describe(250), "trained on 28,990 of 28,990 pairs");
  counts.empty = 8;
  counts.too_long = 2;
  EXPECT_EQ(counts.describe(250), "trained on 28,990 of 29,000 pairs (8 empty, 2 over 250 tokens)");
  counts.ratio = 1000;
  counts.duplicate = 1;
  counts.held_out = 200;
  counts.held_out_copies = 2;
  counts.waiting = 90;
  EXPECT_EQ(counts.total(), 30203U);
  EXPECT_EQ(
      counts.describe(250),
      "trained on 28,900 of 30,203 pairs (200 held out, 2 copies of held-out pairs, 8 empty, "
      "2 over 250 tokens, 1,000 of unlike lengths, 1 duplicate, 90 still to come in the batches that were "
      "begun)");
}

TEST(Filter, CountsEachVerdictUnderItsName) {
  FilterCounts counts;
  counts.count(FilterVerdict::keep);
  counts.count(FilterVerdict::empty, 2);
  counts.count(FilterVerdict::too_long, 4);
  counts.count(FilterVerdict::ratio, 8);
  counts.count(FilterVerdict::duplicate, 16);
  counts.count(FilterVerdict::held_out, 32);
  counts.count(FilterVerdict::held_out_copy, 64);
  EXPECT_EQ(counts, (FilterCounts{1, 2, 4, 8, 16, 32, 64, 0}));
  EXPECT_EQ(counts.total(), 127U);
}

TEST(Filter, NamesWhatHelpsAgainstTheMostFrequentReason) {
  FilterOptions options;
  FilterCounts counts;
  counts.kept = 10;
  counts.too_long = 10;
  counts.duplicate = counts.held_out = counts.held_out_copies = 1000;  // of one's own choice
  EXPECT_FALSE(counts.keeps_few());
  counts.too_long = 11;
  EXPECT_TRUE(counts.keeps_few());
  EXPECT_EQ(counts.remedy(options), "raise --max-length, or add --truncate-source to cut long sources");
  options.truncate_source = true;
  EXPECT_EQ(counts.remedy(options), "raise --max-length");
  counts.ratio = 12;
  EXPECT_EQ(counts.remedy(options), "raise --max-ratio, or leave it out");
  counts.empty = 13;
  EXPECT_EQ(counts.remedy(options),
            "look at the files with 'seq2seq check': each line needs words on both sides");
}

}  // namespace
}  // namespace seq2seq
