#include "seq2seq/decode/beam.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <unordered_map>
#include <utility>

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

/// How many tokens of a phrase are written where a hypothesis stands at `node`.
size_t tokens_before(const Phrase& phrase, Phrase::Node node) {
  if (phrase.remaining(node) == Phrase::unreachable) return 0;
  return static_cast<size_t>(std::max<int64_t>(1, phrase.length() - phrase.remaining(node)));
}

const Standing at_the_beginning;

}  // namespace

int64_t longest_output(const SearchOptions& options, int64_t source_length) {
  int64_t limit = options.max_length > 0 ? options.max_length : 2 * source_length + 20;
  if (options.max_length_ratio > 0)
    limit = std::min(limit, std::max<int64_t>(1, by_ratio(options.max_length_ratio, source_length)));
  return std::max(limit, shortest_output(options, source_length));
}

Beam::Beam(const SearchOptions& options, int64_t source_length, const SentencePhrases* phrases,
           bool adjustments_rise)
    : options_(&options),
      phrases_(phrases),
      adjustments_rise_(adjustments_rise),
      maximum_length_(std::max(longest_output(options, source_length),
                               phrases == nullptr ? 0 : phrases->prefix.length())),
      minimum_length_(shortest_output(options, source_length)),
      live_{{0, Vocabulary::begin, 0.0, root}},
      groups_(static_cast<size_t>(options.beam_groups)) {}

void Beam::read_history(const Live& hypothesis, std::vector<int64_t>& newest_first) const {
  newest_first.clear();
  for (int64_t at = hypothesis.node; at != root; at = nodes_[static_cast<size_t>(at)].parent)
    newest_first.push_back(nodes_[static_cast<size_t>(at)].token);
}

std::vector<int64_t> Beam::tokens_of(const Live& hypothesis) const {
  std::vector<int64_t> tokens;
  read_history(hypothesis, tokens);
  std::reverse(tokens.begin(), tokens.end());
  return tokens;
}

const Standing& Beam::standing(const Live& hypothesis) const {
  return hypothesis.node == root ? at_the_beginning : standings_[static_cast<size_t>(hypothesis.node)];
}

/// A token as phrases know it.
int64_t Beam::symbol(int64_t token, int64_t source_position) const {
  const bool replaced = token == Vocabulary::unknown && phrases_->unknown_is_replaced && source_position >= 0;
  return replaced ? unknown_written_as(source_position) : token;
}

Standing Beam::after(const Standing& before, int64_t symbol) const {
  const auto ignore = [](size_t) {};
  Standing next{phrases_->output->after(before.output, symbol, ignore),
                phrases_->required.after(before.required, symbol, ignore), before.prefix};
  if (!phrases_->prefix.empty() && next.prefix != Phrase::end)
    if (const Phrase::Edge* edge = phrases_->prefix.edge(before.prefix, symbol)) next.prefix = edge->to;
  return next;
}

std::vector<int64_t> Beam::wanted(const Live& hypothesis) const {
  std::vector<int64_t> result;
  if (!requires_phrases()) return result;
  const PhraseSet::State& begun = standing(hypothesis).required;
  for (size_t i = 0; i < phrases_->required.size(); ++i) {
    const Phrase& phrase = phrases_->required[i];
    if ((hypothesis.required.met >> i & 1) != 0 || phrase.empty()) continue;
    Phrase::Node furthest = Phrase::start;
    int64_t least = Phrase::unreachable;
    for (const PhraseSet::Begun& one : begun)
      if (one.phrase == i && phrase.remaining(one.node) < least) {
        furthest = one.node;
        least = phrase.remaining(one.node);
      }
    for (const Phrase::Edge& edge : phrase.edges(furthest))
      if (edge.usual && edge.token >= 0 &&
          std::find(result.begin(), result.end(), edge.token) == result.end())
        result.push_back(edge.token);
  }
  return result;
}

Beam::Required Beam::after(const Live& before, int64_t symbol) const {
  Required next{before.required.met, 0};
  const auto state = phrases_->required.after(standing(before).required, symbol,
                                              [&](size_t phrase) { next.met |= uint64_t{1} << phrase; });
  for (const PhraseSet::Begun& begun : state)
    if ((next.met >> begun.phrase & 1) == 0)
      next.begun = std::max(next.begun, tokens_before(phrases_->required[begun.phrase], begun.node));
  return next;
}

size_t Beam::required_tokens(const Required& state) const {
  size_t count = state.begun;
  for (size_t i = 0; i < phrases_->required.size(); ++i)
    if ((state.met >> i & 1) != 0) count += static_cast<size_t>(phrases_->required[i].length());
  return count;
}

size_t Beam::missing(const Required& state) const {
  return requires_phrases() ? phrases_->required.size() - static_cast<size_t>(std::popcount(state.met)) : 0;
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

/// Continuations of the live hypotheses, best first: all of them, or in plain search the beam_size best. None
/// if a probability is not a number.
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
      const bool too_early = next.token == Vocabulary::end && missing(next.required) > 0;
      if (next.log_probability > impossible && !too_early) ranked.push_back({rank(next), row, offer});
    }
  const bool plain = !requires_phrases() && options_->beam_groups == 1;
  const size_t wanted = plain ? static_cast<size_t>(options_->beam_size) : ranked.size();
  const auto end = ranked.begin() + static_cast<std::ptrdiff_t>(std::min(wanted, ranked.size()));
  // Ties stay in the order of their rows, so that results do not depend on the sorting algorithm.
  std::partial_sort(ranked.begin(), end, ranked.end(), [](const Ranked& a, const Ranked& b) {
    return a.rank != b.rank ? a.rank > b.rank : a.offer < b.offer;
  });
  std::vector<Live> best;
  for (auto one = ranked.begin(); one != end; ++one) {
    best.push_back(continued(offers, one->row, one->offer));
    if (requires_phrases())
      best.back().required =
          after(live_[one->row], symbol(best.back().token, offers.source_positions[one->row]));
  }
  return best;
}

std::vector<Beam::Live> Beam::kept(std::vector<Live> candidates) {
  if (options_->beam_groups > 1) return in_groups(candidates);
  if (requires_phrases()) return in_turn(candidates);
  return candidates;
}

std::vector<Beam::Live> Beam::in_groups(const std::vector<Live>& candidates) {
  std::vector<Live> result;
  std::unordered_map<int64_t, int64_t> chosen;  // how often earlier groups have taken a token
  const auto share = static_cast<size_t>(options_->beam_size / options_->beam_groups);
  for (int64_t group = 0; group < options_->beam_groups; ++group) {
    if (groups_[static_cast<size_t>(group)].done) continue;
    std::vector<std::pair<double, const Live*>> own;
    for (const Live& candidate : candidates) {
      if (candidate.group >= 0 && candidate.group != group) continue;
      const auto found = chosen.find(candidate.token);
      const double cost =
          found == chosen.end() ? 0.0 : options_->diversity * static_cast<double>(found->second);
      own.emplace_back(rank(candidate) - cost, &candidate);
    }
    std::stable_sort(own.begin(), own.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    const size_t before = result.size();
    for (const auto& [rank, candidate] : own) {
      if (result.size() == before + share) break;
      // What another group has found leaves its place to the next.
      if (candidate->token == Vocabulary::end && !found_.insert(tokens_of(*candidate)).second) continue;
      result.push_back(*candidate);
      result.back().group = group;
    }
    for (size_t i = before; i < result.size(); ++i) ++chosen[result[i].token];
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

void Beam::fail(NoOutput why) {
  why_ = why;
  live_.clear();
  done_ = true;
}

/// Completes the live hypotheses at the maximum length.
void Beam::close(const BeamOffers& offers) {
  for (size_t row = 0; row < live_.size(); ++row) {
    Live closed = live_[row];
    closed.last_probability = offers.end_log_probabilities[row];
    closed.log_probability += closed.last_probability;
    closed.penalty = offers.penalties == nullptr ? 0.0 : offers.penalties[row];
    if (std::isnan(closed.log_probability)) return fail(NoOutput::not_numbers);
    const bool found_twice = groups_.size() > 1 && !found_.insert(tokens_of(closed)).second;
    if (closed.log_probability > impossible && !found_twice) complete(closed);
  }
  live_.clear();
  done_ = closed_ = true;
}

void Beam::advance(const BeamOffers& offers) {
  if (length_ == maximum_length_) return close(offers);
  const auto* all = offers.log_probabilities;
  if (std::any_of(all, all + live_.size() * static_cast<size_t>(offers.each),
                  [](double value) { return std::isnan(value); }))
    return fail(NoOutput::not_numbers);
  std::vector<Live> next = kept(candidates(offers));
  live_.clear();
  for (Live& hypothesis : next) {
    if (hypothesis.token == Vocabulary::end) {
      complete(hypothesis);
      continue;
    }
    const int64_t position = offers.source_positions[hypothesis.row];
    if (phrases_ != nullptr)
      standings_.push_back(after(standing(hypothesis), symbol(hypothesis.token, position)));
    nodes_.push_back({hypothesis.token, hypothesis.node, position, hypothesis.last_probability});
    hypothesis.node = static_cast<int64_t>(nodes_.size()) - 1;
    live_.push_back(hypothesis);
  }
  ++length_;
  done_ = over();
  if (done_) live_.clear();
}

void Beam::complete(const Live& hypothesis) {
  Group& group = groups_[group_of(hypothesis)];
  ++group.completed;
  const Complete finished{
      hypothesis.node,
      hypothesis.log_probability,
      hypothesis.last_probability,
      hypothesis_score(hypothesis.log_probability + hypothesis.adjustment, length_ + 1, *options_) +
          hypothesis.penalty,
      hypothesis.required.met,
      missing(hypothesis.required)};
  group.best.insert(std::upper_bound(group.best.begin(), group.best.end(), finished), finished);
  if (group.best.size() > static_cast<size_t>(outputs_each())) group.best.pop_back();
}

/// The most outputs of a group among the n best.
int64_t Beam::outputs_each() const {
  return (options_->n_best + options_->beam_groups - 1) / options_->beam_groups;
}

bool Beam::over() {
  for (size_t group = 0; group < groups_.size(); ++group)
    groups_[group].done = groups_[group].done || over(group);
  if (groups_.size() > 1)
    std::erase_if(live_, [&](const Live& hypothesis) { return groups_[group_of(hypothesis)].done; });
  return live_.empty() || (groups_.size() == 1 && groups_.front().done);
}

bool Beam::over(size_t index) const {
  const Group& group = groups_[index];
  // Coverage penalties are at most 0. With stepwise penalties the first need not be the most probable.
  double likeliest = impossible;
  bool live = false;
  for (const Live& hypothesis : live_)
    if (group_of(hypothesis) == index) {
      live = true;
      likeliest = std::max(likeliest, hypothesis.log_probability + hypothesis.adjustment);
    }
  if (!live) return true;
  if (options_->sample) return false;
  if (options_->stopping == Stopping::first && group.completed >= outputs_each()) return true;
  const auto share = static_cast<double>(options_->beam_size) / static_cast<double>(options_->beam_groups);
  // What is required is also tried where it fits badly: such endings come early, and are no reason to end.
  if (options_->stopping == Stopping::patience && !requires_phrases() &&
      static_cast<double>(group.completed) >= options_->patience * share)
    return true;
  if (std::ssize(group.best) < outputs_each() || adjustments_rise_) return false;
  const double reachable = hypothesis_score(likeliest, maximum_length_ + 1, *options_);
  return reachable <= group.best.back().score;
}

Hypothesis Beam::hypothesis_of(const Complete& complete) const {
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
  if (complete.missing > 0)
    for (size_t i = 0; i < phrases_->required.size(); ++i)
      if ((complete.met >> i & 1) == 0) hypothesis.missing.push_back(i);
  return hypothesis;
}

SentenceOutputs Beam::best() const {
  SentenceOutputs result;
  result.why = why_;
  if (why_ != NoOutput::none) return result;
  // Each group has its share; what the number of groups does not divide goes to the best of the rest.
  const size_t each = static_cast<size_t>(options_->n_best) / groups_.size();
  std::vector<Complete> chosen, rest;
  for (const Group& group : groups_)
    for (size_t i = 0; i < group.best.size(); ++i) (i < each ? chosen : rest).push_back(group.best[i]);
  std::stable_sort(rest.begin(), rest.end());
  rest.resize(std::min(rest.size(), static_cast<size_t>(options_->n_best) - each * groups_.size()));
  chosen.insert(chosen.end(), rest.begin(), rest.end());
  std::stable_sort(chosen.begin(), chosen.end());
  for (const Complete& complete : chosen) result.push_back(hypothesis_of(complete));
  return result;
}

}  // namespace seq2seq
