#include "seq2seq/decode/phrase_set.h"

#include <algorithm>
#include <set>
#include <utility>

namespace seq2seq {

PhraseSet::PhraseSet(std::vector<Phrase> phrases) : phrases_(std::move(phrases)) {
  for (size_t i = 0; i < phrases_.size(); ++i)
    if (!phrases_[i].empty())
      for (const Phrase::Edge& edge : phrases_[i].edges(Phrase::start)) beginnings_.emplace(edge.token, i);
}

void PhraseSet::sort(State& state) {
  std::sort(state.begin(), state.end());
  state.erase(std::unique(state.begin(), state.end()), state.end());
}

bool can_avoid(const Phrase& phrase, const PhraseSet& banned) {
  if (phrase.empty()) return false;
  using Place = std::pair<Phrase::Node, PhraseSet::State>;
  std::set<Place> seen{{Phrase::start, {}}};
  std::vector<Place> left(seen.begin(), seen.end());
  while (!left.empty()) {
    const auto [node, state] = std::move(left.back());
    left.pop_back();
    for (const Phrase::Edge& edge : phrase.edges(node)) {
      bool completed = false;
      Place next{edge.to, banned.after(state, edge.token, [&](size_t) { completed = true; })};
      if (completed || edge.token < 0) continue;
      if (edge.to == Phrase::end) return true;
      if (seen.insert(next).second) left.push_back(std::move(next));
    }
  }
  return false;
}

}  // namespace seq2seq
