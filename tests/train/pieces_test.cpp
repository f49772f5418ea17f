// A run cut into pieces by any limit equals the whole run, bit for bit.

#include <gmock/gmock.h>

#include <map>
#include <thread>

#include "../data/temporary_folder.h"
#include "../support/shadow_device.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/json.h"
#include "seq2seq/core/log.h"
#include "seq2seq/train/trainer.h"
#include "training_support.h"

namespace seq2seq::test {
namespace {

namespace fs = std::filesystem;
using ::testing::Combine;
using ::testing::ValuesIn;

const std::map<std::string, OptimizerOptions> optimizers = {{"adam", AdamOptions{}},
                                                            {"adamw", AdamWOptions{.weight_decay = 0.1}},
                                                            {"sgd", SgdOptions{.momentum = 0.9}},
                                                            {"adagrad", AdagradOptions{}}};
static_assert(std::variant_size_v<OptimizerOptions> == 4);

constexpr int64_t all_updates = 8;

const std::map<std::string, ScheduleOptions> schedules = {
    {"constant", ConstantSchedule{}},
    {"inverse_square_root", InverseSquareRootSchedule{}},
    {"linear", LinearSchedule{all_updates}},
    {"cosine", CosineSchedule{all_updates}},
    {"plateau", PlateauSchedule{.factor = 0.5, .patience = 2}}};
static_assert(std::variant_size_v<ScheduleOptions> == 5);

const std::vector<std::string> limit_names = {"updates", "epochs", "target_tokens", "minutes", "signal"};

template <class Value>
std::vector<std::string> names_of(const std::map<std::string, Value>& map) {
  std::vector<std::string> names;
  for (const auto& [name, value] : map) names.push_back(name);
  return names;
}

/// What a run leaves, without times.
struct Trained {
  TrainingState last, best;
  std::vector<std::string> log, extra;  // the validations that were not due are in `extra`
  std::string best_link, last_link;
};

Trained read_run(const fs::path& run) {
  Trained result{load_training_state(run / "last" / "state.pt"),
                 load_training_state(run / "best" / "state.pt"),
                 {},
                 {},
                 fs::read_symlink(run / "best"),
                 fs::read_symlink(run / "last")};
  std::istringstream in(read_file(run / "train.jsonl"));
  for (std::string text; std::getline(in, text);) {
    Json line = parse_json(text, "train.jsonl");
    for (const char* key :
         {"seconds", "target_tokens_per_second", "data_wait_share", "validation_seconds", "peak_memory_mib"})
      line.erase(key);
    (line.contains("extra") ? result.extra : result.log).push_back(line.dump());
  }
  return result;
}

Progress without_times(Progress progress) {
  progress.training_seconds = progress.interval.seconds = progress.interval.waited_seconds = 0;
  return progress;
}

void expect_same_run(const Trained& pieces, const Trained& whole) {
  expect_same_tensors(pieces.last.tensors, whole.last.tensors);
  expect_same_tensors(pieces.best.tensors, whole.best.tensors);
  expect_same_progress(without_times(pieces.last.progress), without_times(whole.last.progress));
  EXPECT_EQ(pieces.log, whole.log);
  EXPECT_EQ(pieces.best_link, whole.best_link);
  EXPECT_EQ(pieces.last_link, whole.last_link);
}

/// Twelve pairs: three batches per epoch. A validation is due at every other update, and an interval of the
/// log ends at every third.
class PiecesOfARun : public ::testing::Test {
 protected:
  PiecesOfARun() {
    set_log_level(LogLevel::quiet);
    const auto [source, target] = twelve_pairs();
    options.data.train_source = options.data.valid_source = folder.write("t.source", source);
    options.data.train_target = options.data.valid_target = folder.write("t.target", target);
    options.batch = {BatchUnit::sentences, 4, 2};
    std::get<RnnEncoderOptions>(options.model.encoder).dropout = 0.2;
    options.optimization.average_decay = 0.5;
    options.optimization.learning_rate = 0.05;
    options.optimization.warmup_updates = 2;
    options.validation.every = 2;
    options.validation.criterion = "accuracy";  // stays the same for a while
    options.validation.patience = 0;
    options.limits.max_updates = all_updates;
    options.run.threads = 1;
    options.run.device = test_device().str();
    options.run.log_every = 3;
    options.run.keep_checkpoints = 100;
  }
  ~PiecesOfARun() override { set_log_level(LogLevel::normal); }

  /// The updates of the run after this process.
  int64_t train(const LimitOptions& until, const std::function<bool()>& stop = {},
                Clock::time_point started = Clock::now()) {
    TrainOptions piece = options;
    piece.limits = until;
    std::optional<RunDirectory> resumed;
    if (fs::exists(options.run.directory)) resumed = RunDirectory::open(options.run.directory);
    Trainer trainer(piece, std::move(resumed), started);
    trainer.run(stop);
    return trainer.updates();
  }
  int64_t stop_after(int updates) {
    return train({}, [&] { return --updates == 0; });
  }
  /// The time is up during the second update, or the first one if the machine is slow.
  void train_for_a_time() {
    const int64_t before = stop_after(1);
    for (int doublings = 0; doublings < 11; ++doublings) {
      const double seconds = 0.05 * (1 << doublings);
      const auto started = Clock::now();
      const auto wait = [&] {
        while (seconds_since(started) <= seconds) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return false;
      };
      if (train({.max_minutes = seconds / 60}, wait, started) > before) break;
    }
  }
  void train_pieces(const std::string& limit) {
    if (limit == "updates")
      for (const int64_t updates : {3, 5}) train({.max_updates = updates});
    else if (limit == "epochs")
      for (const int64_t epochs : {1, 2}) train({.max_epochs = epochs});
    else if (limit == "target_tokens")
      for (const int64_t tokens : {90, 160}) train({.max_target_tokens = tokens});
    else if (limit == "minutes")
      train_for_a_time();
    else
      for (const int updates : {3, 2}) stop_after(updates);
  }

  TemporaryFolder folder;
  TrainOptions options = small_training();
};

using OptimizerScheduleLimit = std::tuple<std::string, std::string, std::string>;
class Pieces : public PiecesOfARun, public ::testing::WithParamInterface<OptimizerScheduleLimit> {};

TEST_P(Pieces, EqualTheWhole) {
  static std::map<std::pair<std::string, std::string>, Trained> wholes;
  const auto [optimizer, schedule, limit] = GetParam();
  options.optimization.optimizer = optimizers.at(optimizer);
  options.optimization.schedule = schedules.at(schedule);
  const auto [whole, unknown] = wholes.try_emplace({optimizer, schedule});
  if (unknown) {
    options.run.directory = folder.path("whole");
    train(options.limits);
    whole->second = read_run(options.run.directory);
  }
  options.run.directory = folder.path("pieces");
  train_pieces(limit);
  ASSERT_LT(load_training_state(fs::path(options.run.directory) / "last" / "state.pt").progress.updates,
            all_updates);
  train(options.limits);
  const Trained pieces = read_run(options.run.directory);
  expect_same_run(pieces, whole->second);
  if (limit != "minutes") {
    EXPECT_EQ(pieces.extra.empty(), limit == "signal");
  }
}

std::string name_of(const ::testing::TestParamInfo<OptimizerScheduleLimit>& info) {
  return std::get<0>(info.param) + "_" + std::get<1>(info.param) + "_" + std::get<2>(info.param);
}

INSTANTIATE_TEST_SUITE_P(All, Pieces,
                         Combine(ValuesIn(names_of(optimizers)), ValuesIn(names_of(schedules)),
                                 ValuesIn(limit_names)),
                         name_of);

// Without improvement; a validation is due at every fourth update, the pieces end at every sixth.
TEST_F(PiecesOfARun, PatienceCountsTheValidationsThatAreDue) {
  options.optimization.learning_rate = 0;
  options.optimization.schedule = PlateauSchedule{.factor = 0.5, .patience = 1};
  options.validation.every = 4;
  options.validation.patience = 2;
  options.run.directory = folder.path("whole");
  train({});
  const Trained whole = read_run(options.run.directory);
  EXPECT_EQ(whole.last.progress.updates, 12);
  options.run.directory = folder.path("pieces");
  for (const int64_t updates : {6, 11, 18}) train({.max_updates = updates});
  expect_same_run(read_run(options.run.directory), whole);
  EXPECT_EQ(read_run(options.run.directory).extra.size(), 2U);
}

// A copy whose links have become folders, at another path.
TEST_F(PiecesOfARun, ACopyWithoutLinksGoesOnAsTheRun) {
  options.optimization.learning_rate = 0.01;
  options.validation.criterion = "loss";
  options.validation.every = 3;
  for (const int64_t cut : {4, 6}) {  // behind the best, and at it
    options.run.directory = folder.path("run " + std::to_string(cut));
    train({.max_updates = cut});
    const std::string copy = folder.path("copy " + std::to_string(cut));
    fs::copy(options.run.directory, copy, fs::copy_options::recursive);
    ASSERT_FALSE(fs::is_symlink(copy + "/best"));
    ASSERT_FALSE(fs::is_symlink(copy + "/last"));
    train(options.limits);
    const Trained run = read_run(options.run.directory);
    options.run.directory = copy;
    train(options.limits);
    expect_same_run(read_run(copy), run);
    for (const auto& entry : fs::directory_iterator(copy + "/checkpoints"))
      EXPECT_EQ(entry.path().filename().string().find("step-"), 0U) << entry.path();
  }
}

// As when it was killed after `best` was set, and then copied without the rest.
TEST_F(PiecesOfARun, OfWhichTheBestAloneIsLeftGoesOnFromThere) {
  options.optimization.learning_rate = 0.01;
  options.validation.criterion = "loss";
  options.run.directory = folder.path("whole");
  train(options.limits);
  const Trained whole = read_run(options.run.directory);
  options.run.directory = folder.path("pieces");
  train({.max_updates = 5});
  const fs::path run = options.run.directory;
  const fs::path step = run / "checkpoints" / "step-4";
  ASSERT_EQ(load_training_state(step / "state.pt").progress.best_update, 4);
  fs::remove(run / "best");
  fs::rename(step, run / "best");
  fs::remove(run / "last");
  fs::remove_all(run / "checkpoints");
  train(options.limits);
  expect_same_run(read_run(run), whole);
}

}  // namespace
}  // namespace seq2seq::test
