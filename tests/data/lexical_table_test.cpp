#include "seq2seq/data/lexical_table.h"

#include <gmock/gmock.h>

namespace seq2seq {
namespace {

using testing::ElementsAre;

// The example of Knight (1999):
//   das Haus   das Buch  ein Buch      0 1    0 2    3 2
//   the house  the book  a book       10 11  10 12  13 12
LexicalTable small_table(int64_t iterations = 20) {
  const std::vector<std::vector<int64_t>> sources{{0, 1}, {0, 2}, {3, 2}},
      targets{{10, 11}, {10, 12}, {13, 12}};
  return LexicalTable(
      3,
      [&](uint64_t i, std::vector<int64_t>& source, std::vector<int64_t>& target) {
        source = sources[i];
        target = targets[i];
      },
      iterations);
}

TEST(LexicalTable, FindsWhichWordsBelongTogether) {
  const auto candidates = small_table().candidates(5, 1);
  EXPECT_THAT(candidates[0], ElementsAre(10));
  EXPECT_THAT(candidates[1], ElementsAre(11));
  EXPECT_THAT(candidates[2], ElementsAre(12));
  EXPECT_THAT(candidates[3], ElementsAre(13));
  EXPECT_TRUE(candidates[4].empty());
}

TEST(LexicalTable, GivesNoMoreThanIsAskedFor) {
  EXPECT_THAT(small_table().candidates(5, 2)[0], ElementsAre(10, testing::_));
  EXPECT_THAT(small_table().candidates(5, 9)[2], testing::UnorderedElementsAre(10, 12, 13));
  EXPECT_THAT(small_table().frequent(2), ElementsAre(10, 12));
  EXPECT_THAT(small_table().frequent(9), testing::UnorderedElementsAre(10, 11, 12, 13));
}

}  // namespace
}  // namespace seq2seq
