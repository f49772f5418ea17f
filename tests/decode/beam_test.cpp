#include <gmock/gmock.h>

#include <limits>

#include "seq2seq/decode/beam.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq {
namespace {

constexpr int64_t end = Vocabulary::end;

/// Rows of two candidates each.
struct Offers {
  std::vector<double> log_probabilities;
  std::vector<int64_t> tokens;
  std::vector<double> ends;
  std::vector<int64_t> positions = std::vector<int64_t>(8, -1);
  operator BeamOffers() const {
    return {2, log_probabilities.data(), tokens.data(), ends.data(), positions.data()};
  }
};

TEST(Beam, KeepsTheBestContinuationsOfAllRows) {
  const SearchOptions options{.beam_size = 2, .n_best = 2};
  Beam beam(options, 5);
  beam.advance(Offers{{-1.0, -2.0}, {4, 5}, {-9}});
  ASSERT_EQ(beam.live().size(), 2U);
  beam.advance(Offers{{-3.0, -4.0, -0.5, -1.5}, {6, 7, 8, 9}, {-9, -9}});
  EXPECT_EQ(beam.live()[0].row, 1);
  EXPECT_EQ(beam.live()[0].token, 8);
  EXPECT_EQ(beam.live()[1].row, 1);
  EXPECT_EQ(beam.live()[1].token, 9);
  EXPECT_DOUBLE_EQ(beam.live()[1].log_probability, -3.5);
}

TEST(Beam, EndsWhenNothingLiveCanWin) {
  const SearchOptions options{.beam_size = 2, .length_penalty = LengthPenalty::none};
  Beam beam(options, 5);
  beam.advance(Offers{{-1.0, -2.0}, {4, end}, {-2.0}});
  EXPECT_FALSE(beam.done());  // 4 is still more probable than the empty output
  beam.advance(Offers{{-1.5, -1.6}, {5, 6}, {-9}});
  EXPECT_TRUE(beam.done());  // -2.5 is not
  ASSERT_EQ(beam.best().size(), 1U);
  EXPECT_TRUE(beam.best()[0].tokens.empty());
  EXPECT_DOUBLE_EQ(beam.best()[0].log_probability, -2.0);
}

TEST(Beam, ClosesHypothesesAtTheLimitAtTheirPrice) {
  const SearchOptions options{.beam_size = 2, .n_best = 2, .max_length = 1};
  Beam beam(options, 5);
  beam.advance(Offers{{-1.0, -1.25}, {4, 5}, {-9}});
  beam.advance(Offers{{-0.1, -0.2, -0.1, -0.2}, {6, 7, 6, 7}, {-3.0, -1.0}});
  EXPECT_TRUE(beam.done());
  ASSERT_EQ(beam.best().size(), 2U);
  EXPECT_EQ(beam.best()[0].tokens, std::vector<int64_t>{5});
  EXPECT_DOUBLE_EQ(beam.best()[0].log_probability, -2.25);
  EXPECT_DOUBLE_EQ(beam.best()[1].log_probability, -4.0);
}

TEST(Beam, DefaultLimitIsTwiceTheSourcePlusTwenty) {
  const SearchOptions options{.beam_size = 1};
  Beam beam(options, 3);
  int64_t tokens = 0;
  for (; !beam.done(); ++tokens) beam.advance(Offers{{-0.5, -1.0}, {4, 5}, {-1.0}});
  EXPECT_EQ(tokens, 2 * 3 + 20 + 1);
  EXPECT_EQ(beam.best()[0].tokens.size(), 26U);
}

TEST(Beam, ImpossibleCandidatesAreNoHypotheses) {
  const SearchOptions options{.beam_size = 2};
  Beam beam(options, 5);
  beam.advance(Offers{{-1.0, -std::numeric_limits<double>::infinity()}, {4, 5}, {-9}});
  EXPECT_EQ(beam.live().size(), 1U);
  const Offers broken{{std::numeric_limits<double>::quiet_NaN(), -1.0}, {4, 5}, {-9}};
  beam.advance(broken);
  EXPECT_TRUE(beam.done());
  EXPECT_TRUE(beam.best().empty());
  EXPECT_EQ(beam.best().why, NoOutput::not_numbers);
}

}  // namespace
}  // namespace seq2seq
