#include "seq2seq/decode/beam.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "seq2seq/core/error.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq {
namespace {

constexpr int64_t root = -1;
constexpr double impossible = -std::numeric_limits<double>::infinity();

int64_t maximum_length(const SearchOptions& options, int64_t source_length) {
  const int64_t limit = options.max_length > 0 ? options.max_length : 2 * source_length + 20;
  return std::max(limit, options.min_length);
}

}  // namespace

Beam::Beam(const SearchOptions& options, int64_t source_length)
    : options_(&options),
      maximum_length_(maximum_length(options, source_length)),
      live_{{0, Vocabulary::begin, 0.0, root}} {}

std::vector<Beam::Live> Beam::continuations(const BeamOffers& offers) const {
  std::vector<Live> all;
  all.reserve(live_.size() * static_cast<size_t>(offers.each));
  for (size_t row = 0; row < live_.size(); ++row) {
    const double penalty = offers.penalties == nullptr ? 0.0 : offers.penalties[row];
    for (int64_t i = 0; i < offers.each; ++i) {
      const size_t at = row * static_cast<size_t>(offers.each) + static_cast<size_t>(i);
      const double total = live_[row].log_probability + offers.log_probabilities[at];
      if (std::isnan(total))
        throw Error("model", "its probabilities are not numbers (NaN)", "use an earlier checkpoint");
      if (total > impossible)
        all.push_back({static_cast<int64_t>(row), offers.tokens[at], total, live_[row].node, penalty});
    }
  }
  // Equal ones stay in the order of their rows, so that a result never depends on the sorting method.
  const auto rank = [&](const Live& h) {
    return h.log_probability + (options_->stepwise_penalty ? h.penalty : 0.0);
  };
  const auto better = [&](const Live& a, const Live& b) { return rank(a) > rank(b); };
  std::stable_sort(all.begin(), all.end(), better);
  if (all.size() > static_cast<size_t>(options_->beam_size))
    all.resize(static_cast<size_t>(options_->beam_size));
  return all;
}

void Beam::advance(const BeamOffers& offers) {
  if (length_ == maximum_length_) {
    for (size_t row = 0; row < live_.size(); ++row)
      complete(live_[row].node, live_[row].log_probability + offers.end_log_probabilities[row],
               offers.penalties == nullptr ? 0.0 : offers.penalties[row]);
    live_.clear();
    done_ = true;
    return;
  }
  std::vector<Live> next = continuations(offers);
  live_.clear();
  for (Live& hypothesis : next) {
    if (hypothesis.token == Vocabulary::end) {
      complete(hypothesis.node, hypothesis.log_probability, hypothesis.penalty);
      continue;
    }
    nodes_.push_back({hypothesis.token, hypothesis.node, offers.source_positions[hypothesis.row]});
    hypothesis.node = static_cast<int64_t>(nodes_.size()) - 1;
    live_.push_back(hypothesis);
  }
  ++length_;
  done_ = over();
  if (done_) live_.clear();
}

void Beam::complete(int64_t node, double log_probability, double penalty) {
  ++completed_;
  const Complete finished{node, log_probability,
                          hypothesis_score(log_probability, length_ + 1, *options_) + penalty};
  const auto place = std::upper_bound(best_.begin(), best_.end(), finished,
                                      [](const Complete& a, const Complete& b) { return a.score > b.score; });
  best_.insert(place, finished);
  if (best_.size() > static_cast<size_t>(options_->n_best)) best_.pop_back();
}

bool Beam::over() const {
  if (live_.empty()) return true;
  if (static_cast<double>(completed_) >= options_->patience * static_cast<double>(options_->beam_size))
    return true;
  if (best_.size() < static_cast<size_t>(options_->n_best)) return false;
  // Coverage takes away at most nothing. Under stepwise penalties the first is not the likeliest.
  double likeliest = impossible;
  for (const Live& hypothesis : live_) likeliest = std::max(likeliest, hypothesis.log_probability);
  const double reachable = hypothesis_score(likeliest, maximum_length_ + 1, *options_);
  return reachable <= best_.back().score;
}

std::vector<Hypothesis> Beam::best() const {
  std::vector<Hypothesis> result;
  for (const Complete& complete : best_) {
    Hypothesis hypothesis;
    hypothesis.log_probability = complete.log_probability;
    hypothesis.score = complete.score;
    for (int64_t at = complete.node; at != root; at = nodes_[static_cast<size_t>(at)].parent) {
      hypothesis.tokens.push_back(nodes_[static_cast<size_t>(at)].token);
      hypothesis.source_positions.push_back(nodes_[static_cast<size_t>(at)].source_position);
    }
    std::reverse(hypothesis.tokens.begin(), hypothesis.tokens.end());
    std::reverse(hypothesis.source_positions.begin(), hypothesis.source_positions.end());
    result.push_back(std::move(hypothesis));
  }
  return result;
}

}  // namespace seq2seq
