#pragma once

// Private to decode: the beam of one sentence, without tensors.

#include <cstdint>
#include <vector>

#include "seq2seq/decode/search.h"

namespace seq2seq {

/// The model's candidates for the hypotheses of one sentence, in the order of its rows.
struct BeamOffers {
  int64_t each;                         ///< candidates per row
  const double* log_probabilities;      ///< [rows, each]
  const int64_t* tokens;                ///< [rows, each]
  const double* end_log_probabilities;  ///< [rows] of </s>
  const int64_t* source_positions;      ///< [rows] most attended source position; -1 = none
  const double* penalties = nullptr;    ///< [rows] coverage penalties up to this step, at most 0; null = none
  const double* adjustments = nullptr;  ///< [rows, each] what rules add to log-probabilities; null = none
};

class Beam {
 public:
  /// `source_length` in tokens without </s>. The options and rules must outlive it; null = no rules.
  /// `adjustments_rise`: adjustments may be positive, so that scores of live hypotheses may rise.
  Beam(const SearchOptions& options, int64_t source_length, const SentenceRules* rules = nullptr,
       bool adjustments_rise = false);

  /// Extends the live hypotheses by one token and keeps the best; some may become complete.
  void advance(const BeamOffers& offers);
  bool done() const { return done_; }

  /// The progress of a hypothesis in the required phrases.
  struct Required {
    uint64_t met = 0;  ///< one bit per phrase
    size_t begun = 0;  ///< length of its longest suffix that begins an unmet phrase
  };
  struct Live {
    int64_t row;    ///< the row of BeamOffers that it continues
    int64_t token;  ///< its last token
    double log_probability;
    int64_t node;
    double penalty = 0;           ///< coverage penalty
    double adjustment = 0;        ///< sum of the adjustments by rules
    double last_probability = 0;  ///< log-probability of the last token
    int64_t group = -1;           ///< -1 = none yet, open to all
    Required required = {};
  };
  const std::vector<Live>& live() const { return live_; }
  /// The tokens of a live hypothesis.
  std::vector<int64_t> tokens(const Live& hypothesis) const { return tokens_until(hypothesis.node); }
  /// The next token of each unmet required phrase.
  std::vector<int64_t> wanted(const Live& hypothesis) const;
  int64_t minimum_length() const { return minimum_length_; }
  /// The n best complete hypotheses.
  std::vector<Hypothesis> best() const;

 private:
  struct Node {
    int64_t token, parent, source_position;
    double log_probability;
  };
  struct Complete {
    int64_t node;
    double log_probability, last_probability, score;
    size_t missing;  // number of unmet required phrases
  };
  /// The hypothesis of `row`, continued by that offer (an index into all of them); without `required`.
  Live continued(const BeamOffers& offers, size_t row, size_t offer) const;
  std::vector<Live> candidates(const BeamOffers& offers) const;
  std::vector<Live> kept(std::vector<Live> candidates) const;
  std::vector<Live> in_groups(const std::vector<Live>& candidates) const;
  std::vector<Live> in_turn(const std::vector<Live>& candidates) const;
  double rank(const Live& hypothesis) const;
  void complete(const Live& hypothesis);
  std::vector<int64_t> tokens_until(int64_t node) const;
  Required after(Required state, const std::vector<int64_t>& tokens) const;
  size_t required_tokens(const Required& state) const;
  size_t missing(const Required& state) const;
  bool over() const;

  const SearchOptions* options_;
  const SentenceRules* rules_;
  bool adjustments_rise_;
  int64_t maximum_length_, minimum_length_;
  int64_t length_ = 0;  // tokens of each live hypothesis
  int64_t completed_ = 0;
  bool done_ = false;
  std::vector<Node> nodes_;  // tree of all hypotheses
  std::vector<Live> live_;
  std::vector<Complete> best_;  // at most n_best, best first
};

}  // namespace seq2seq
