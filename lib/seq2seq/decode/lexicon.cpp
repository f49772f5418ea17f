#include "seq2seq/decode/lexicon.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace seq2seq {
namespace {

constexpr std::string_view blanks = " \t\r\n\v\f";

std::string_view without_spaces_around(std::string_view text) {
  const size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

/// One space between words, none around them.
std::string single_spaced(std::string_view text) {
  std::string result;
  for (size_t begin = text.find_first_not_of(blanks); begin != std::string_view::npos;) {
    const size_t end = std::min(text.find_first_of(blanks, begin), text.size());
    if (!result.empty()) result += ' ';
    result += text.substr(begin, end - begin);
    begin = text.find_first_not_of(blanks, end);
  }
  return result;
}

}  // namespace

void SpellingIndex::insert(std::string_view text, const Entry& entry) {
  entries_[std::string(text)].push_back(entry);
  longest_ = std::max(longest_, text.size());
}

void SpellingIndex::add(int64_t token, const Spelling& spelling) {
  const std::string_view text = spelling.text;
  if (text.empty()) {
    if (spelling.joins_left && spelling.joins_right) joiners_.push_back(token);
    return;
  }
  Entry entry{token, spelling.joins_left, spelling.joins_right, false, false};
  insert(text, entry);
  const std::string_view word = without_spaces_around(text);
  if (word.empty() || word.size() == text.size()) return;
  const size_t before = text.find_first_not_of(' '), behind = text.size() - before - word.size();
  if (before > 0 && behind > 0) {
    entry.leads = true;
    insert(text.substr(before), entry);
    entry = {token, spelling.joins_left, spelling.joins_right, false, true};
    insert(text.substr(0, before + word.size()), entry);
  }
  entry.leads = before > 0;
  entry.trails = behind > 0;
  insert(word, entry);
}

const std::vector<SpellingIndex::Entry>* SpellingIndex::find(std::string_view text) const {
  const auto found = entries_.find(text);
  return found == entries_.end() ? nullptr : &found->second;
}

Lexicon::SourceWords::SourceWords(const Lexicon& lexicon, const NumberedSource& source, bool copying,
                                  bool replace_unknown) {
  const Vocabulary& vocabulary = lexicon.target_->vocabulary();
  for (size_t i = 0; i < source.tokens.size(); ++i) {
    const std::string& token = source.tokens[i].text;
    if (token.empty()) continue;  // between sentences
    const Spelling spelling = lexicon.target_->tokenizer().spelling(token);
    const auto position = static_cast<int64_t>(i);
    // Text spelled like a special token is a word beyond the vocabulary.
    const bool lacking = vocabulary.id(token) < Vocabulary::special_count;
    if (copying && lacking && slots_.emplace(token, vocabulary.size() + position).second)
      index_.add(vocabulary.size() + position, spelling);
    if (replace_unknown) index_.add(unknown_written_as(position), spelling);
    if (replace_unknown || (copying && lacking))
      if (const auto word = without_spaces_around(spelling.text); !word.empty())
        spellings_.emplace_back(word);
  }
}

bool Lexicon::SourceWords::within(std::string_view text) const {
  return std::any_of(spellings_.begin(), spellings_.end(),
                     [&](const std::string& word) { return text.find(word) != std::string_view::npos; });
}

/// Builds the graph of a text: a node is a place in the text, and whether the token before joins the next.
class Lexicon::Builder {
 public:
  Builder(std::string_view text, const SpellingIndex& vocabulary, const SpellingIndex& source)
      : text_(text), indexes_{&vocabulary, &source}, graph_(2), nodes_(2 * text.size(), none) {
    nodes_[0] = Phrase::start;
    for (size_t at = 0; at < text_.size(); ++at)
      for (const bool joined : {false, true})
        if (const Phrase::Node node = nodes_[2 * at + joined]; node != none) leave(node, at, joined);
    drop([distances = distances_to_end(graph_, [](auto&) { return true; })](Phrase::Node, auto& edge) {
      return distances[static_cast<size_t>(edge.to)] == Phrase::unreachable;
    });
  }

  /// Marks the way of these tokens and what differs from it on its outer sides alone; and where no way begins
  /// joined to the word before, or apart from it, the shortest that do. `tokens` is the tokenizer's way.
  void mark_usual(const std::vector<int64_t>& tokens);
  void keep_line_start();
  /// Lets these tokens, which write spaces, come first: they must, or may.
  void begin_with(const std::vector<int64_t>& spaces, bool must);
  Phrase phrase() { return Phrase(std::move(graph_)); }

 private:
  static constexpr Phrase::Node none = -1;
  void leave(Phrase::Node node, size_t at, bool joined);
  void leave_by_words(Phrase::Node node, size_t at, bool joined, bool space);
  Phrase::Node node_at(size_t at, bool joined);
  Phrase::Edge* edge(Phrase::Node node, int64_t token);
  void mark_shortest(bool apart);
  template <class Dropped>
  void drop(const Dropped& dropped) {
    for (size_t node = 0; node < graph_.size(); ++node)
      std::erase_if(graph_[node],
                    [&](const auto& edge) { return dropped(static_cast<Phrase::Node>(node), edge); });
  }

  std::string_view text_;
  const SpellingIndex* indexes_[2];
  Phrase::Graph graph_;
  std::vector<Phrase::Node> nodes_;   // by place and whether joined
  std::set<int64_t> apart_;           // first tokens that a space separates from what is before
  std::optional<bool> begins_apart_;  // of the tokenizer's way
};

Phrase::Node Lexicon::Builder::node_at(size_t at, bool joined) {
  if (at == text_.size()) return Phrase::end;
  Phrase::Node& node = nodes_[2 * at + joined];
  if (node == none) {
    node = static_cast<Phrase::Node>(graph_.size());
    graph_.emplace_back();
  }
  return node;
}

void Lexicon::Builder::leave(Phrase::Node node, size_t at, bool joined) {
  leave_by_words(node, at, joined, false);
  if (at == 0) return;
  if (!joined && text_[at] == ' ') leave_by_words(node, at, joined, true);
  for (const SpellingIndex* index : indexes_)
    for (const int64_t joiner : index->joiners()) {
      const Phrase::Node to = node_at(at, true);
      graph_[static_cast<size_t>(node)].push_back({joiner, to, false});
    }
}

/// `space`: by the tokens before which a space is written, else by those that follow without.
void Lexicon::Builder::leave_by_words(Phrase::Node node, size_t at, bool joined, bool space) {
  const std::string_view rest = text_.substr(at + space);
  for (const SpellingIndex* index : indexes_)
    for (size_t length = 1; length <= std::min(index->longest(), rest.size()); ++length) {
      const auto* entries = index->find(rest.substr(0, length));
      if (entries == nullptr) continue;
      for (const SpellingIndex::Entry& entry : *entries) {
        if (at > 0 && (entry.leads || space != !(joined || entry.joins_left))) continue;
        if (entry.trails && length < rest.size()) continue;
        if (at == 0 && (entry.leads || !entry.joins_left)) apart_.insert(entry.token);
        const Phrase::Node to = node_at(at + space + length, entry.joins_right);
        graph_[static_cast<size_t>(node)].push_back({entry.token, to, false});
      }
    }
}

Phrase::Edge* Lexicon::Builder::edge(Phrase::Node node, int64_t token) {
  auto& edges = graph_[static_cast<size_t>(node)];
  const auto found =
      std::find_if(edges.begin(), edges.end(), [&](const Phrase::Edge& one) { return one.token == token; });
  return found == edges.end() ? nullptr : &*found;
}

void Lexicon::Builder::mark_usual(const std::vector<int64_t>& tokens) {
  std::vector<Phrase::Node> way{Phrase::start};
  for (const int64_t token : tokens) {
    const Phrase::Edge* next = way.back() == Phrase::end ? nullptr : edge(way.back(), token);
    if (next == nullptr) break;
    way.push_back(next->to);
  }
  if (!tokens.empty() && way.size() == tokens.size() + 1 && way.back() == Phrase::end) {
    for (size_t i = 0; i < tokens.size(); ++i) edge(way[i], tokens[i])->usual = true;
    for (Phrase::Edge& one : graph_[Phrase::start]) one.usual = one.usual || one.to == way[1];
    for (Phrase::Edge& one : graph_[static_cast<size_t>(way[tokens.size() - 1])])
      one.usual = one.usual || one.to == Phrase::end;
    begins_apart_ = apart_.contains(tokens.front());
  }
  for (const bool apart : {true, false}) mark_shortest(apart);
}

void Lexicon::Builder::mark_shortest(bool apart) {
  auto& first = graph_[Phrase::start];
  const auto of_kind = [&](const Phrase::Edge& one) {
    return one.token >= 0 && apart_.contains(one.token) == apart;
  };
  if (std::any_of(first.begin(), first.end(), [&](auto& one) { return one.usual && of_kind(one); })) return;
  const auto distances = distances_to_end(graph_, [](const Phrase::Edge& one) { return one.token >= 0; });
  const auto distance = [&](Phrase::Node node) { return distances[static_cast<size_t>(node)]; };
  int64_t least = Phrase::unreachable;
  for (const Phrase::Edge& one : first)
    if (of_kind(one)) least = std::min(least, distance(one.to));
  if (least == Phrase::unreachable) return;
  std::vector<Phrase::Node> reached;
  std::set<Phrase::Node> seen;
  const auto mark = [&](Phrase::Edge& one) {
    one.usual = true;
    if (seen.insert(one.to).second) reached.push_back(one.to);
  };
  for (Phrase::Edge& one : first)
    if (of_kind(one) && distance(one.to) == least) mark(one);
  while (!reached.empty()) {
    const Phrase::Node node = reached.back();
    reached.pop_back();
    for (Phrase::Edge& one : graph_[static_cast<size_t>(node)])
      if (one.token >= 0 && distance(one.to) + 1 == distance(node)) mark(one);
  }
}

void Lexicon::Builder::keep_line_start() {
  const auto& first = graph_[Phrase::start];
  const bool apart = begins_apart_.value_or(std::any_of(
      first.begin(), first.end(), [&](auto& one) { return one.usual && apart_.contains(one.token); }));
  drop([&](Phrase::Node node, const Phrase::Edge& one) {
    return !one.usual || one.token < 0 || (node == Phrase::start && apart_.contains(one.token) != apart);
  });
}

void Lexicon::Builder::begin_with(const std::vector<int64_t>& spaces, bool must) {
  if (spaces.empty() || graph_[Phrase::start].empty()) return;
  const auto words = static_cast<Phrase::Node>(graph_.size());
  graph_.push_back(graph_[Phrase::start]);
  if (must) graph_[Phrase::start].clear();
  Phrase::Node node = Phrase::start;
  for (size_t i = 0; i < spaces.size(); ++i) {
    const bool last = i + 1 == spaces.size();
    const Phrase::Node to = last ? words : static_cast<Phrase::Node>(graph_.size());
    if (!last) graph_.emplace_back();
    graph_[static_cast<size_t>(node)].push_back({spaces[i], to, true});
    node = to;
  }
}

Lexicon::Lexicon(std::shared_ptr<const TextCodec> target) : target_(std::move(target)) {
  const Vocabulary& vocabulary = target_->vocabulary();
  for (int64_t id = Vocabulary::special_count; id < vocabulary.size(); ++id)
    index_.add(id, target_->tokenizer().spelling(vocabulary.token(id)));
}

std::string Lexicon::plain(std::string_view text) const {
  std::vector<std::string> tokens;
  for (Token& token : target_->tokenize(single_spaced(text))) tokens.push_back(std::move(token.text));
  return std::string(without_spaces_around(target_->detokenize(tokens)));
}

std::vector<int64_t> Lexicon::tokens_of(std::string_view plain, const SourceWords& source) const {
  std::vector<int64_t> ids;
  for (const Token& token : target_->tokenize(plain)) {
    const int64_t id = target_->vocabulary().id(token.text);
    const auto copied = source.slots_.find(token.text);
    if (id >= Vocabulary::special_count)
      ids.push_back(id);
    else
      ids.push_back(copied == source.slots_.end() ? -1 : copied->second);
  }
  return ids;
}

Phrase Lexicon::phrase(std::string_view text, const SourceWords& source, Use use) const {
  const std::string wanted = plain(text);
  if (wanted.empty()) return {};
  Builder builder(wanted, index_, source.index_);
  std::vector<int64_t> tokens = tokens_of(wanted, source), spaces;
  // A subword model may write the space before a word as a token of its own.
  while (
      !tokens.empty() && tokens.front() >= 0 && tokens.front() < target_->vocabulary().size() &&
      without_spaces_around(target_->tokenizer().spelling(target_->vocabulary().token(tokens.front())).text)
          .empty()) {
    spaces.push_back(tokens.front());
    tokens.erase(tokens.begin());
  }
  builder.mark_usual(tokens);
  if (use == Use::line_start) builder.keep_line_start();
  if (use != Use::anywhere) builder.begin_with(spaces, use == Use::line_start);
  return builder.phrase();
}

std::string Lexicon::unwritable(std::string_view text, const SourceWords& source) const {
  const std::string wanted = plain(text);
  const std::vector<Token> tokens = target_->tokenize(wanted);
  const std::vector<int64_t> ids = tokens_of(wanted, source);
  const auto found = std::find(ids.begin(), ids.end(), -1);
  if (found == ids.end()) return wanted;
  const std::string& token = tokens[static_cast<size_t>(found - ids.begin())].text;
  const std::string written(without_spaces_around(target_->tokenizer().spelling(token).text));
  return written.empty() ? token : written;
}

}  // namespace seq2seq
