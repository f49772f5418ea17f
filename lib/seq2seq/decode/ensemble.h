#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "seq2seq/decode/scorer.h"

namespace seq2seq {

/// How the members' probabilities are combined:
///   linear  arithmetic mean
///   log     geometric mean, renormalized
enum class EnsembleMean { linear, log };
std::span<const char* const> option_names(EnsembleMean);

/// Several models of any architecture, with the same vocabularies, that decode together. A token that a
/// member cannot output (a copy slot where it does not copy) has probability 0 under that member. Attention
/// is the mean over the members that have attention.
class EnsembleScorer : public Scorer {
 public:
  EnsembleScorer(std::vector<std::unique_ptr<Scorer>> members, EnsembleMean mean);
  void begin(const SourceBatch& source) override;
  State start() override;
  Distribution distribution(const Tensor& tokens, State& state) override;
  void keep_sentences(const Tensor& rows) override;
  int64_t vocabulary_size() const override;
  bool has_attention() const override;
  at::Device device() const override { return members_.front()->device(); }
  /// Where all members are.
  bool batch_invariant() override;
  std::string why_no_steps() override;

 private:
  std::vector<std::unique_ptr<Scorer>> members_;
  EnsembleMean mean_;
  std::vector<size_t> state_sizes_;  // number of tensors of each member's state; the states are concatenated
};

}  // namespace seq2seq
