#include "seq2seq/core/nearest_name.h"

#include <gtest/gtest.h>

#include <vector>

namespace seq2seq {
namespace {

const std::vector<std::string> names{"--beam-size", "--batch-size", "--encoder.layers", "--seed"};

TEST(NearestName, FindsTheLikelySlip) {
  EXPECT_EQ(nearest_name("--beam-sise", names), "--beam-size");
  EXPECT_EQ(nearest_name("--bema-size", names), "--beam-size");
  EXPECT_EQ(nearest_name("--beam_size", names), "--beam-size");
  EXPECT_EQ(nearest_name("--sed", names), "--seed");
  EXPECT_EQ(nearest_name("--seeed", names), "--seed");
}

TEST(NearestName, AForgottenPrefixIsASlip) {
  EXPECT_EQ(nearest_name("layers", names), "--encoder.layers");
  EXPECT_EQ(nearest_name("ayers", std::vector<std::string>{"encoder.layers"}), "");
}

TEST(NearestName, NothingNearIsNoGuess) {
  EXPECT_EQ(nearest_name("--vocabulary", names), "");
  EXPECT_EQ(nearest_name("x", {}), "");
}

TEST(SuggestName, AsksOrLists) {
  EXPECT_EQ(suggest_name("--beam-sise", names), "did you mean '--beam-size'?");
  EXPECT_EQ(suggest_name("circle", std::vector<std::string>{"a", "b"}), "valid: a, b");
  EXPECT_EQ(suggest_name("circle-of-friends", std::vector<std::string>(21, "q")).substr(0, 11),
            "valid: q, q");
  EXPECT_TRUE(suggest_name("circle-of-friends", std::vector<std::string>(21, "q")).ends_with(", q, ..."));
}

}  // namespace
}  // namespace seq2seq
