#pragma once

// Not installed.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "seq2seq/train/options.h"

namespace seq2seq {

/// One call of `train`, in a process of its own: its memory is its own, and it ends when this process does.
struct TrainingJob {
  std::string name;
  std::vector<std::string> arguments;  ///< behind the program's name
  std::filesystem::path run;           ///< where its train.jsonl grows
  std::filesystem::path log;           ///< what it says
  LimitOptions limits;                 ///< when it ends
};

/// Runs them in order as processes of the executable file `program`, `at_a_time` together, and shows
/// progress. Once `stop_requested`, those that run are asked to save and end (SIGTERM), and the result is
/// false. When one fails the others are asked as well; then Error is thrown with its last words. Processes
/// that end are waited for: this process's SIGCHLD gets its default meaning.
bool run_training_jobs(const std::vector<TrainingJob>& jobs, const std::string& program, int64_t at_a_time,
                       const std::function<bool()>& stop_requested);

}  // namespace seq2seq
