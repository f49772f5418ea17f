#pragma once

// Not installed.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "seq2seq/train/options.h"

namespace seq2seq {

/// One call of `train` in a process of its own, with memory of its own; it ends when this process does.
struct TrainingJob {
  std::string name;
  std::vector<std::string> arguments;  ///< after the program's name
  std::filesystem::path run;           ///< its run directory, with train.jsonl
  std::filesystem::path log;           ///< file for its output
  LimitOptions limits;                 ///< its budget, for the progress shown
};

/// Runs the jobs in order as processes of the executable file `program`, at most `at_a_time` in parallel, and
/// shows progress. Once `stop_requested` returns true, running jobs are asked to save and end (SIGTERM), and
/// the result is false. If a job fails, the others are asked to end as well; then Error is thrown with the
/// last line of its log. Sets this process's SIGCHLD to its default action, so that jobs can be waited for.
bool run_training_jobs(const std::vector<TrainingJob>& jobs, const std::string& program, int64_t at_a_time,
                       const std::function<bool()>& stop_requested);

}  // namespace seq2seq
