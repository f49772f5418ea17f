#include "seq2seq/decode/ensemble.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "seq2seq/nn/engine/part_clock.h"
#include "seq2seq/nn/ops/mean_distribution.h"

namespace seq2seq {
namespace {

constexpr const char* mean_names[] = {"linear", "log"};

/// One after the other: a reduction adds in an order that depends on the place.
Tensor mean_attention(const std::vector<Tensor>& members) {
  Tensor sum = members.front();
  for (size_t i = 1; i < members.size(); ++i) sum = sum + members[i];
  return sum / static_cast<double>(members.size());
}

}  // namespace

std::span<const char* const> option_names(EnsembleMean) {
  return mean_names;
}

EnsembleScorer::EnsembleScorer(std::vector<std::unique_ptr<Scorer>> members, EnsembleMean mean)
    : members_(std::move(members)), mean_(mean) {
  TORCH_CHECK(!members_.empty(), "an ensemble needs a member");
}

void EnsembleScorer::begin(const SourceBatch& source) {
  for (const auto& member : members_) member->begin(source);
}

State EnsembleScorer::start() {
  State all;
  state_sizes_.clear();
  for (const auto& member : members_) {
    State own = member->start();
    state_sizes_.push_back(own.tensors.size());
    std::move(own.tensors.begin(), own.tensors.end(), std::back_inserter(all.tensors));
  }
  return all;
}

Distribution EnsembleScorer::distribution(const Tensor& tokens, State& state) {
  std::vector<Tensor> distributions, attentions;
  State next;
  auto begin = state.tensors.begin();
  for (size_t i = 0; i < members_.size(); ++i) {
    const auto end = begin + static_cast<std::ptrdiff_t>(state_sizes_[i]);
    State own(std::vector<Tensor>(begin, end));
    begin = end;
    Distribution one = members_[i]->distribution(tokens, own);
    distributions.push_back(std::move(one.log_probabilities));
    if (members_[i]->has_attention()) attentions.push_back(std::move(one.attention));
    std::move(own.tensors.begin(), own.tensors.end(), std::back_inserter(next.tensors));
  }
  state = std::move(next);
  const PartScope timed(Part::vocabulary);
  return {mean_distribution(
              mean_ == EnsembleMean::linear ? DistributionMean::arithmetic : DistributionMean::geometric,
              distributions),
          attentions.empty() ? at::zeros({tokens.size(0), 0}) : mean_attention(attentions)};
}

bool EnsembleScorer::batch_invariant() {
  return std::all_of(members_.begin(), members_.end(),
                     [](const auto& member) { return member->batch_invariant(); });
}

std::string EnsembleScorer::why_no_steps() {
  for (size_t i = 0; i < members_.size(); ++i)
    if (const std::string why = members_[i]->why_no_steps(); !why.empty())
      return "model " + std::to_string(i + 1) + ": " + why;
  return {};
}

void EnsembleScorer::keep_sentences(const Tensor& rows) {
  for (const auto& member : members_) member->keep_sentences(rows);
}

int64_t EnsembleScorer::vocabulary_size() const {
  int64_t size = 0;
  for (const auto& member : members_) size = std::max(size, member->vocabulary_size());
  return size;
}

bool EnsembleScorer::has_attention() const {
  return std::any_of(members_.begin(), members_.end(),
                     [](const auto& member) { return member->has_attention(); });
}

}  // namespace seq2seq
