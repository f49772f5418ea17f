#include <CLI/CLI.hpp>
#include <memory>

#include "commands.h"
#include "environment.h"
#include "flags.h"
#include "memory_blocks.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/log.h"
#include "seq2seq/study/run_study.h"
#include "stop_signal.h"

namespace seq2seq {
namespace {

struct StudyCommandOptions {
  std::string config;
  StudyText text;
  StudyTokenizers tokenizers;
  StudyPlan plan;
  bool quiet = false;
  static void fields(auto& o, auto& f) {
    f("config", o.config, "the study: what is compared, on which text (data/studies, docs/study.md)",
      everyday);
    f("output", o.plan.output, "folder for the runs, report.html and report.json", everyday);
    f("seeds", o.plan.seeds,
      "training runs per architecture, each with another seed; several give error bars", in_range(1, 100),
      everyday);
    f("jobs", o.plan.jobs,
      "runs trained in parallel; 0 = as many as the cores allow with the study's threads per run",
      in_range(0, 1024), everyday);
    f("device", o.plan.device,
      "device to train and measure on: auto, cpu, cuda or cuda:N; empty = as in the study", everyday);
    f("train-source", o.text.train.train_source, "your own text in place of the study's, source side",
      everyday);
    f("train-target", o.text.train.train_target, "its target side", everyday);
    f("train", o.text.train.train, "or both in one .tsv or .jsonl file", everyday);
    f("valid-source", o.text.train.valid_source,
      "validation text, source side; without it, training examples are held out");
    f("valid-target", o.text.train.valid_target, "validation text, target side");
    f("valid", o.text.train.valid, "or both in one .tsv or .jsonl file");
    f("source-key", o.text.train.source_key, source_key_help,
      only_if(!o.text.train.train.empty(), "name your own text"));
    f("target-key", o.text.train.target_key, target_key_help,
      only_if(!o.text.train.train.empty(), "name your own text"));
    f("test-source", o.text.test.source, "text for the report's scores, source side", everyday);
    f("test-target", o.text.test.target, "its target side", everyday);
    f("test", o.text.test.combined, "or both in one .tsv or .jsonl file", everyday);
    StudyTokenizers::fields(o.tokenizers, f);
    quiet_field(o, f);
  }
};

void check(const StudyCommandOptions& options) {
  if (options.config.empty())
    throw UsageError("--config", "is missing", "for example data/studies/information-loss.json");
  if (options.plan.output.empty()) throw UsageError("--output", "is missing", "name a folder for the study");
}

int run_study(const StudyCommandOptions& options) {
  check(options);
  keep_few_shapes();
  Study study = Study::load(options.config);
  replace_text(study, options.text);
  replace_tokenizers(study, options.tokenizers);
  watch_stop_signals(options.quiet ? ""
                                   : "stopping: what has been trained is saved; a second signal ends the "
                                     "study at once");
  // Runs are trained by this program, even if its file has been replaced since.
  const StudyOutcome outcome = seq2seq::run_study(study, options.plan, {own_program(), SEQ2SEQ_VERSION},
                                                  [] { return stop_signal() != 0; });
  switch (outcome.end) {
    case StudyEnd::stopped_training:
      log_info("stopped and saved; the same command goes on");
      return stop_exit_code();
    case StudyEnd::stopped_measuring:
      log_info("stopped; the same command goes on");
      return stop_exit_code();
    case StudyEnd::finished:
      break;
  }
  for (const std::string& claim : outcome.claims) log_info(claim);
  log_info(outcome.page.string());
  return 0;
}

}  // namespace

RunCommand add_study(CLI::App& command) {
  describe(command,
           "Trains each architecture with the same budget, translates a test text and writes report.html: "
           "scores overall and by source length, copying of unseen words, repetition, gradient flow, speed, "
           "memory and heat maps. A study that was stopped or killed continues when the same command is run "
           "again.",
           "Examples:\n"
           "  seq2seq study --config data/studies/small.json --output study\n"
           "  seq2seq study --config data/studies/information-loss.json --output mine \\\n"
           "    --train my.jsonl --valid valid.jsonl --test test.jsonl");
  return run_with_flags(command, run_study);
}

}  // namespace seq2seq
