#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <unordered_set>
#include <utility>
#include <vector>

#include "seq2seq/core/options.h"
#include "seq2seq/decode/hypothesis.h"
#include "seq2seq/decode/phrase.h"
#include "seq2seq/decode/scorer.h"

namespace seq2seq {

/// The length penalty, by which a score divides the log-probability of n tokens (</s> included):
///   none     1
///   average  n^alpha
///   wu       ((5 + n) / 6)^alpha   (Wu et al. 2016)
enum class LengthPenalty { none, average, wu };
std::span<const char* const> option_names(LengthPenalty);

/// What is added to the score of a hypothesis whose total attention to source token i is c_i:
///   none     nothing
///   wu       beta sum_i log(min(c_i, 1)): tokens attended to too little         (Wu et al. 2016)
///   summary  -beta sum_i (max(c_i, 1) - 1): tokens attended to more than once   (Gehrmann et al. 2018)
enum class CoveragePenalty { none, wu, summary };
std::span<const char* const> option_names(CoveragePenalty);

/// When the search of a sentence ends, except for lack of live hypotheses; not used in sampling:
///   patience    when patience * K hypotheses are complete (Kasai et al. 2022; 1 is usual), or as exhaustive
///               (where phrases are required only so)
///   first       when n_best hypotheses are complete
///   exhaustive  when no live hypothesis can be among the n best any more
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
    f("beam-size", o.beam_size, "hypotheses kept per sentence; 1 = greedy", in_range(1, 1000), everyday);
    f("n-best", o.n_best, "outputs per sentence, at most the beam size", in_range(1, 1000), everyday);
    f("length-penalty", o.length_penalty,
      "normalize scores by length: divide log-probabilities by n^alpha (average) or "
      "((5 + n) / 6)^alpha (wu) for n tokens",
      everyday);
    f("length-penalty-alpha", o.length_penalty_alpha, "exponent of the length penalty", in_range(0, 10),
      only_if(o.length_penalty != LengthPenalty::none, "add --length-penalty average or wu"));
    f("coverage-penalty", o.coverage_penalty,
      "lower the score for source tokens attended to too little (wu) or more than once (summary)");
    const OptionCondition with_coverage_penalty =
        only_if(o.coverage_penalty != CoveragePenalty::none, "add --coverage-penalty wu or summary");
    f("coverage-penalty-beta", o.coverage_penalty_beta, "weight of the coverage penalty", at_least(0),
      with_coverage_penalty);
    f("stepwise-penalty", o.stepwise_penalty,
      "apply the coverage penalty at every step, also to unfinished hypotheses", with_coverage_penalty);
    f("min-length", o.min_length, "minimum output length in tokens", at_least(0));
    f("max-length", o.max_length, "maximum output length in tokens; 0 = twice the source length plus 20",
      at_least(0), everyday);
    f("max-length-ratio", o.max_length_ratio,
      "maximum number of output tokens per source token; 0 = no limit", in_range(0, 1000));
    f("min-length-ratio", o.min_length_ratio, "minimum number of output tokens per source token",
      in_range(0, 1000));
    const OptionCondition not_drawn =
        only_if(!o.sample, "leave it or --sample out: each draw ends by itself");
    const OptionCondition of_beams = noted_unless(o.beam_size > 1, "with one beam");
    f("stopping", o.stopping,
      "end the search of a sentence when enough hypotheses are complete (patience), when --n-best are "
      "(first), or only when no other can be better (exhaustive)",
      not_drawn, of_beams);
    f("patience", o.patience,
      "end the search of a sentence when this times the beam size hypotheses are complete", at_least(1),
      only_if(o.stopping == Stopping::patience, "add --stopping patience"), not_drawn, of_beams);
    f("ban-unknown", o.ban_unknown, "never generate <unk>");
    f("repetition-penalty", o.repetition_penalty,
      "multiply the log-probability of tokens generated before by this; 1 = no penalty", in_range(1, 100));
    f("no-repeat-ngram", o.no_repeat_ngram, "never generate an n-gram of this length twice; 0 = off",
      in_range(0, 100));
    f("beam-groups", o.beam_groups,
      "groups of the beam that avoid each other's tokens (diverse beam search); must divide the beam size",
      in_range(1, 1000));
    f("diversity", o.diversity,
      "penalty for a token for each time that an earlier group chose it at the same step", at_least(0),
      only_if(o.beam_groups > 1, "add --beam-groups 2 or more"));
    f("sample", o.sample,
      "sample tokens from the model's distribution: --beam-size outputs are drawn, --n-best of them are kept; "
      "by default the best of five, with --beam-size 1 the only one drawn",
      everyday);
    const OptionCondition sampling = only_if(o.sample, "add --sample");
    f("temperature", o.temperature, "divide log-probabilities by this before sampling", in_range(0.01, 100),
      sampling);
    f("sample-top-k", o.sample_top_k, "sample from the k most probable tokens; 0 = from all", at_least(0),
      sampling);
    f("sample-top-p", o.sample_top_p,
      "sample from the most probable tokens with this total probability (nucleus sampling)",
      in_range(0.0001, 1), sampling);
  }
};

/// Rules between fields. Throws UsageError.
void check(const SearchOptions& options);

/// The length-normalized score of `length` tokens, </s> included, with this log-probability.
double hypothesis_score(double log_probability, int64_t length, const SearchOptions& options);

/// The coverage penalty, at most 0. `attention`: the total on each source token, without </s> and <s>.
double coverage_score(std::span<const double> attention, const SearchOptions& options);

/// Phrases that no output may contain or that are made more or less probable.
struct OutputRules {
  std::vector<Phrase> banned = {};
  /// Added to the log-probability of each token of a usual sequence of a phrase where it continues the phrase,
  /// and of the last token of any other sequence.
  std::vector<std::pair<Phrase, double>> biased = {};
  /// Tokens that may repeat: n-grams with one of them are not blocked, and they are not penalized.
  std::unordered_set<int64_t> repeatable = {};
  /// Whether phrases heed what <unk> is written as (`unknown_written_as`).
  bool unknown_is_replaced = false;
  bool empty() const { return banned.empty() && biased.empty(); }
};

/// Constraints on the output of one sentence.
struct SentenceRules {
  Phrase prefix = {};                                   ///< the output begins with it, by a usual sequence
  std::vector<Phrase> required = {};                    ///< the output contains each of these, at most 64
  uint64_t seed = 0;                                    ///< of sampling
  std::shared_ptr<const OutputRules> output = nullptr;  ///< null = those of the whole batch
};

/// Beam search over a batch; for each sentence at most `n_best` hypotheses, best first. Beam size 1 is greedy
/// search. Each step keeps the K most probable continuations of a sentence's live hypotheses. Those that end
/// in </s> are complete; the others stay live until `Stopping` ends the search. A log-probability only
/// decreases, so the score of a live hypothesis is at most that of its current log-probability at the maximum
/// length. With groups (Vijayakumar et al. 2018) each group keeps its share of the K, one group after the
/// other, completes its share of outputs that no other group has found, and has its share among the n best;
/// where it finds too few there are fewer. With required phrases the K are taken in turn from banks of hypotheses with equally many required
/// tokens (Post and Vilar 2018), and </s> is only generated after all phrases. A hypothesis of the maximum
/// length is completed with </s> and its log-probability, so that scores are those of the model; it ranks
/// last if phrases are missing. <pad> and <s> are never generated. Whatever is wrong with the probabilities of
/// one sentence leaves the others alone (`SentenceOutputs::why`).
std::vector<SentenceOutputs> search(Scorer& scorer, const SourceBatch& source, const SearchOptions& options,
                                    const OutputRules& rules = {},
                                    std::span<const SentenceRules> sentence_rules = {});

}  // namespace seq2seq
