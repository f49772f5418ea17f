#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "seq2seq/data/corpus.h"
#include "seq2seq/train/options.h"

namespace seq2seq {

/// A comparison of architectures on the same text with the same budget, read from files such as
/// data/studies/small.json (docs/study.md).
struct Study {
  /// One architecture.
  struct Run {
    std::string name;      ///< lowercase letters, digits and hyphens; names a folder
    std::string title;     ///< shown in the report
    std::string from;      ///< the run whose options it changes; empty = the base
    TrainOptions options;  ///< complete except for the directory; the seed is the first one
  };
  /// A section of the report: some runs side by side.
  struct Comparison {
    std::string title, text;
    std::vector<std::string> runs;
    std::vector<std::string> figures;  ///< "by-length METRIC", "bars METRIC", "learning", "gradient-flow"
  };
  /// A metric that is expected to be higher for one run than for another.
  struct Claim {
    std::string text, metric;
    /// On which sources: all, shortest or longest; or drop = shortest - longest, kept = longest / shortest.
    std::string where;
    std::string higher, lower;  ///< names of runs
  };

  std::string title, description;
  std::vector<Run> runs;
  CorpusFiles test;
  std::string score = "rougeL";  ///< the first metric in tables
  /// As of `seq2seq evaluate`; those of the first run's validation unless the study names others.
  std::string bleu_tokenizer;
  RougeTokenizer rouge_tokenizer = RougeTokenizer::automatic;
  std::vector<int64_t> length_limits;  ///< longest source of each group except the last, in words
  int64_t beam_size = 5;
  int64_t examples = 2;
  std::vector<Comparison> comparisons;
  std::vector<Claim> claims;

  /// The text to test on, read by the keys of the training text.
  CorpusFiles test_files() const;
  /// Relative paths are resolved against the file's folder. Throws Error naming the file and the invalid key.
  static Study load(const std::string& path);
  const Run& run(const std::string& name) const;
};

/// Tokenizers of metrics in place of the study's own, on the test text and in validation; empty = keep it.
struct StudyTokenizers {
  std::string bleu, rouge;
  static void fields(auto& o, auto& f) {
    const auto rouge_names = option_names(RougeTokenizer{});
    f("tokenize", o.bleu, "tokenizer of BLEU, as of `evaluate`; empty = as in the study",
      BleuTokenizer::names());
    f("rouge-tokenize", o.rouge, "words of ROUGE, as of `evaluate`; empty = as in the study",
      std::vector<std::string>(rouge_names.begin(), rouge_names.end()));
  }
};
void replace_tokenizers(Study& study, StudyTokenizers tokenizers);

/// Text that replaces the study's own, to repeat the study on a user's data; empty = keep it. The study's
/// description, which is about the old text, is removed.
struct StudyText {
  DataOptions train;
  CorpusFiles test;
};
void replace_text(Study& study, StudyText text);

}  // namespace seq2seq
