#include "seq2seq/train/options.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>

#include "seq2seq/core/error.h"
#include "seq2seq/core/processors.h"
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

/// Expects that sensible options are refused after `change`, with a message of this beginning and remedy.
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
  refused([](auto& o) { o.text.target_vocabulary = "v.json"; }, "--target-vocabulary: 'v.json' is given",
          "add --no-shared-vocabulary");
  refused([](auto& o) { o.model.embedding.freeze = true; }, "--embedding.freeze: would change nothing",
          "give --embedding.source-file");
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

TEST(TrainOptionsCheck, TheWarmUpEndsBeforeTheSchedule) {
  const auto warming_up = [](int64_t updates, const ScheduleOptions& schedule, int64_t max_updates = 0) {
    return [=](auto& o) {
      o.optimization.warmup_updates = updates;
      o.optimization.schedule = schedule;
      o.limits.max_updates = max_updates;
    };
  };
  for (const ScheduleOptions& schedule :
       {ScheduleOptions(LinearSchedule{10}), ScheduleOptions(CosineSchedule{10})}) {
    accepted(warming_up(9, schedule));
    for (const int64_t updates : {10, 20})
      refused(warming_up(updates, schedule, 100), "--warmup-updates: " + std::to_string(updates) + " leaves",
              "lower it, or raise --schedule.updates");
  }
  refused(warming_up(20, LinearSchedule{}, 20),
          "--warmup-updates: 20 leaves nothing of the schedule, which "
          "ends at update 20",
          "lower it");
  accepted(warming_up(20, ConstantSchedule{}, 10));
}

/// Of a run that began with such a limit.
TrainOptions ending(const ScheduleOptions& schedule, int64_t max_updates) {
  TrainOptions options = sensible();
  options.optimization.schedule = schedule;
  options.limits.max_updates = max_updates;
  return options;
}

TEST(TrainOptionsCheck, AnOldRunGoesOnWithItsSchedule) {
  TrainOptions options = ending(LinearSchedule{10}, 20);
  options.optimization.warmup_updates = 20;
  EXPECT_THROW(check(options), UsageError);
  EXPECT_NO_THROW(check(options, &options));
  TrainOptions changed = options;
  changed.optimization.schedule = LinearSchedule{20};
  EXPECT_THROW(check(changed, &options), UsageError);
  changed.optimization.schedule = LinearSchedule{21};
  EXPECT_NO_THROW(check(changed, &options));
}

TEST(TrainOptionsCheck, ARunStaysWithinTheScheduleThatItBeganWith) {
  const auto problem = [](const TrainOptions& begun, const LimitOptions& limits) -> std::string {
    TrainOptions options = begun;
    options.limits = limits;
    try {
      check_stays_within_schedule(options, begun);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  };
  for (const ScheduleOptions& schedule :
       {ScheduleOptions(CosineSchedule{}), ScheduleOptions(LinearSchedule{}),
        ScheduleOptions(LinearSchedule{20})}) {
    const TrainOptions begun = ending(schedule, 20);
    for (const int64_t updates : {10, 20}) EXPECT_EQ(problem(begun, {.max_updates = updates}), "");
    EXPECT_EQ(problem(begun, {.max_updates = 40}),
              "--max-updates: 40 goes beyond update 20, where the run's schedule of the learning rate ends; "
              "add --schedule.updates 40, which lets it end there");
    EXPECT_THAT(problem(begun, {.max_epochs = 3}),
                StartsWith("--max-updates: no limit goes beyond update 20"));
  }
  EXPECT_THAT(problem(ending(CosineSchedule{20}, 10), {.max_updates = 21}), HasSubstr("beyond update 20"));
  // That was meant to go on at the minimum, or has no end.
  EXPECT_EQ(problem(ending(CosineSchedule{20}, 30), {.max_updates = 40}), "");
  EXPECT_EQ(problem(ending(CosineSchedule{20}, 0), {.max_updates = 40}), "");
  EXPECT_EQ(problem(ending(PlateauSchedule{}, 20), {.max_updates = 40}), "");
}

TEST(TrainOptionsCheck, OptionsThatWouldDoNothingAreRefused) {
  refused([](auto& o) { o.optimization.minimum_learning_rate = 1; },
          "--minimum-learning-rate: is above the learning rate", "lower it");
  refused([](auto& o) { o.optimization.scheduled_sampling_updates = 9; },
          "--scheduled-sampling-updates: would change nothing", "add --scheduled-sampling");
  refused([](auto& o) { o.optimization.coverage_loss_start = 9; },
          "--coverage-loss-start: would change nothing", "add --coverage-loss");
  refused([](auto& o) { o.validation.beam_size = 5; }, "--valid-beam-size: would change nothing",
          "add --valid-metrics bleu");
  accepted([](auto& o) {
    o.validation.beam_size = 5;
    o.validation.metrics = {"bleu"};
  });
  refused([](auto& o) { o.text.minimum_frequency = 2; }, "--minimum-frequency: would change nothing",
          "set --vocabulary-size");
  refused(
      [](auto& o) {
        o.text.tokenizer = WordTokenizerOptions{};
        o.text.source_vocabulary = "v.json";
        o.text.vocabulary_size = 9;
      },
      "--vocabulary-size: would change nothing", "leave it out: the vocabulary is given");
  refused([](auto& o) { o.text.sentence_separator = "|"; }, "--sentence-separator: would change nothing",
          "add --encoder hierarchical, or leave it out");
  accepted([](auto& o) {
    o.text.sentence_separator = "|";
    o.model.encoder = HierarchicalEncoderOptions{};
  });
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
  for (const char* device : {"auto", "cpu", "cuda", "cuda:0", "cuda:15"})
    accepted([&](auto& o) { o.run.device = device; });
  for (const char* device : {"", "gpu", "cuda:", "cuda:x", "cuda0"})
    refused([&](auto& o) { o.run.device = device; }, "--device: '" + std::string(device) + "' is unknown",
            "valid: auto, cpu, cuda, cuda:N");
}

TEST(TrainOptionsCheck, Tf32IsForCudaDevices) {
  const auto on = [](const char* device, Precision precision) {
    return [=](auto& o) {
      o.optimization.precision = precision;
      o.run.device = device;
    };
  };
  refused(on("cpu", Precision::tf32), "--precision: tf32 is a number format of CUDA devices",
          "give --precision float32");
  for (const char* device : {"cuda", "cuda:1"}) accepted(on(device, Precision::tf32));
  for (const char* device : {"cpu", "cuda"}) accepted(on(device, Precision::automatic));
  for (const char* device : {"cpu", "cuda"})
    accepted([&](auto& o) {
      o.optimization.deterministic = true;
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
  EXPECT_EQ(resolved(Precision::automatic, elsewhere), Precision::tf32);
  elsewhere.kernels = Kernels::check;
  EXPECT_EQ(resolved(Precision::automatic, elsewhere), Precision::float32);
  EXPECT_EQ(resolved(Precision::automatic, plain), Precision::float32);
  EXPECT_EQ(resolved(Precision::bfloat16, {}), Precision::bfloat16);
  const Precision measured = resolved(Precision::automatic, {});
  EXPECT_NE(measured, Precision::automatic);
  if (!has_onednn_bfloat16_products()) {
    EXPECT_EQ(measured, Precision::float32);
  }
}

TEST(Precision, IsAvailableWhereItCanBeComputed) {
  RunOptions here, elsewhere, plain;
  here.device = plain.device = "cpu";
  elsewhere.device = "cuda:0";
  plain.kernels = Kernels::plain;
  EXPECT_TRUE(is_available(Precision::float32, plain));
  EXPECT_TRUE(is_available(Precision::tf32, elsewhere));
  EXPECT_FALSE(is_available(Precision::tf32, here));
  EXPECT_FALSE(is_available(Precision::bfloat16, plain));
  EXPECT_EQ(is_available(Precision::bfloat16, here), has_onednn_bfloat16_products());
}

TEST(ValidationMetrics, KnowTheirDirection) {
  const auto decides = [](const std::string& name) {
    accepted([&](auto& o) { o.validation.criterion = name; });
    return larger_is_better(metric_named(name));
  };
  for (const char* name :
       {"accuracy", "bleu", "chrf", "chrf++", "rouge1", "rouge2", "rougeL", "rougeLsum", "recovered-words"})
    EXPECT_TRUE(decides(name)) << name;
  for (const char* name : {"loss", "perplexity", "repetition", "length-ratio"})
    EXPECT_FALSE(decides(name)) << name;
  for (const char* name : {"novelty", "copy-rate"}) {
    accepted([&](auto& o) { o.validation.metrics = {name}; });
    refused([&](auto& o) { o.validation.criterion = name; },
            "--valid-criterion: '" + std::string(name) + "' has no best value",
            "name it with --valid-metrics");
  }
  for (const char* name : {"blue", "exact", "first-word"})  // unknown, or not offered in validation
    refused([&](auto& o) { o.validation.criterion = name; },
            "--valid-criterion: '" + std::string(name) + "' is unknown", "");
}

TEST(ValidationMetrics, AreTheCriterionAndFurtherOnes) {
  ValidationOptions options;
  options.metrics = {"rougeL", "perplexity", "bleu"};
  EXPECT_THAT(wanted_metrics(options), testing::ElementsAre(&metric_named("perplexity"),
                                                            &metric_named("bleu"), &metric_named("rougeL")));
}

TEST(ValidationTokenizers, AreRefusedWhereNoMetricHeedsThem) {
  accepted([](auto& o) {
    o.validation.metrics = {"bleu", "rouge1"};
    o.validation.bleu_tokenizer = "zh";
    o.validation.rouge_tokenizer = RougeTokenizer::unicode;
  });
  refused(
      [](auto& o) {
        o.validation.metrics = {"rouge1"};
        o.validation.bleu_tokenizer = "zh";
      },
      "--valid-tokenize: would change nothing", "add --valid-metrics bleu");
  refused(
      [](auto& o) {
        o.validation.metrics = {"bleu"};
        o.validation.rouge_tokenizer = RougeTokenizer::unicode;
      },
      "--valid-rouge-tokenize: would change nothing", "add --valid-metrics rougeL");
}

TEST(ResumedRuns, SettleAutomaticAsTheRunDid) {
  ValidationOptions now, before;
  now.settle_resumed(before);
  EXPECT_EQ(now.rouge_tokenizer, RougeTokenizer::automatic);  // no metric heeds it
  now.metrics = before.metrics = {"rougeL"};
  before.rouge_tokenizer = RougeTokenizer::unicode;
  now.settle_resumed(before);
  EXPECT_EQ(now.rouge_tokenizer, RougeTokenizer::unicode);
  before.rouge_tokenizer = now.rouge_tokenizer = RougeTokenizer::automatic;  // of an older version
  now.settle_resumed(before);
  EXPECT_EQ(now.rouge_tokenizer, RougeTokenizer::rouge_score);
  now.rouge_tokenizer = RougeTokenizer::character;
  now.settle_resumed(before);
  EXPECT_EQ(now.rouge_tokenizer, RougeTokenizer::character);
}

TEST(ResumedRuns, ChangeLimitsIntervalsAndPlacesOnly) {
  TrainOptions options;
  std::vector<std::string> free;
  for (const auto& field : option_fields(options))
    if (field.is(on_resume_free)) free.push_back(field.path);
  EXPECT_THAT(
      free, testing::UnorderedElementsAre(
                "limits.max-updates", "limits.max-epochs", "limits.max-target-tokens", "limits.max-minutes",
                "validation.valid-every", "validation.patience", "run.run-directory", "run.threads",
                "run.device", "run.kernels", "run.checkpoint-every", "run.keep-checkpoints", "run.log-every",
                "run.gradient-flow-every", "loader.loader-threads", "loader.cache-mib", "data.train-source",
                "data.train-target", "data.train", "data.valid-source", "data.valid-target", "data.valid"));
}

TEST(LoaderThreads, AProcessorThatTrainsIsLeftToTraining) {
  TrainOptions options;
  options.run.device = "cpu";
  EXPECT_EQ(loader_threads(options), 1);
  options.run.device = "cuda";
  EXPECT_EQ(loader_threads(options), std::min<int64_t>(4, usable_processors()));
  for (const char* device : {"cpu", "cuda"}) {
    options.run.device = device;
    options.loader.threads = 7;
    EXPECT_EQ(loader_threads(options), 7);
  }
}

TEST(TrainOptions, KnowWhichOfThemNameFiles) {
  TrainOptions options;
  std::vector<std::string> files;
  for (const auto& field : option_fields(options))
    if (field.is(file_path)) files.push_back(field.path);
  EXPECT_THAT(files, testing::ElementsAre("data.train-source", "data.train-target", "data.train",
                                          "data.valid-source", "data.valid-target", "data.valid",
                                          "text.tokenizer.model", "text.source-vocabulary",
                                          "text.target-vocabulary", "model.embedding.source-file",
                                          "model.embedding.target-file", "run.initialize-from"));
}

// Fine-tuning takes all other options of architecture and text from the model.
TEST(TrainOptions, OfAModelDropoutAloneIsFree) {
  TrainOptions options;
  options.model.encoder = TransformerOptions{};
  std::vector<std::string> free;
  for (const auto& field : option_fields(options)) {
    const bool of_the_model = field.path.starts_with("model.") || field.path.starts_with("text.");
    EXPECT_EQ(field.is(fixed_by_model), of_the_model) << field.path;
    if (field.is(only_in_training)) free.push_back(field.path);
  }
  EXPECT_THAT(free, testing::ElementsAre("model.encoder.dropout", "model.encoder.attention-dropout",
                                         "model.encoder.activation-dropout", "model.decoder.dropout",
                                         "model.decoder.recurrent-dropout", "model.word-dropout"));
}

}  // namespace
}  // namespace seq2seq
