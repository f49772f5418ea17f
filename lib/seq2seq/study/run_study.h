#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "seq2seq/study/study.h"

namespace seq2seq {

/// How a study is carried out.
struct StudyPlan {
  std::string output;  ///< folder for the runs, report.html and report.json
  int64_t seeds = 1;   ///< trainings per architecture, each with another seed
  int64_t jobs = 0;    ///< runs trained in parallel; 0 = as many as the cores allow
  std::string device;  ///< for training and measuring; empty = the one that the study names
};

/// The program that trains the runs.
struct TrainingProgram {
  std::string path;     ///< executable file, called as `seq2seq train ...`, one process per run
  std::string version;  ///< results of other versions are measured again
};

enum class StudyEnd {
  finished,
  stopped_training,   ///< the runs in training have saved their state
  stopped_measuring,  ///< all runs are trained
};

struct StudyOutcome {
  StudyEnd end = StudyEnd::finished;
  // Of a finished study:
  std::vector<std::string> claims;  ///< one line per claim: its text and the verdict
  std::filesystem::path page;       ///< report.html
};

/// Trains each run of the study that is not trained yet, in a process of its own; translates the test text
/// with each run that is not measured yet, in this process and with all cores; writes the report.
/// `stop_requested` is called ten times per second during training and before each run is measured. Calling
/// this again continues a study that was stopped or killed. Throws Error, also if the folder is in use or
/// contains runs with other options or text, or if a run fails.
StudyOutcome run_study(const Study& study, const StudyPlan& plan, const TrainingProgram& program,
                       const std::function<bool()>& stop_requested);

}  // namespace seq2seq
