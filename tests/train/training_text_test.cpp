#include "seq2seq/train/training_text.h"

#include <gmock/gmock.h>

#include <set>

#include "../data/temporary_folder.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/log.h"

namespace seq2seq {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Lt;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

class TrainingTextTest : public ::testing::Test {
 protected:
  TrainingTextTest() {
    set_log_level(LogLevel::quiet);
    data.train_source = folder.write("t.source", "a b\nc\n");
    data.train_target = folder.write("t.target", "x\ny z\n");
    data.valid = folder.write("v.tsv", "a\tx\nb\ty\nc\tz\n");
  }
  ~TrainingTextTest() override { set_log_level(LogLevel::normal); }
  void use_pairs(int count) {
    std::string lines;
    for (int i = 0; i < count; ++i) lines += "a " + std::to_string(i) + "\n";
    data.train_source = folder.write("many.source", lines);
    data.train_target = folder.write("many.target", lines);
    data.valid.clear();
  }

  /// With what is held out, if anything.
  std::vector<uint64_t> validation_examples(uint64_t seed,
                                            HeldOutRule rule = HeldOutRule::usable_pairs) const {
    TrainingText text(data, seed);
    text.hold_out(rule, {}, codecs);
    return text.validation_examples();
  }

  TemporaryFolder folder;
  DataOptions data;
  const std::shared_ptr<const TextCodec> codec = std::make_shared<const TextCodec>(
      WhitespaceTokenizerOptions{}, NormalizationOptions{}, "", Vocabulary({"a"}));
  const TextCodecs codecs{codec, codec, {}};
};

TEST_F(TrainingTextTest, ValidationFilesAreValidatedOnWhole) {
  TrainingText text(data, 1);
  text.hold_out(HeldOutRule::usable_pairs, {}, codecs);
  EXPECT_EQ(text.pairs(), 2);
  EXPECT_EQ(text.training().at(1).target, "y z");
  EXPECT_EQ(text.validation().at(2).target, "z");
  EXPECT_THAT(text.validation_examples(), ElementsAre(0, 1, 2));
}

TEST_F(TrainingTextTest, WithoutThemSomeExamplesAreHeldOut) {
  use_pairs(20);
  data.held_out = 7;
  const TrainingText text(data, 1);
  EXPECT_EQ(&text.validation(), &text.training());
  const auto chosen = validation_examples(1);
  EXPECT_EQ(std::set<uint64_t>(chosen.begin(), chosen.end()).size(), 7U);
  EXPECT_THAT(chosen, Each(Lt(20U)));
  EXPECT_EQ(validation_examples(1), chosen);
  EXPECT_NE(validation_examples(2), chosen);
}

TEST_F(TrainingTextTest, AHundredthIsHeldOutUnlessToldOtherwise) {
  for (const auto& [pairs, held_out] : {std::pair(2, 1U), std::pair(99, 1U), std::pair(250, 2U)}) {
    use_pairs(pairs);
    EXPECT_EQ(validation_examples(1).size(), held_out) << pairs;
  }
}

TEST_F(TrainingTextTest, RunsOfEarlierVersionsKeepTheirDraw) {
  use_pairs(20);
  data.held_out = 7;
  EXPECT_THAT(validation_examples(1, HeldOutRule::any), ElementsAre(1, 3, 4, 8, 10, 11, 14));
  EXPECT_NE(validation_examples(1), validation_examples(1, HeldOutRule::any));
}

TEST_F(TrainingTextTest, OnePairIsRefusedBeforeAnythingIsMadeOfIt) {
  use_pairs(1);
  EXPECT_THAT([&] { TrainingText(data, 1); }, ThrowsMessage<Error>(HasSubstr("; give validation files")));
  data.valid = folder.path("v.tsv");
  EXPECT_NO_THROW(TrainingText(data, 1));
}

TEST_F(TrainingTextTest, TellsOfCopiesThatAreNotTrainedOn) {
  std::string lines;
  for (int i = 0; i < 40; ++i) lines += "a " + std::to_string(i % 4) + "\n";
  data.train_source = data.train_target = folder.write("few", lines);
  data.valid.clear();
  testing::internal::CaptureStderr();
  validation_examples(1);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "warning: too few training pairs occur once: 9 copies of held-out pairs are not trained on; give "
            "validation files to train on all\n");
}

TEST_F(TrainingTextTest, KnowsItsFiles) {
  EXPECT_EQ(TrainingText(data, 1).fingerprints(),
            R"({"train":[{"name":"t.source","bytes":6,"crc32":"8116397c"},)"
            R"({"name":"t.target","bytes":6,"crc32":"077ce73a"}],)"
            R"("valid":[{"name":"v.tsv","bytes":12,"crc32":"b1532ac2"}]})");
}

TEST_F(TrainingTextTest, OfAnotherSizeIsNoneToGoOnWith) {
  const TrainingText text(data, 1);
  EXPECT_NO_THROW(text.expect_pairs(2));
  EXPECT_THAT([&] { text.expect_pairs(1234); },
              ThrowsMessage<Error>(AllOf(StartsWith(data.train_files().describe()),
                                         HasSubstr("has 2 pairs, 1,234 when the run began"))));
}

}  // namespace
}  // namespace seq2seq
