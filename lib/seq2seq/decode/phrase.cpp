#include "seq2seq/decode/phrase.h"

#include <algorithm>
#include <utility>

namespace seq2seq {

Phrase::Phrase(const std::vector<int64_t>& tokens) {
  if (tokens.empty()) return;
  Graph graph(tokens.size() + 1);
  for (size_t i = 0; i < tokens.size(); ++i) {
    const auto from = i == 0 ? static_cast<size_t>(start) : i + 1;
    graph[from].push_back({tokens[i], i + 1 == tokens.size() ? end : static_cast<Node>(i + 2)});
  }
  *this = Phrase(std::move(graph));
}

Phrase::Phrase(Graph graph) {
  if (graph[start].empty()) return;
  for (auto& edges : graph)
    std::sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) { return a.token < b.token; });
  Body body;
  body.remaining = distances_to_end(graph, [](const Edge& edge) { return edge.usual && edge.token >= 0; });
  body.shortest = distances_to_end(graph, [](const Edge& edge) { return edge.token >= 0; })[start];
  body.length = 0;
  for (const Edge& edge : graph[start])
    if (const int64_t rest = body.remaining[static_cast<size_t>(edge.to)];
        edge.usual && edge.token >= 0 && rest != unreachable)
      body.length = std::max(body.length, 1 + rest);
  body.heeds_replaced = std::any_of(graph.begin(), graph.end(), [](const auto& edges) {
    return std::any_of(edges.begin(), edges.end(), [](const Edge& edge) { return edge.token < 0; });
  });
  body.graph = std::move(graph);
  body_ = std::make_shared<const Body>(std::move(body));
}

std::vector<int64_t> Phrase::usual_tokens() const {
  std::vector<int64_t> tokens;
  if (body_)
    for (const auto& edges : body_->graph)
      for (const Edge& edge : edges)
        if (edge.usual && edge.token >= 0) tokens.push_back(edge.token);
  return tokens;
}

const Phrase::Edge* Phrase::edge(Node node, int64_t token) const {
  const auto all = edges(node);
  const auto found = std::lower_bound(all.begin(), all.end(), token,
                                      [](const Edge& edge, int64_t wanted) { return edge.token < wanted; });
  return found != all.end() && found->token == token ? &*found : nullptr;
}

}  // namespace seq2seq
