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
  int64_t seeds = 1;   ///< how often each architecture is trained, each time from another seed
  int64_t jobs = 0;    ///< runs trained at a time; 0 = as many as the cores allow
  std::string device;  ///< where models are trained and measured; empty = where the study says
};

/// What runs are trained with.
struct TrainingProgram {
  std::string path;     ///< of an executable file; it is called as `seq2seq train ...`, a process a run
  std::string version;  ///< a result of another one is measured again
};

enum class StudyEnd {
  finished,
  stopped_training,   ///< the runs in training saved where they were
  stopped_measuring,  ///< all runs are trained
};

struct StudyOutcome {
  StudyEnd end = StudyEnd::finished;
  // Of a finished study:
  std::vector<std::string> claims;  ///< what each says and its verdict, a line each
  std::filesystem::path page;       ///< report.html
};

/// Trains each run of the study that is not trained yet, in processes of their own; translates the test
/// text with each that is not measured yet, in this process and with all cores; writes the report.
/// `stop_requested` is asked ten times a second while runs train, and before each is measured; a study that
/// was stopped or killed goes on when this is called again. Throws Error, also when the folder is in use or
/// holds runs of other options or text, or when a run fails.
StudyOutcome run_study(const Study& study, const StudyPlan& plan, const TrainingProgram& program,
                       const std::function<bool()>& stop_requested);

}  // namespace seq2seq
