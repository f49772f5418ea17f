#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "seq2seq/data/corpus.h"
#include "seq2seq/train/options.h"

namespace seq2seq {

/// A comparison of architectures: the same text and the same budget for each, as data/studies/*.json describe
/// it (docs/study.md).
struct Study {
  /// One architecture.
  struct Run {
    std::string name;      ///< letters, digits and hyphens: a folder is called so
    std::string title;     ///< for people
    std::string from;      ///< the run it differs from; empty = the base alone
    TrainOptions options;  ///< resolved, but for directory and seed
  };
  /// A section of the report: some runs side by side.
  struct Comparison {
    std::string title, text;
    std::vector<std::string> runs;
    std::vector<std::string> figures;  ///< "by-length METRIC", "bars METRIC", "learning", "gradient-flow"
  };
  /// What one run is expected to have more of than another.
  struct Claim {
    std::string text, metric;
    std::string
        where;  ///< all; shortest or longest sources; drop: shortest - longest; kept: longest / shortest
    std::string higher, lower;  ///< names of runs
  };

  std::string title, description;
  std::vector<Run> runs;
  CorpusFiles test;
  std::string score = "rougeL";        ///< the metric that tables begin with
  std::vector<int64_t> length_limits;  ///< longest source, in words, of each group but the last
  int64_t beam_size = 5;
  int64_t examples = 2;
  std::vector<Comparison> comparisons;
  std::vector<Claim> claims;

  /// Paths are taken from the file's own folder. Throws Error naming the file and the key at fault.
  static Study load(const std::string& path);
  const Run& run(const std::string& name) const;
};

/// What the study's own text is replaced by, so that it is repeated on a user's; empty = nothing. The
/// description, which speaks of the other text, goes.
struct StudyText {
  DataOptions train;
  CorpusFiles test;
};
void replace_text(Study& study, StudyText text);

}  // namespace seq2seq
