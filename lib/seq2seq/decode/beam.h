#pragma once

// Private to decode: the beam of one sentence, without tensors.

#include <cstdint>
#include <set>
#include <vector>

#include "seq2seq/decode/phrase_set.h"
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

/// The most tokens that an output may have, its prefix aside. `source_length` in tokens without </s>.
int64_t longest_output(const SearchOptions& options, int64_t source_length);

/// The phrases of the rules of one sentence.
struct SentencePhrases {
  const PhraseSet* output;  ///< banned and biased
  PhraseSet required;
  Phrase prefix;
  bool unknown_is_replaced;
};

/// Where a hypothesis stands in them.
struct Standing {
  PhraseSet::State output = {}, required = {};
  Phrase::Node prefix = Phrase::start;
};

class Beam {
 public:
  /// `source_length` in tokens without </s>. The options and phrases must outlive it; null = no rules.
  /// `adjustments_rise`: adjustments may be positive, so that scores of live hypotheses may rise.
  Beam(const SearchOptions& options, int64_t source_length, const SentencePhrases* phrases = nullptr,
       bool adjustments_rise = false);

  /// Extends the live hypotheses by one token and keeps the best; some may become complete.
  void advance(const BeamOffers& offers);
  bool done() const { return done_; }
  /// Ends the search without an output.
  void fail(NoOutput why);
  /// Whether the search ended at the maximum length.
  bool closed() const { return closed_; }

  /// The progress of a hypothesis in the required phrases.
  struct Required {
    uint64_t met = 0;  ///< one bit per phrase
    size_t begun = 0;  ///< tokens of an unmet phrase that it ends with, at most
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
  /// Sets `newest_first` to the tokens of a live hypothesis.
  void read_history(const Live& hypothesis, std::vector<int64_t>& newest_first) const;
  /// The usual next tokens of each unmet required phrase.
  std::vector<int64_t> wanted(const Live& hypothesis) const;
  /// Only with phrases.
  const Standing& standing(const Live& hypothesis) const;
  int64_t minimum_length() const { return minimum_length_; }
  /// The n best complete hypotheses.
  SentenceOutputs best() const;

 private:
  struct Node {
    int64_t token, parent, source_position;
    double log_probability;
  };
  struct Complete {
    int64_t node;
    double log_probability, last_probability, score;
    uint64_t met;                                  // required phrases
    size_t missing;                                // number of unmet ones
    bool operator<(const Complete& other) const {  // better
      return missing != other.missing ? missing < other.missing : score > other.score;
    }
  };
  /// The complete hypotheses of a group of the beam, or of all of it.
  struct Group {
    std::vector<Complete> best;  // at most `outputs_each()`, best first
    int64_t completed = 0;
    bool done = false;
  };
  /// The hypothesis of `row`, continued by that offer (an index into all of them); without `required`.
  Live continued(const BeamOffers& offers, size_t row, size_t offer) const;
  std::vector<Live> candidates(const BeamOffers& offers) const;
  std::vector<Live> kept(std::vector<Live> candidates);
  std::vector<Live> in_groups(const std::vector<Live>& candidates);
  std::vector<Live> in_turn(const std::vector<Live>& candidates) const;
  double rank(const Live& hypothesis) const;
  void close(const BeamOffers& offers);
  void complete(const Live& hypothesis);
  Hypothesis hypothesis_of(const Complete& complete) const;
  std::vector<int64_t> tokens_of(const Live& hypothesis) const;
  int64_t symbol(int64_t token, int64_t source_position) const;
  Standing after(const Standing& before, int64_t symbol) const;
  Required after(const Live& before, int64_t symbol) const;
  size_t required_tokens(const Required& state) const;
  size_t missing(const Required& state) const;
  bool requires_phrases() const { return phrases_ != nullptr && !phrases_->required.empty(); }
  int64_t outputs_each() const;
  bool over();
  bool over(size_t group) const;
  static size_t group_of(const Live& hypothesis) {
    return hypothesis.group < 0 ? 0 : static_cast<size_t>(hypothesis.group);
  }

  const SearchOptions* options_;
  const SentencePhrases* phrases_;
  bool adjustments_rise_;
  int64_t maximum_length_, minimum_length_;
  int64_t length_ = 0;  // tokens of each live hypothesis
  bool done_ = false, closed_ = false;
  NoOutput why_ = NoOutput::none;
  std::vector<Node> nodes_;          // tree of all hypotheses
  std::vector<Standing> standings_;  // of each node, with phrases
  std::vector<Live> live_;
  std::vector<Group> groups_;
  std::set<std::vector<int64_t>> found_;  // outputs of all groups, if there are several
};

}  // namespace seq2seq
