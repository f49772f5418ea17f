#pragma once

// Private to decode: the bookkeeping of one sentence, on plain numbers.

#include <cstdint>
#include <vector>

#include "seq2seq/decode/search.h"

namespace seq2seq {

/// What the model offers for the hypotheses of one sentence, in the order of its rows.
struct BeamOffers {
  int64_t each;                         ///< candidates of a row
  const double* log_probabilities;      ///< [rows, each]
  const int64_t* tokens;                ///< [rows, each]
  const double* end_log_probabilities;  ///< [rows] of </s>
  const int64_t* source_positions;      ///< [rows]
  const double* penalties = nullptr;    ///< [rows] at most 0, of the coverage with this step; null = none
};

class Beam {
 public:
  /// `source_length` in tokens without </s>.
  Beam(const SearchOptions& options, int64_t source_length);

  /// Adds a token to every live hypothesis; some may become complete.
  void advance(const BeamOffers& offers);
  bool done() const { return done_; }

  struct Live {
    int64_t row;    ///< the row of this sentence that it continues
    int64_t token;  ///< its last
    double log_probability;
    int64_t node;
    double penalty = 0;  ///< of its coverage
  };
  const std::vector<Live>& live() const { return live_; }
  /// The n best complete hypotheses.
  std::vector<Hypothesis> best() const;

 private:
  struct Node {
    int64_t token, parent, source_position;
  };
  struct Complete {
    int64_t node;
    double log_probability, score;
  };
  std::vector<Live> continuations(const BeamOffers& offers) const;
  void complete(int64_t node, double log_probability, double penalty);
  bool over() const;

  const SearchOptions* options_;
  int64_t maximum_length_;
  int64_t length_ = 0;  // tokens of each live hypothesis
  int64_t completed_ = 0;
  bool done_ = false;
  std::vector<Node> nodes_;  // all hypotheses as a tree
  std::vector<Live> live_;
  std::vector<Complete> best_;  // at most n_best, best first
};

}  // namespace seq2seq
