#pragma once

// Private to decode: the candidates of a hypothesis where options or rules depend on its tokens so far.

#include <cstdint>
#include <vector>

#include "seq2seq/decode/phrase_set.h"
#include "seq2seq/decode/search.h"

namespace seq2seq {

/// A token, its log-probability and what rules add to it.
struct Candidate {
  int64_t token;
  double log_probability, adjustment;
};

class Steering {
 public:
  /// Both must outlive it.
  Steering(const SearchOptions& options, const OutputRules& rules);

  /// Whether search needs the full distribution rather than the model's most probable tokens.
  static bool needed(const SearchOptions& options, const OutputRules& rules,
                     std::span<const SentenceRules> sentence_rules);

  /// The phrases that are banned, then those that are biased.
  const PhraseSet& phrases() const { return phrases_; }

  struct PartialHypothesis {
    std::vector<int64_t> tokens;  ///< generated so far
    std::vector<int64_t> wanted;  ///< candidates even if not among the best
    const PhraseSet::State& begun;
    const SentenceRules* rules = nullptr;
    Phrase::Node in_prefix = Phrase::start;  ///< where it stands in the prefix of `rules`
    int64_t source_position = -1;            ///< that it attends to most; -1 = none
    bool may_end = true;
    int64_t slot = 0;  ///< index among the sentence's hypotheses; seeds its samples
  };
  /// The `count` best tokens, best first, then the wanted ones; with sampling, `count` samples.
  std::vector<Candidate> candidates(const PartialHypothesis& hypothesis,
                                    std::span<const double> log_probabilities, int64_t count) const;

 private:
  void apply_phrases(const PartialHypothesis& hypothesis) const;
  void adjust(const PartialHypothesis& hypothesis, std::span<const double> log_probabilities) const;
  void block_ngrams(const std::vector<int64_t>& tokens) const;
  std::vector<Candidate> of_prefix(const PartialHypothesis& hypothesis,
                                   std::span<const double> log_probabilities) const;
  std::vector<Candidate> drawn(const PartialHypothesis& hypothesis, std::span<const double> log_probabilities,
                               int64_t count) const;
  std::vector<int64_t> likeliest(int64_t count) const;

  const SearchOptions& options_;
  const OutputRules& rules_;
  PhraseSet phrases_;
  mutable std::vector<double> adjustments_, scores_;  // per token, of the current hypothesis
};

}  // namespace seq2seq
