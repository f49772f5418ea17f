#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "commands.h"
#include "decoding_models.h"
#include "decoding_parts.h"
#include "flags.h"
#include "measurement.h"
#include "memory_blocks.h"
#include "seq2seq/core/clock.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/peak_memory.h"
#include "seq2seq/data/loader.h"
#include "seq2seq/decode/models.h"
#include "seq2seq/decode/pool.h"
#include "seq2seq/decode/translator.h"
#include "seq2seq/model/device.h"
#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/nn/engine/cuda_settings.h"
#include "seq2seq/train/new_model.h"
#include "seq2seq/train/update.h"

namespace seq2seq {
namespace {

/// The arithmetic figures of both benchmarks: `products` multiply-adds in `seconds`. What the machine can
/// reach is measured on CPUs only.
void describe_arithmetic(Json& result, double products, double seconds, double target_tokens,
                         const at::Device& device) {
  const double reached = 2e-9 * products / seconds;
  result["mflop_per_target_token"] = 2e-6 * products / target_tokens;
  result["gflops"] = reached;
  if (!device.is_cpu()) return;
  const double machine = machine_speed(measure_products());
  result["machine_gemm_gflops"] = machine;
  result["gemm_share"] = reached / machine;
}

struct BenchTrainOptions {
  double window_seconds = 10, warmup_seconds = 10;
  int64_t windows = 6;
  static void fields(auto& o, auto& f) {
    f("windows", o.windows, "number of windows, for median and minimum", in_range(1, 1000));
    f("window-seconds", o.window_seconds, "length of a window; whole updates are counted",
      in_range(0.01, 3600));
    f("warmup-seconds", o.warmup_seconds, "seconds of training before the first window", in_range(0, 3600));
  }
};

/// Options of training of which the bench needs some.
struct BenchedTrainOptions : TrainOptions {
  static void fields(auto& o, auto& f) {
    TrainOptions::fields(o, f);
    const OptionCondition unused = noted_unless(false, "in bench train");
    const void* members[] = {
        &o.data.held_out,
        &o.optimization.minimum_learning_rate,
        &o.optimization.warmup_updates,
        &o.optimization.divergence_norm,
        &o.limits.max_updates,
        &o.limits.max_epochs,
        &o.limits.max_target_tokens,
        &o.limits.max_minutes,
        &o.validation.every,
        &o.validation.criterion,
        &o.validation.metrics,
        &o.validation.patience,
        &o.run.checkpoint_every,
        &o.run.keep_checkpoints,
        &o.run.log_every,
        &o.run.gradient_flow_every,
    };
    for (const void* member : members) f.also(member, unused);
    f.also(&o.run.initialize_from, only_if(false, "leave it out: a new model is measured"));
  }
};

/// The training loop without validation, checkpoints and log.
class TrainingBench {
 public:
  TrainingBench(const TrainOptions& options, const at::Device& device)
      : options_(options),
        corpus_(options.data.train_files()),
        model_(new_model(options, corpus_, static_cast<uint64_t>(options.run.seed))) {
    move_to(*model_.model, device);
    update_ = std::make_unique<Update>(model_.model, options.optimization, /*seed=*/1);
    Loader::Settings settings;
    settings.batch = options.batch;
    settings.filter = options.filter;
    settings.threads = loader_threads(options);
    settings.cache_bytes = options.loader.cache_bytes();
    settings.form = model_.text.form;
    settings.seed = static_cast<uint64_t>(options.run.seed);
    loader_ = std::make_unique<Loader>(corpus_, *model_.text.source, *model_.text.target, settings);
  }

  struct Window {
    double seconds = 0, waited_seconds = 0, target_tokens = 0, source_tokens = 0, sentences = 0, updates = 0;
  };
  Window run(double seconds) {
    Window window;
    const auto begin = Clock::now();
    while (window.seconds < seconds) {
      const auto asked = Clock::now();
      std::vector<Batch> batches;
      for (int64_t i = 0; i < options_.optimization.accumulation; ++i) {
        batches.push_back(loader_->next().batch);
        window.sentences += static_cast<double>(batches.back().size);
      }
      window.waited_seconds += seconds_since(asked);
      const UpdateSums sums = update_->run(batches, ++updates_, options_.optimization.learning_rate).sums;
      window.target_tokens += static_cast<double>(sums.target_tokens);
      window.source_tokens += static_cast<double>(sums.source_tokens);
      ++window.updates;
      window.seconds = seconds_since(begin);
    }
    return window;
  }
  int64_t parameters() const { return parameter_count(*model_.model); }
  at::Device device() const { return model_.model->device(); }

 private:
  TrainOptions options_;
  Corpus corpus_;
  TranslationModel model_;
  std::unique_ptr<Update> update_;
  std::unique_ptr<Loader> loader_;
  int64_t updates_ = 0;
};

int bench_train(TrainOptions options, const OptionPatch& given, const BenchTrainOptions& bench) {
  if (options.run.directory.empty()) options.run.directory = "-";  // required by `train`, not used here
  check_as_given(options, given, [&] { check(options); });
  const at::Device device = open_device(options.run.device);  // refused before anything is read
  // Only the speed matters, not the weights.
  options.optimization.divergence_norm = 0;
  keep_large_blocks();
  use_threads(options.run.threads);
  options.optimization.precision = resolved(options.optimization.precision, options.run);
  const ComputeScope kernels(&Compute::kernels, options.run.kernels);
  const DeterministicScope bits(device, options.optimization.deterministic);
  TrainingBench training(options, device);
  training.run(bench.warmup_seconds);
  const int64_t products_before = multiply_adds();
  std::vector<double> target_speeds, source_speeds, sentence_speeds;
  double seconds = 0, waited_seconds = 0, target_tokens = 0, updates = 0;
  for (int64_t i = 0; i < bench.windows; ++i) {
    const auto window = training.run(bench.window_seconds);
    target_speeds.push_back(window.target_tokens / window.seconds);
    source_speeds.push_back(window.source_tokens / window.seconds);
    sentence_speeds.push_back(window.sentences / window.seconds);
    seconds += window.seconds;
    waited_seconds += window.waited_seconds;
    target_tokens += window.target_tokens;
    updates += window.updates;
  }
  const auto products = static_cast<double>(multiply_adds() - products_before);
  Json result;
  result["benchmark"] = "train";
  result["device"] = training.device().str();
  result["threads"] = at::get_num_threads();
  result["parameters"] = training.parameters();
  result["precision"] = option_name(options.optimization.precision);
  result["kernels"] = option_name(options.run.kernels);
  result["batch"] = {{"unit", option_name(options.batch.unit)}, {"size", options.batch.size}};
  result["windows"] = bench.windows;
  result["seconds"] = seconds;
  result["updates"] = updates;
  result["target_tokens_per_second"] = describe_windows(target_speeds);
  result["source_tokens_per_second"] = describe_windows(source_speeds);
  result["sentences_per_second"] = describe_windows(sentence_speeds);
  result["data_wait_share"] = waited_seconds / seconds;
  result["peak_memory_mib"] = peak_memory_mib();
  describe_arithmetic(result, products, seconds, target_tokens, training.device());
  std::cout << dump_json(result, 2) << "\n";
  return 0;
}

struct BenchDecodeOptions : MachineOptions {
  DecodingModelOptions models;
  std::string input;
  TranslatorOptions translator;
  std::string shortlist;
  bool one_by_one = false;
  int64_t workers = 0, windows = 5, warmup = 1;
  static void fields(auto& o, auto& f) {
    DecodingModelOptions::fields(o.models, f);
    f("input", o.input, "text, one sentence per line, or the sources of a .tsv or .jsonl", everyday);
    f.group("translator", o.translator, GroupFlags::plain);
    f.also(&o.translator.batch_size, noted_unless(!o.one_by_one, "with --one-by-one"));
    f.also(&o.translator.max_batch_tokens, noted_unless(!o.one_by_one, "with --one-by-one"));
    f("shortlist", o.shortlist, "a file written by seq2seq shortlist");
    f("one-by-one", o.one_by_one, "translate one line at a time, and measure the latency", everyday);
    MachineOptions::fields(o, f);
    f("workers", o.workers, "parallel searches, each with threads/workers threads; 0 = as in `translate`",
      in_range(0, 1024));
    f("windows", o.windows, "measured passes over the input, for median and minimum", in_range(1, 1000),
      everyday);
    f("warmup", o.warmup, "passes before the measured ones", in_range(0, 1000));
  }
};

std::vector<SourceLine> read_all(const std::string& path, const ExampleKeys& keys) {
  SourceLines input(path, {}, keys);
  std::vector<SourceLine> lines;
  for (auto window = input.read_window(1 << 16); !window.empty(); window = input.read_window(1 << 16))
    lines.insert(lines.end(), window.begin(), window.end());
  if (lines.empty()) throw Error(path, "has no lines", "give a file with sentences");
  return lines;
}

int bench_decode(const BenchDecodeOptions& options) {
  check(options.models);
  if (options.input.empty())
    throw UsageError("--input", "is missing", "name a file with sentences to translate");
  check(options.translator.search);
  if (!options.shortlist.empty() && options.translator.search.sample)
    throw UsageError("--shortlist", "leaves words out that are needed for --sample", "leave one of them out");
  const at::Device device = open_device(options.device);
  keep_few_shapes();
  use_threads(options.threads);
  const ComputeScope kernels(&Compute::kernels, options.kernels);
  const DecodingModels models = load_models(options.models, device);
  const std::vector<SourceLine> lines = read_all(options.input, models.keys());
  std::shared_ptr<const Shortlist> shortlist;
  if (!options.shortlist.empty())
    shortlist = std::make_shared<Shortlist>(Shortlist::load(
        options.shortlist, models.text.source->vocabulary(), models.text.target->vocabulary()));
  auto scorers = models.scorers(options.workers, shortlist);
  const std::string why_by_tensors = scorers.front()->why_no_steps();
  DecodingPool pool(std::move(scorers));
  Translator translator(models, pool, options.translator);
  const size_t window = options.one_by_one ? 1 : translator.window();
  std::vector<double> latencies;  // milliseconds
  std::vector<double> token_speeds, sentence_speeds;
  double seconds = 0, tokens = 0;
  int64_t products_before = 0;
  for (int64_t i = -options.warmup; i < options.windows; ++i) {
    if (i == 0) {
      products_before = multiply_adds();
      pool.time_parts();
    }
    const int64_t before = translator.counts().output_tokens;
    const auto begin = Clock::now();
    for (size_t at = 0; at < lines.size(); at += window) {
      const auto asked = Clock::now();
      translator.translate(std::span(lines).subspan(at, std::min(window, lines.size() - at)));
      if (i >= 0 && options.one_by_one) latencies.push_back(1000 * seconds_since(asked));
    }
    const double passed = seconds_since(begin);
    if (i < 0) continue;
    const auto written = static_cast<double>(translator.counts().output_tokens - before);
    token_speeds.push_back(written / passed);
    sentence_speeds.push_back(static_cast<double>(lines.size()) / passed);
    seconds += passed;
    tokens += written;
  }
  const auto products = static_cast<double>(multiply_adds() - products_before);
  Json result;
  result["benchmark"] = "decode";
  result["device"] = models.device().str();
  result["threads"] = at::get_num_threads();
  result["workers"] = pool.workers();
  result["beam_size"] = options.translator.search.beam_size;
  result["batch_size"] = options.translator.batch_size;
  result["kernels"] = option_name(options.kernels);
  result["weights"] = option_name(models.weight_format());
  result["steps"] = why_by_tensors.empty() ? "fast" : "by tensors: " + why_by_tensors;
  result["sentences"] = lines.size();
  if (!latencies.empty()) {
    std::sort(latencies.begin(), latencies.end());
    const auto share = [&](double part) {
      return latencies[static_cast<size_t>(part * static_cast<double>(latencies.size() - 1))];
    };
    result["latency_milliseconds"] = {{"median", share(0.5)}, {"99th_percentile", share(0.99)}};
  }
  result["windows"] = options.windows;
  result["seconds"] = seconds;
  result["target_tokens_per_second"] = describe_windows(token_speeds);
  result["sentences_per_second"] = describe_windows(sentence_speeds);
  result["peak_memory_mib"] = peak_memory_mib();
  describe_arithmetic(result, products, seconds, tokens, device);
  if (device.is_cpu()) {  // others compute while threads do something else
    const PartTimes times = pool.part_times();
    const int64_t rows =
        (options.one_by_one ? 1 : options.translator.batch_size) * options.translator.search.beam_size;
    result["parts"] = describe_parts(times, seconds, pool.threads());
    result["limit"] = describe_limit(times, seconds, packed_product_speed(rows, models.weight_format()));
    std::cerr << part_table(result["parts"], result["limit"], result["steps"].get<std::string>());
  }
  std::cout << dump_json(result, 2) << "\n";
  return 0;
}

struct BenchGemmOptions {
  int64_t threads = 0;
  static void fields(auto& o, auto& f) { MachineOptions::threads_field(o, f); }
};

int bench_gemm(const BenchGemmOptions& options) {
  use_threads(options.threads);
  Json result;
  result["benchmark"] = "gemm";
  result["threads"] = at::get_num_threads();
  const auto speeds = measure_products();
  for (const ProductSpeed& speed : speeds)
    result["products"].push_back({{"rows", speed.rows},
                                  {"inputs", speed.inputs},
                                  {"outputs", speed.outputs},
                                  {"gflops", speed.fast},
                                  {"plain_gflops", speed.plain}});
  result["machine_gemm_gflops"] = machine_speed(speeds);
  std::cout << dump_json(result, 2) << "\n";
  return 0;
}

RunCommand add_bench_train(CLI::App& command) {
  describe(command, "",
           "Example:\n  seq2seq bench train --config models/rnn-attention.json \\\n"
           "    --train-source a.en --train-target a.de");
  const auto training = std::make_shared<Flags<BenchedTrainOptions>>(command, ConfigFlag::offered);
  const auto windows = std::make_shared<Flags<BenchTrainOptions>>(command);
  return
      [training, windows] { return bench_train(training->resolve(), training->patch(), windows->resolve()); };
}

RunCommand add_bench_decode(CLI::App& command) {
  describe(command, "",
           "Example:\n  seq2seq bench decode --model run --input test.en --beam-size 5 --batch-size 32");
  return run_with_flags(command, bench_decode);
}

RunCommand add_bench_gemm(CLI::App& command) {
  return run_with_flags(command, bench_gemm);
}

}  // namespace

std::span<const Command> bench_commands() {
  static const Command all[] = {
      {"train", "Training speed of a configuration on the given text.", add_bench_train},
      {"decode", "Decoding speed of a model on the given text.", add_bench_decode},
      {"gemm", "Speed of matrix products, with fast and with plain kernels.", add_bench_gemm},
  };
  return all;
}

RunCommand add_bench(CLI::App& command) {
  describe(command,
           "Loading and warm-up are not counted. Compare figures only when nothing else runs on the machine.",
           "");
  return {};
}

}  // namespace seq2seq
