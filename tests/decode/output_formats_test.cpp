#include "seq2seq/decode/output_formats.h"

#include <gtest/gtest.h>

#include "decode_support.h"
#include "seq2seq/decode/pool.h"
#include "seq2seq/decode/translator.h"

namespace seq2seq {
namespace {

std::vector<Translation> echoes(const SearchOptions& search, const std::vector<std::string>& texts) {
  DecodingPool pool(echo_scorers(1));
  return Translator(letters(), 10, pool, {.search = search}).translate(lines_of(texts));
}

TEST(OutputFormats, ScoresAndNBestLists) {
  const auto found = echoes({.beam_size = 2, .n_best = 2, .length_penalty = LengthPenalty::none}, {"a", ""});
  EXPECT_EQ(format_translation(found[0], 7, 2, false), "7 ||| a a ||| -1.2500\n7 ||| a d ||| -3.7500\n");
  EXPECT_EQ(format_translation(found[1], 8, 2, false), "8 |||  ||| \n");
  EXPECT_EQ(format_translation(found[1], 8, 1, true), "\t\n");
  EXPECT_EQ(format_translation(found[1], 8, 1, false), "\n");
  EXPECT_EQ(details_json(found[1], found[1].outputs.front(), letters().target->vocabulary(), 8, 0),
            R"({"line":8,"output":0,"text":"","score":null,"log_probability":null,"source":[],"tokens":[],)"
            R"("token_log_probabilities":[],"alignment":[]})"
            "\n");
  EXPECT_EQ(format_translation(found[0], 7, 1, true), "-1.2500\ta a\n");
  EXPECT_EQ(format_translation(found[0], 7, 1, false), "a a\n");
}

TEST(OutputFormats, TokensAndAlignments) {
  const auto translation = echoes({.length_penalty = LengthPenalty::none}, {"b c"}).front();
  EXPECT_EQ(pharaoh_alignment(translation.outputs.front().source_positions), "0-0 1-1");
  EXPECT_EQ(details_json(translation, translation.outputs.front(), letters().target->vocabulary(), 7, 0),
            R"({"line":7,"output":0,"text":"b b","score":-1.25,"log_probability":-1.25,"source":["b","c"],)"
            R"("tokens":["b","b"],"token_log_probabilities":[-0.5,-0.5,-0.25],"alignment":[[0,0],[1,1]]})"
            "\n");
}

// Tokens of JSON text may contain line breaks.
TEST(OutputFormats, AnOutputIsOneLine) {
  const auto codec = std::make_shared<const TextCodec>(WhitespaceTokenizerOptions{}, NormalizationOptions{},
                                                       "", Vocabulary({"a", "b\nc"}));
  const std::vector<Token> source{{"x", "X"}, {"y", "Y"}};
  Hypothesis hypothesis;
  hypothesis.tokens = {4, 5, Vocabulary::unknown, codec->vocabulary().size() + 1};
  hypothesis.source_positions = {0, 0, 0, 1};
  EXPECT_EQ(written(hypothesis, *codec, source, UnknownWords::replace), "a b c X Y");
  EXPECT_EQ(written(hypothesis, *codec, source, UnknownWords::keep), "a b c <unk> Y");
}

}  // namespace
}  // namespace seq2seq
