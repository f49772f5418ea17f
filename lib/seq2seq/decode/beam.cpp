#include "seq2seq/decode/beam.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <unordered_map>
#include <utility>

#include "seq2seq/core/error.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq {
namespace {

constexpr int64_t root = -1;
constexpr double impossible = -std::numeric_limits<double>::infinity();

int64_t by_ratio(double ratio, int64_t source_length) {
  return static_cast<int64_t>(std::ceil(ratio * static_cast<double>(source_length)));
}

int64_t shortest_output(const SearchOptions& options, int64_t source_length) {
  return std::max(options.min_length, by_ratio(options.min_length_ratio, source_length));
}

int64_t longest_output(const SearchOptions& options, int64_t source_length, const SentenceRules* rules) {
  int64_t limit = options.max_length > 0 ? options.max_length : 2 * source_length + 20;
  if (options.max_length_ratio > 0)
    limit = std::min(limit, std::max<int64_t>(1, by_ratio(options.max_length_ratio, source_length)));
  if (rules != nullptr) limit = std::max(limit, std::ssize(rules->prefix));
  return std::max(limit, shortest_output(options, source_length));
}

/// The length of the longest proper prefix of the phrase that `tokens` ends with.
size_t begun(const std::vector<int64_t>& tokens, const Phrase& phrase) {
  for (size_t count = std::min(tokens.size(), phrase.size() - 1); count > 0; --count)
    if (std::equal(phrase.begin(), phrase.begin() + static_cast<std::ptrdiff_t>(count),
                   tokens.end() - static_cast<std::ptrdiff_t>(count)))
      return count;
  return 0;
}

}  // namespace

Beam::Beam(const SearchOptions& options, int64_t source_length, const SentenceRules* rules,
           bool adjustments_rise)
    : options_(&options),
      rules_(rules != nullptr && rules->required.empty() ? nullptr : rules),
      adjustments_rise_(adjustments_rise),
      maximum_length_(longest_output(options, source_length, rules)),
      minimum_length_(shortest_output(options, source_length)),
      live_{{0, Vocabulary::begin, 0.0, root}} {}

std::vector<int64_t> Beam::tokens_until(int64_t node) const {
  std::vector<int64_t> result;
  for (int64_t at = node; at != root; at = nodes_[static_cast<size_t>(at)].parent)
    result.push_back(nodes_[static_cast<size_t>(at)].token);
  std::reverse(result.begin(), result.end());
  return result;
}

std::vector<int64_t> Beam::wanted(const Live& hypothesis) const {
  std::vector<int64_t> result;
  if (rules_ == nullptr) return result;
  const std::vector<int64_t> written = tokens(hypothesis);
  for (size_t i = 0; i < rules_->required.size(); ++i)
    if ((hypothesis.required.met >> i & 1) == 0)
      result.push_back(rules_->required[i][begun(written, rules_->required[i])]);
  return result;
}

Beam::Required Beam::after(Required state, const std::vector<int64_t>& tokens) const {
  state.begun = 0;
  for (size_t i = 0; i < rules_->required.size(); ++i) {
    if ((state.met >> i & 1) != 0) continue;
    const Phrase& phrase = rules_->required[i];
    if (tokens.size() >= phrase.size() && std::equal(phrase.rbegin(), phrase.rend(), tokens.rbegin()))
      state.met |= uint64_t{1} << i;
    else
      state.begun = std::max(state.begun, begun(tokens, phrase));
  }
  return state;
}

size_t Beam::required_tokens(const Required& state) const {
  size_t count = state.begun;
  for (size_t i = 0; i < rules_->required.size(); ++i)
    if ((state.met >> i & 1) != 0) count += rules_->required[i].size();
  return count;
}

size_t Beam::missing(const Required& state) const {
  return rules_ == nullptr ? 0 : rules_->required.size() - static_cast<size_t>(std::popcount(state.met));
}

double Beam::rank(const Live& hypothesis) const {
  return hypothesis.log_probability + hypothesis.adjustment +
         (options_->stepwise_penalty ? hypothesis.penalty : 0.0);
}

Beam::Live Beam::continued(const BeamOffers& offers, size_t row, size_t offer) const {
  Live next = live_[row];
  next.row = static_cast<int64_t>(row);
  next.token = offers.tokens[offer];
  next.last_probability = offers.log_probabilities[offer];
  next.log_probability += next.last_probability;
  next.penalty = offers.penalties == nullptr ? 0.0 : offers.penalties[row];
  if (offers.adjustments != nullptr) next.adjustment += offers.adjustments[offer];
  return next;
}

/// Continuations of the live hypotheses, best first: all of them, or in plain search the beam_size best.
std::vector<Beam::Live> Beam::candidates(const BeamOffers& offers) const {
  struct Ranked {
    double rank;
    size_t row, offer;
  };
  std::vector<Ranked> ranked;
  ranked.reserve(live_.size() * static_cast<size_t>(offers.each));
  for (size_t row = 0, offer = 0; row < live_.size(); ++row)
    for (int64_t i = 0; i < offers.each; ++i, ++offer) {
      const Live next = continued(offers, row, offer);
      if (std::isnan(next.log_probability))
        throw Error("model", "its probabilities are not numbers (NaN)", "use an earlier checkpoint");
      const bool too_early = next.token == Vocabulary::end && missing(next.required) > 0;
      if (next.log_probability > impossible && !too_early) ranked.push_back({rank(next), row, offer});
    }
  const bool plain = rules_ == nullptr && options_->beam_groups == 1;
  const size_t wanted = plain ? static_cast<size_t>(options_->beam_size) : ranked.size();
  const auto end = ranked.begin() + static_cast<std::ptrdiff_t>(std::min(wanted, ranked.size()));
  // Ties stay in the order of their rows, so that results do not depend on the sorting algorithm.
  std::partial_sort(ranked.begin(), end, ranked.end(), [](const Ranked& a, const Ranked& b) {
    return a.rank != b.rank ? a.rank > b.rank : a.offer < b.offer;
  });
  std::vector<Live> best;
  for (auto one = ranked.begin(); one != end; ++one) {
    best.push_back(continued(offers, one->row, one->offer));
    if (rules_ == nullptr) continue;
    std::vector<int64_t> written = tokens(live_[one->row]);
    written.push_back(best.back().token);
    best.back().required = after(best.back().required, written);
  }
  return best;
}

std::vector<Beam::Live> Beam::kept(std::vector<Live> candidates) const {
  if (options_->beam_groups > 1) return in_groups(candidates);
  if (rules_ != nullptr) return in_turn(candidates);
  return candidates;
}

std::vector<Beam::Live> Beam::in_groups(const std::vector<Live>& candidates) const {
  std::vector<Live> result;
  std::unordered_map<int64_t, int64_t> chosen;  // how often earlier groups have taken a token
  for (int64_t group = 0; group < options_->beam_groups; ++group) {
    std::vector<std::pair<double, const Live*>> own;
    for (const Live& candidate : candidates) {
      if (candidate.group >= 0 && candidate.group != group) continue;
      const auto found = chosen.find(candidate.token);
      const double cost =
          found == chosen.end() ? 0.0 : options_->diversity * static_cast<double>(found->second);
      own.emplace_back(rank(candidate) - cost, &candidate);
    }
    std::stable_sort(own.begin(), own.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    const auto share = static_cast<size_t>(options_->beam_size / options_->beam_groups);
    if (own.size() > share) own.resize(share);
    for (const auto& [rank, candidate] : own) {
      result.push_back(*candidate);
      result.back().group = group;
    }
    for (const auto& [rank, candidate] : own) ++chosen[candidate->token];
  }
  return result;
}

std::vector<Beam::Live> Beam::in_turn(const std::vector<Live>& candidates) const {
  std::map<size_t, std::vector<const Live*>, std::greater<>> banks;
  for (const Live& candidate : candidates) banks[required_tokens(candidate.required)].push_back(&candidate);
  std::vector<Live> result;
  for (size_t place = 0; result.size() < static_cast<size_t>(options_->beam_size); ++place) {
    bool any = false;
    for (const auto& [tokens, bank] : banks) {
      if (place >= bank.size() || result.size() == static_cast<size_t>(options_->beam_size)) continue;
      result.push_back(*bank[place]);
      any = true;
    }
    if (!any) break;
  }
  return result;
}

void Beam::advance(const BeamOffers& offers) {
  if (length_ == maximum_length_) {
    for (size_t row = 0; row < live_.size(); ++row) {
      Live closed = live_[row];
      closed.last_probability = offers.end_log_probabilities[row];
      closed.log_probability += closed.last_probability;
      closed.penalty = offers.penalties == nullptr ? 0.0 : offers.penalties[row];
      complete(closed);
    }
    live_.clear();
    done_ = true;
    return;
  }
  std::vector<Live> next = kept(candidates(offers));
  live_.clear();
  for (Live& hypothesis : next) {
    if (hypothesis.token == Vocabulary::end) {
      complete(hypothesis);
      continue;
    }
    nodes_.push_back({hypothesis.token, hypothesis.node, offers.source_positions[hypothesis.row],
                      hypothesis.last_probability});
    hypothesis.node = static_cast<int64_t>(nodes_.size()) - 1;
    live_.push_back(hypothesis);
  }
  ++length_;
  done_ = over();
  if (done_) live_.clear();
}

void Beam::complete(const Live& hypothesis) {
  ++completed_;
  const Complete finished{
      hypothesis.node, hypothesis.log_probability, hypothesis.last_probability,
      hypothesis_score(hypothesis.log_probability + hypothesis.adjustment, length_ + 1, *options_) +
          hypothesis.penalty,
      missing(hypothesis.required)};
  // Several groups may find the same output.
  if (options_->beam_groups > 1)
    for (const Complete& other : best_)
      if (tokens_until(other.node) == tokens_until(finished.node)) return;
  const auto place =
      std::upper_bound(best_.begin(), best_.end(), finished, [](const Complete& a, const Complete& b) {
        return a.missing != b.missing ? a.missing < b.missing : a.score > b.score;
      });
  best_.insert(place, finished);
  if (best_.size() > static_cast<size_t>(options_->n_best)) best_.pop_back();
}

bool Beam::over() const {
  if (live_.empty()) return true;
  if (options_->sample) return false;
  if (options_->stopping == Stopping::first && completed_ >= options_->n_best) return true;
  if (options_->stopping == Stopping::patience &&
      static_cast<double>(completed_) >= options_->patience * static_cast<double>(options_->beam_size))
    return true;
  if (best_.size() < static_cast<size_t>(options_->n_best) || adjustments_rise_) return false;
  // Coverage penalties are at most 0. With stepwise penalties the first need not be the most probable.
  double likeliest = impossible;
  for (const Live& hypothesis : live_)
    likeliest = std::max(likeliest, hypothesis.log_probability + hypothesis.adjustment);
  const double reachable = hypothesis_score(likeliest, maximum_length_ + 1, *options_);
  return reachable <= best_.back().score;
}

std::vector<Hypothesis> Beam::best() const {
  std::vector<Hypothesis> result;
  for (const Complete& complete : best_) {
    Hypothesis hypothesis;
    hypothesis.token_log_probabilities.push_back(complete.last_probability);
    hypothesis.log_probability = complete.log_probability;
    hypothesis.score = complete.score;
    for (int64_t at = complete.node; at != root; at = nodes_[static_cast<size_t>(at)].parent) {
      hypothesis.tokens.push_back(nodes_[static_cast<size_t>(at)].token);
      hypothesis.source_positions.push_back(nodes_[static_cast<size_t>(at)].source_position);
      hypothesis.token_log_probabilities.push_back(nodes_[static_cast<size_t>(at)].log_probability);
    }
    std::reverse(hypothesis.token_log_probabilities.begin(), hypothesis.token_log_probabilities.end());
    std::reverse(hypothesis.tokens.begin(), hypothesis.tokens.end());
    std::reverse(hypothesis.source_positions.begin(), hypothesis.source_positions.end());
    result.push_back(std::move(hypothesis));
  }
  return result;
}

}  // namespace seq2seq
