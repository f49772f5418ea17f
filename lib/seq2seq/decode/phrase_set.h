#pragma once

// Private to decode: where a hypothesis stands in many phrases.

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "seq2seq/decode/phrase.h"

namespace seq2seq {

/// Finds phrases anywhere in a hypothesis, token by token.
class PhraseSet {
 public:
  /// A phrase that the last tokens of a hypothesis begin.
  struct Begun {
    size_t phrase;
    Phrase::Node node;  ///< neither start nor end
    bool operator==(const Begun&) const = default;
    auto operator<=>(const Begun&) const = default;
  };
  /// All of them, in order. A phrase that may begin with the next token is not listed.
  using State = std::vector<Begun>;

  explicit PhraseSet(std::vector<Phrase> phrases);
  bool empty() const { return phrases_.empty(); }
  size_t size() const { return phrases_.size(); }
  const Phrase& operator[](size_t phrase) const { return phrases_[phrase]; }

  /// The state after one more token. `completed(phrase)` is called for each phrase that ends with it.
  template <class Completed>
  State after(const State& state, int64_t token, const Completed& completed) const {
    State next;
    const auto go = [&](size_t phrase, const Phrase::Edge& edge) {
      if (edge.to == Phrase::end)
        completed(phrase);
      else
        next.push_back({phrase, edge.to});
    };
    for (const Begun& begun : state)
      if (const Phrase::Edge* edge = phrases_[begun.phrase].edge(begun.node, token)) go(begun.phrase, *edge);
    const auto [first, last] = beginnings_.equal_range(token);
    for (auto beginning = first; beginning != last; ++beginning)
      go(beginning->second, *phrases_[beginning->second].edge(Phrase::start, token));
    sort(next);
    return next;
  }

 private:
  static void sort(State& state);

  std::vector<Phrase> phrases_;
  std::unordered_multimap<int64_t, size_t> beginnings_;  // by first token
};

/// Whether some sequence of the phrase, by itself, completes none of `banned`.
bool can_avoid(const Phrase& phrase, const PhraseSet& banned);

}  // namespace seq2seq
