#include "seq2seq/decode/ensemble.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

#include "seq2seq/nn/engine/part_clock.h"

namespace seq2seq {
namespace {

constexpr const char* mean_names[] = {"linear", "log"};

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
  int64_t width = 0;
  for (const Tensor& one : distributions) width = std::max(width, one.size(1));
  for (Tensor& one : distributions)
    if (one.size(1) < width)
      one = at::constant_pad_nd(one, {0, width - one.size(1)}, -std::numeric_limits<double>::infinity());
  const Tensor all = at::stack(distributions);  // [members, N, W]
  Distribution result;
  result.log_probabilities = mean_ == EnsembleMean::linear
                                 ? all.logsumexp(0) - std::log(static_cast<double>(members_.size()))
                                 : all.mean(0).log_softmax(1);
  result.attention = attentions.empty() ? at::zeros({tokens.size(0), 0}) : at::stack(attentions).mean(0);
  return result;
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
