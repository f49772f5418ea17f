#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <memory>
#include <span>
#include <vector>

namespace seq2seq {

/// The symbol in a phrase of <unk> where it is written as the source token at `position`.
constexpr int64_t unknown_written_as(int64_t position) {
  return -1 - position;
}

/// All token sequences that write a text: the ways through a graph from `start` to `end`, each edge a token.
/// Of the sequences the usual ones are those into which the tokenizer would cut the text. From a node no two
/// edges have the same token; only edges from a node to itself lead back. Cheap to copy.
class Phrase {
 public:
  using Node = int32_t;
  static constexpr Node start = 0, end = 1;
  static constexpr int64_t unreachable = std::numeric_limits<int64_t>::max() / 2;
  struct Edge {
    int64_t token;  ///< an id, a copy slot or `unknown_written_as`
    Node to;
    bool usual = true;
  };
  using Graph = std::vector<std::vector<Edge>>;  ///< by node; at least `start` and `end`

  Phrase() = default;  ///< without a sequence
  /// One sequence.
  Phrase(std::initializer_list<int64_t> tokens) : Phrase(std::vector<int64_t>(tokens)) {}
  explicit Phrase(const std::vector<int64_t>& tokens);
  explicit Phrase(Graph graph);

  /// Whether there is no sequence at all.
  bool empty() const { return !body_; }
  /// In the order of their tokens.
  std::span<const Edge> edges(Node node) const { return body_->graph[static_cast<size_t>(node)]; }
  /// The tokens of the usual sequences.
  std::vector<int64_t> usual_tokens() const;
  /// Null = the token does not go on with the text.
  const Edge* edge(Node node, int64_t token) const;
  /// Tokens of the shortest usual way from `node` to the end; `unreachable` if there is none.
  int64_t remaining(Node node) const { return body_->remaining[static_cast<size_t>(node)]; }
  /// Tokens of its longest usual beginning: the most that are counted for this phrase.
  int64_t length() const { return body_ ? body_->length : 0; }
  /// Tokens of the shortest sequence that can be generated; `unreachable` if there is none.
  int64_t shortest() const { return body_ ? body_->shortest : unreachable; }
  /// Whether some sequence has an `unknown_written_as`.
  bool heeds_replaced() const { return body_ && body_->heeds_replaced; }

 private:
  struct Body {
    Graph graph;
    std::vector<int64_t> remaining;
    int64_t length, shortest;
    bool heeds_replaced;
  };
  std::shared_ptr<const Body> body_;
};

/// The fewest tokens from each node to the end, along the edges that `taken` accepts.
template <class Taken>
std::vector<int64_t> distances_to_end(const Phrase::Graph& graph, const Taken& taken) {
  std::vector<int64_t> distances(graph.size(), Phrase::unreachable);
  distances[Phrase::end] = 0;
  for (bool changed = true; changed;) {  // few rounds: nodes are mostly in the order of the text
    changed = false;
    for (size_t node = graph.size(); node-- > 0;)
      for (const Phrase::Edge& edge : graph[node])
        if (taken(edge) && distances[static_cast<size_t>(edge.to)] + 1 < distances[node]) {
          distances[node] = distances[static_cast<size_t>(edge.to)] + 1;
          changed = true;
        }
  }
  return distances;
}

}  // namespace seq2seq
