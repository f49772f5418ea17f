#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "seq2seq/core/options.h"
#include "seq2seq/decode/scorer.h"

namespace seq2seq {

/// What the log-probability of n tokens (</s> counts) is divided by to make a score:
///   none     1
///   average  n^alpha
///   wu       ((5 + n) / 6)^alpha   (Wu et al. 2016)
enum class LengthPenalty { none, average, wu };
std::span<const char* const> option_names(LengthPenalty);

/// What is added to the score of a hypothesis whose attention has fallen on source word i with c_i in all:
///   none     nothing
///   wu       beta sum_i log(min(c_i, 1)): words that were not looked at       (Wu et al. 2016)
///   summary  -beta sum_i (max(c_i, 1) - 1): words that were looked at twice   (Gehrmann et al. 2018)
enum class CoveragePenalty { none, wu, summary };
std::span<const char* const> option_names(CoveragePenalty);

struct SearchOptions {
  int64_t beam_size = 5;
  int64_t n_best = 1;
  LengthPenalty length_penalty = LengthPenalty::average;
  double length_penalty_alpha = 1.0;
  CoveragePenalty coverage_penalty = CoveragePenalty::none;
  double coverage_penalty_beta = 0.2;
  bool stepwise_penalty = false;
  int64_t min_length = 0;
  int64_t max_length = 0;
  double patience = 1.0;
  bool ban_unknown = false;
  static void fields(auto& o, auto& f) {
    f("beam-size", o.beam_size, "hypotheses kept a sentence; 1 = greedy", in_range(1, 1000));
    f("n-best", o.n_best, "outputs a sentence, at most the beam size", in_range(1, 1000));
    f("length-penalty", o.length_penalty,
      "divide log-probabilities by the length n^alpha (average) or by ((5 + n) / 6)^alpha (wu)");
    f("length-penalty-alpha", o.length_penalty_alpha, "its exponent", in_range(0, 10));
    f("coverage-penalty", o.coverage_penalty,
      "lower the score for source words never looked at (wu) or looked at more than once (summary)");
    f("coverage-penalty-beta", o.coverage_penalty_beta, "its weight", at_least(0));
    f("stepwise-penalty", o.stepwise_penalty,
      "let the coverage penalty also decide which unfinished hypotheses are kept");
    f("min-length", o.min_length, "output tokens at least", at_least(0));
    f("max-length", o.max_length, "output tokens at most; 0 = twice the source plus 20", at_least(0));
    f("patience", o.patience, "end a sentence when this times the beam size hypotheses are complete",
      at_least(1));
    f("ban-unknown", o.ban_unknown, "never write <unk>");
  }
};

/// Rules between fields. Throws UsageError.
void check(const SearchOptions& options);

/// `log_probability` of `length` tokens, </s> included, under the length penalty.
double hypothesis_score(double log_probability, int64_t length, const SearchOptions& options);

/// The coverage penalty for past attention [words] of one hypothesis, </s> and sentence marks left out; at
/// most 0.
double coverage_score(std::span<const double> attention, const SearchOptions& options);

/// One output of a sentence.
struct Hypothesis {
  std::vector<int64_t> tokens;  ///< without </s>
  double log_probability = 0;   ///< with that of </s>
  double score = 0;             ///< under the length and coverage penalties
  std::vector<int64_t>
      source_positions;  ///< for each token the source word looked at most, no </s> or <s>; -1 = none
};

/// Beam search over a batch; for each sentence at most `n_best` hypotheses, best first. Beam size 1 is greedy
/// search.
///
/// Each step keeps the K likeliest continuations of a sentence's live hypotheses. Those that end in </s> are
/// complete; the others live on. A sentence is over when no hypothesis lives, when patience * K are complete
/// (Kasai et al. 2022; patience 1 is the usual rule), or when no live one can reach the n best any more: a
/// log-probability only falls, so its score is at most the present log-probability at the greatest length. A
/// hypothesis of the maximum length is closed with </s> at the price of its log-probability, so that scores
/// are those of the model. <pad> and <s> are never written. Throws Error when the model gives no numbers
/// (NaN).
std::vector<std::vector<Hypothesis>> search(Scorer& scorer, const SourceBatch& source,
                                            const SearchOptions& options);

}  // namespace seq2seq
