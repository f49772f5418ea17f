#pragma once

#include <cstdint>
#include <span>
#include <unordered_set>
#include <utility>
#include <vector>

#include "seq2seq/core/options.h"
#include "seq2seq/decode/hypothesis.h"
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

/// When a sentence is over, beside that no hypothesis lives:
///   patience    when patience * K hypotheses are complete (Kasai et al. 2022; 1 is the usual rule), or as
///   below first       when one is complete exhaustive  when no live one can reach the n best any more
enum class Stopping { patience, first, exhaustive };
std::span<const char* const> option_names(Stopping);

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
  double max_length_ratio = 0, min_length_ratio = 0;
  Stopping stopping = Stopping::patience;
  double patience = 1.0;
  bool ban_unknown = false;
  double repetition_penalty = 1.0;
  int64_t no_repeat_ngram = 0;
  int64_t beam_groups = 1;
  double diversity = 0.5;
  bool sample = false;
  double temperature = 1.0;
  int64_t sample_top_k = 0;
  double sample_top_p = 1.0;
  static void fields(auto& o, auto& f) {
    f("beam-size", o.beam_size, "hypotheses kept a sentence; 1 = greedy", in_range(1, 1000), everyday);
    f("n-best", o.n_best, "outputs a sentence, at most the beam size", in_range(1, 1000), everyday);
    f("length-penalty", o.length_penalty,
      "divide log-probabilities by the length n^alpha (average) or by ((5 + n) / 6)^alpha (wu)", everyday);
    f("length-penalty-alpha", o.length_penalty_alpha, "its exponent", in_range(0, 10),
      only_if(o.length_penalty != LengthPenalty::none, "add --length-penalty average or wu"));
    f("coverage-penalty", o.coverage_penalty,
      "lower the score for source words never looked at (wu) or looked at more than once (summary)");
    const OptionCondition with_coverage_penalty =
        only_if(o.coverage_penalty != CoveragePenalty::none, "add --coverage-penalty wu or summary");
    f("coverage-penalty-beta", o.coverage_penalty_beta, "its weight", at_least(0), with_coverage_penalty);
    f("stepwise-penalty", o.stepwise_penalty,
      "let the coverage penalty also decide which unfinished hypotheses are kept", with_coverage_penalty);
    f("min-length", o.min_length, "output tokens at least", at_least(0));
    f("max-length", o.max_length, "output tokens at most; 0 = twice the source plus 20", at_least(0),
      everyday);
    f("max-length-ratio", o.max_length_ratio, "output tokens at most, a source token; 0 = no such limit",
      in_range(0, 1000));
    f("min-length-ratio", o.min_length_ratio, "output tokens at least, a source token", in_range(0, 1000));
    f("stopping", o.stopping,
      "end a sentence when enough hypotheses are complete (patience), when one is (first), or only when no "
      "other can "
      "be better (exhaustive)");
    f("patience", o.patience, "end a sentence when this times the beam size hypotheses are complete",
      at_least(1), only_if(o.stopping == Stopping::patience, "add --stopping patience"));
    f("ban-unknown", o.ban_unknown, "never write <unk>");
    f("repetition-penalty", o.repetition_penalty,
      "multiply the log-probability of a token that was written already by this; 1 = no penalty",
      in_range(1, 100));
    f("no-repeat-ngram", o.no_repeat_ngram, "never write n tokens in a row twice; 0 = allow it",
      in_range(0, 100));
    f("beam-groups", o.beam_groups,
      "groups of the beam that avoid each other's words (diverse beam search); divides the beam size",
      in_range(1, 1000));
    f("diversity", o.diversity, "what a word costs a group that an earlier group chose at the same place",
      at_least(0), only_if(o.beam_groups > 1, "add --beam-groups 2 or more"));
    f("sample", o.sample,
      "draw each word by its probability; --beam-size outputs are drawn, --n-best are kept", everyday);
    const OptionCondition sampling = only_if(o.sample, "add --sample");
    f("temperature", o.temperature, "divide log-probabilities by this before drawing", in_range(0.01, 100),
      sampling);
    f("sample-top-k", o.sample_top_k, "draw from the k likeliest words; 0 = from all", at_least(0), sampling);
    f("sample-top-p", o.sample_top_p, "draw from the likeliest words that have this probability together",
      in_range(0.0001, 1), sampling);
  }
};

/// Rules between fields. Throws UsageError.
void check(const SearchOptions& options);

/// `log_probability` of `length` tokens, </s> included, under the length penalty.
double hypothesis_score(double log_probability, int64_t length, const SearchOptions& options);

/// The coverage penalty for past attention [words] of one hypothesis, </s> and sentence marks left out; at
/// most 0.
double coverage_score(std::span<const double> attention, const SearchOptions& options);

/// Target tokens in a row.
using Phrase = std::vector<int64_t>;

/// What no output may hold, or rather should.
struct OutputRules {
  std::vector<Phrase> banned = {};
  /// Added to the log-probability of each token of a phrase where it continues the phrase.
  std::vector<std::pair<Phrase, double>> biased = {};
  /// Tokens that may repeat: n-grams with one of them are not blocked, and they are not penalised.
  std::unordered_set<int64_t> repeatable = {};
  bool empty() const { return banned.empty() && biased.empty(); }
};

/// What is asked of the output of one sentence.
struct SentenceRules {
  Phrase prefix = {};                 ///< it begins with these
  std::vector<Phrase> required = {};  ///< and holds each of these, at most 64
  uint64_t seed = 0;                  ///< of its draws
};

/// Beam search over a batch; for each sentence at most `n_best` hypotheses, best first. Beam size 1 is greedy
/// search.
///
/// Each step keeps the K likeliest continuations of a sentence's live hypotheses. Those that end in </s> are
/// complete; the others live on, until `Stopping` says otherwise: a log-probability only falls, so a live
/// one's score is at most the present log-probability at the greatest length. With groups (Vijayakumar et al.
/// 2018) each group keeps its share of the K, one group after the other. With required phrases the K are
/// taken in turn from the hypotheses that have the same number of required tokens (Post and Vilar 2018), and
/// only what has them all may end. A hypothesis of the maximum length is closed with </s> at the price of its
/// log-probability, so that scores are those of the model. <pad> and <s> are never written. Throws Error when
/// the model gives no numbers (NaN).
std::vector<std::vector<Hypothesis>> search(Scorer& scorer, const SourceBatch& source,
                                            const SearchOptions& options, const OutputRules& rules = {},
                                            std::span<const SentenceRules> sentence_rules = {});

}  // namespace seq2seq
