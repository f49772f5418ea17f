#include "seq2seq/train/options.h"

#include <gmock/gmock.h>

#include <functional>

#include "seq2seq/core/error.h"
#include "seq2seq/nn/engine/capabilities.h"

namespace seq2seq {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;
using testing::ThrowsMessage;

TrainOptions sensible() {
  TrainOptions options;
  options.data.train_source = "a.en";
  options.data.train_target = "a.de";
  options.run.directory = "run";
  return options;
}

/// What `change` makes of sensible options is refused by a message that begins and ends like this.
void refused(const std::function<void(TrainOptions&)>& change, const std::string& begin,
             const std::string& remedy) {
  TrainOptions options = sensible();
  change(options);
  EXPECT_THAT([&] { check(options); },
              ThrowsMessage<UsageError>(AllOf(StartsWith(begin), HasSubstr("; " + remedy))));
}

void accepted(const std::function<void(TrainOptions&)>& change) {
  TrainOptions options = sensible();
  change(options);
  EXPECT_NO_THROW(check(options));
}

TEST(TrainOptionsCheck, SensibleOptionsPass) {
  accepted([](auto&) {});
  accepted([](auto& o) {
    o.data = {};
    o.data.train = "a.jsonl";
    o.data.valid = "b.tsv";
  });
}

TEST(TrainOptionsCheck, ARunNeedsAFolderAndText) {
  refused([](auto& o) { o.run.directory.clear(); }, "--run-directory: is missing", "name a folder");
  refused([](auto& o) { o.data = {}; }, "--train-source: is missing", "give --train-source and");
}

TEST(TrainOptionsCheck, TextIsOneFileOrTwo) {
  refused([](auto& o) { o.data.train_target.clear(); }, "--train-target: is missing", "parallel text needs");
  refused([](auto& o) { o.data.train_source.clear(); }, "--train-source: is missing", "parallel text needs");
  refused([](auto& o) { o.data.train = "a.tsv"; },
          "--train: 'a.tsv' is given beside --train-source / --train-target", "give either one file or two");
  refused([](auto& o) { o.data.valid_source = "b.en"; }, "--valid-target: is missing", "parallel text needs");
  refused([](auto& o) { o.data.valid_source = o.data.valid_target = o.data.valid = "b.tsv"; },
          "--valid: 'b.tsv' is given beside", "give either one file or two");
}

TEST(TrainOptionsCheck, HeldOutExamplesAreForRunsWithoutValidationFiles) {
  accepted([](auto& o) { o.data.held_out = 5; });
  refused(
      [](auto& o) {
        o.data.held_out = 5;
        o.data.valid = "b.tsv";
      },
      "--held-out: is given beside validation files", "leave one of them out");
}

TEST(TrainOptionsCheck, RulesOfTextAndModelHoldToo) {
  refused([](auto& o) { o.text.target_vocabulary = "v.json"; }, "target-vocabulary: 'v.json' is given",
          "set shared-vocabulary to false");
  refused([](auto& o) { o.model.embedding.freeze = true; }, "embedding.freeze: there are no",
          "give embedding.source-file");
}

TEST(TrainOptionsCheck, SharedVectorsNeedASharedVocabulary) {
  for (const auto sharing : {EmbeddingSharing::source_target, EmbeddingSharing::all}) {
    accepted([&](auto& o) { o.model.embedding.sharing = sharing; });
    refused(
        [&](auto& o) {
          o.text.shared_vocabulary = false;
          o.model.embedding.sharing = sharing;
        },
        "--embedding.sharing: source and target cannot share vectors", "set --shared-vocabulary");
  }
  accepted([](auto& o) {
    o.text.shared_vocabulary = false;
    o.model.embedding.sharing = EmbeddingSharing::target_output;
  });
}

TEST(TrainOptionsCheck, AScheduleThatEndsMustKnowWhere) {
  for (const ScheduleOptions& schedule :
       {ScheduleOptions(LinearSchedule{}), ScheduleOptions(CosineSchedule{})}) {
    refused([&](auto& o) { o.optimization.schedule = schedule; }, "--schedule.updates: is missing",
            "the schedule must know where it ends");
    accepted([&](auto& o) {
      o.optimization.schedule = schedule;
      o.limits.max_updates = 10;
    });
  }
  accepted([](auto& o) { o.optimization.schedule = CosineSchedule{10}; });
  accepted([](auto& o) { o.optimization.schedule = PlateauSchedule{}; });
}

TEST(TrainOptionsCheck, OptionsThatWouldDoNothingAreRefused) {
  refused([](auto& o) { o.optimization.minimum_learning_rate = 1; },
          "--minimum-learning-rate: is above the learning rate", "lower it");
  refused([](auto& o) { o.optimization.scheduled_sampling_updates = 9; },
          "--scheduled-sampling-updates: does nothing alone", "give --scheduled-sampling");
  accepted([](auto& o) {
    o.optimization.scheduled_sampling_updates = 9;
    o.optimization.scheduled_sampling = 0.2;
  });
}

TEST(TrainOptionsCheck, NamesAreKnown) {
  accepted([](auto& o) { o.validation.metrics = {"bleu", "chrf++", "rougeLsum", "loss"}; });
  refused(
      [](auto& o) {
        o.validation.metrics = {"bleu", "rougeLsun"};
      },
      "--valid-metrics: 'rougeLsun' is unknown", "did you mean 'rougeLsum'?");
  for (const char* device : {"cpu", "cuda", "cuda:0", "cuda:15"})
    accepted([&](auto& o) { o.run.device = device; });
  for (const char* device : {"", "gpu", "cuda:", "cuda:x", "cuda0"})
    refused([&](auto& o) { o.run.device = device; }, "--device: '" + std::string(device) + "' is unknown",
            "valid: cpu, cuda, cuda:N");
}

TEST(TrainOptionsCheck, OnlyProcessorsHaveAPrecision) {
  refused(
      [&](auto& o) {
        o.optimization.precision = Precision::bfloat16;
        o.run.device = "cuda";
      },
      "--precision: only processors are offered bfloat16", "give --precision float32 with --device cuda");
  for (const char* device : {"cpu", "cuda"})
    accepted([&](auto& o) {
      o.optimization.precision = Precision::automatic;
      o.run.device = device;
    });
}

TEST(TrainOptionsCheck, RefusesAPrecisionThatThisMachineLacks) {
  const auto half = [](auto& o) { o.optimization.precision = Precision::bfloat16; };
  if (has_onednn_bfloat16_products())
    accepted(half);
  else
    refused(half, "--precision: bfloat16 cannot be computed on this machine", "give --precision float32");
}

TEST(TrainOptionsCheck, RefusesBfloat16ForPlainKernels) {
  refused(
      [](auto& o) {
        o.optimization.precision = Precision::bfloat16;
        o.run.kernels = Kernels::plain;
      },
      "--precision: plain kernels compute in float32", "give --precision float32");
}

TEST(Precision, AutomaticBecomesWhatCanBeComputed) {
  RunOptions elsewhere, plain;
  elsewhere.device = "cuda";
  plain.kernels = Kernels::plain;
  EXPECT_EQ(resolved(Precision::automatic, elsewhere), Precision::float32);
  EXPECT_EQ(resolved(Precision::automatic, plain), Precision::float32);
  EXPECT_EQ(resolved(Precision::bfloat16, {}), Precision::bfloat16);
  const Precision measured = resolved(Precision::automatic, {});
  EXPECT_NE(measured, Precision::automatic);
  if (!has_onednn_bfloat16_products()) {
    EXPECT_EQ(measured, Precision::float32);
  }
}

TEST(ValidationMetrics, KnowTheirDirectionAndWhatTheyNeed) {
  const auto names = option_names(ValidationMetric{});
  ASSERT_EQ(names.size(), 15U);
  for (size_t i = 0; i < names.size(); ++i) {
    const auto metric = static_cast<ValidationMetric>(i);
    const std::string name = names[i];
    EXPECT_EQ(larger_is_better(metric),
              name != "loss" && name != "perplexity" && name != "repetition" && name != "length-ratio")
        << name;
    EXPECT_EQ(can_decide(metric), name != "novelty" && name != "copy-rate") << name;
    EXPECT_EQ(needs_translation(metric), name != "loss" && name != "perplexity" && name != "accuracy")
        << name;
  }
}

TEST(ResumedRuns, ChangeLimitsAndIntervalsOnly) {
  TrainOptions options;
  std::vector<std::string> free;
  for (const auto& field : option_fields(options))
    if (may_change_on_resume(field.path)) free.push_back(field.path);
  EXPECT_THAT(
      free, testing::UnorderedElementsAre(
                "limits.max-updates", "limits.max-epochs", "limits.max-target-tokens", "limits.max-minutes",
                "validation.valid-every", "validation.patience", "run.run-directory", "run.threads",
                "run.device", "run.kernels", "run.checkpoint-every", "run.keep-checkpoints", "run.log-every",
                "run.gradient-flow-every"));
}

}  // namespace
}  // namespace seq2seq
