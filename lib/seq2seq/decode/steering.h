#pragma once

// Private to decode: what options and rules do to the next token of a hypothesis that depends on its tokens so far.

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "seq2seq/decode/phrase_set.h"
#include "seq2seq/decode/search.h"

namespace seq2seq {

/// A token, its log-probability and what rules add to it.
struct Candidate {
  int64_t token;
  double log_probability, adjustment;
  double score() const { return log_probability + adjustment; }
};

/// Collects the adjustments of one row after the other.
class AdjustmentRows {
 public:
  AdjustmentRows() { clear(); }
  void clear() {
    collected_.all.clear();
    collected_.begins.assign(1, 0);
  }
  /// That of a token in the current row, as yet without effect if it is new.
  Adjustment& of(int64_t token) {
    const auto at = static_cast<size_t>(token);
    if (at >= places_.size()) places_.resize(at + 1);
    if (places_[at] == 0) {
      collected_.all.push_back({token});
      places_[at] = std::ssize(collected_.all) - collected_.begins.back();
    }
    return collected_.all[static_cast<size_t>(collected_.begins.back() + places_[at] - 1)];
  }
  void forbid(int64_t token) { of(token).added = -std::numeric_limits<double>::infinity(); }
  void end_row() {
    for (auto i = static_cast<size_t>(collected_.begins.back()); i < collected_.all.size(); ++i)
      places_[static_cast<size_t>(collected_.all[i].index)] = 0;
    collected_.begins.push_back(std::ssize(collected_.all));
  }
  const Adjustments& collected() const { return collected_; }

 private:
  Adjustments collected_;
  std::vector<int64_t> places_;  // by token, in the current row from 1; 0 = none
};

class Steering {
 public:
  /// Both must outlive it.
  Steering(const SearchOptions& options, const OutputRules& rules);

  /// Whether what may follow depends on the hypothesis.
  static bool needed(const SearchOptions& options, const OutputRules& rules,
                     std::span<const SentenceRules> sentence_rules);

  /// The phrases that are banned, then those that are biased.
  const PhraseSet& phrases() const { return phrases_; }
  /// Whether they heed what <unk> is written as, which is known only with the candidates.
  bool heeds_replaced() const { return heeds_replaced_; }

  struct PartialHypothesis {
    int64_t length = 0;                       ///< tokens generated so far
    std::vector<int64_t> wanted = {};         ///< candidates even if not among the best
    const PhraseSet::State* begun = nullptr;  ///< in `phrases`
    const SentenceRules* rules = nullptr;
    Phrase::Node in_prefix = Phrase::start;  ///< where it stands in the prefix of `rules`
    bool may_end = true;
    int64_t slot = 0;  ///< index among the sentence's hypotheses; seeds its samples
  };
  /// Lists in a row what is done to the next token, whatever <unk> is written as. Never generated are <pad>
  /// and <s>, which are not listed. `newest_first`: the tokens generated so far.
  void adjust(const PartialHypothesis& hypothesis, std::span<const int64_t> newest_first,
              AdjustmentRows& rows) const;

  /// What a model says of the next token.
  struct Found {
    std::span<const int64_t> tokens;            ///< the best: one more than the beam size if it heeds <unk>
    std::span<const double> log_probabilities;  ///< of these
    std::span<const Adjustment> adjustments;    ///< as listed
    std::span<const double> adjusted;           ///< log-probabilities of the tokens of these
  };
  /// The best tokens, best first, then the wanted ones; within the prefix its next ones.
  /// `source_position`: that it attends to most; -1 = none.
  std::vector<Candidate> candidates(const PartialHypothesis& hypothesis, const Found& found,
                                    int64_t source_position) const;
  /// `count` samples of a distribution; within the prefix its likeliest next token.
  std::vector<Candidate> drawn(const PartialHypothesis& hypothesis, std::span<const double> log_probabilities,
                               std::span<const Adjustment> adjustments, int64_t source_position,
                               int64_t count) const;

 private:
  double effect(size_t phrase, const Phrase::Edge& edge) const;
  double effect_on_replaced(const PartialHypothesis& hypothesis, int64_t source_position) const;
  void apply_phrases(const PartialHypothesis& hypothesis, AdjustmentRows& rows) const;
  void block_ngrams(std::span<const int64_t> newest_first, AdjustmentRows& rows) const;
  void settle_unknown(const PartialHypothesis& hypothesis, const Found& found, int64_t source_position,
                      std::vector<Candidate>& best) const;
  std::vector<Candidate> of_prefix(const PartialHypothesis& hypothesis, const Found& found,
                                   int64_t source_position) const;
  std::vector<int64_t> likeliest(int64_t count) const;

  const SearchOptions& options_;
  const OutputRules& rules_;
  PhraseSet phrases_;
  bool heeds_replaced_;
  std::vector<Adjustment> beginnings_;  // by the first tokens of phrases, `unknown_written_as` included
  mutable std::vector<double> scores_;  // per token, of the hypothesis that draws
};

}  // namespace seq2seq
