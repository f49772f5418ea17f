#include "seq2seq/data/grammar.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/json.h"
#include "seq2seq/core/log.h"
#include "seq2seq/data/example_line.h"
#include "seq2seq/data/grammar_rules.h"

namespace seq2seq {
namespace {

using grammar::Generator;
using grammar::Production;
using grammar::Rules;
using grammar::Symbol;

struct Node {
  const Production* production = nullptr;
  std::vector<Node> children;
  std::string word;  // of a generator
};

std::string make_word(const Generator& generator, Random& random) {
  static constexpr std::string_view consonants = "bdfgklmnprstvz", vowels = "aeiou", endings = "lmnrst";
  const uint64_t length = generator.minimum + random.below(generator.maximum - generator.minimum + 1);
  std::string word;
  for (uint64_t i = 0; i < length; ++i) {
    if (generator.kind == Generator::Kind::digits) {
      word += static_cast<char>(i == 0 ? '1' + random.below(9) : '0' + random.below(10));
      continue;
    }
    word += consonants[random.below(consonants.size())];
    word += vowels[random.below(vowels.size())];
  }
  if (generator.kind == Generator::Kind::syllables && random.below(2) == 0)
    word += endings[random.below(endings.size())];
  if (generator.capitalize && !word.empty() && word[0] >= 'a')
    word[0] = static_cast<char>(word[0] - 'a' + 'A');
  return word;
}

/// What one sentence may cost, since a grammar can have endless ones.
class Effort {
 public:
  void spend(size_t steps) { left_ -= static_cast<int64_t>(steps); }
  bool is_spent() const { return left_ < 0; }

 private:
  int64_t left_ = 50'000'000;
};

/// Incomplete when the effort is spent.
Node derive(const Rules& rules, size_t id, int depth, Random& random, std::vector<std::string>& unseen,
            Effort& effort) {
  const Symbol& symbol = rules.symbols[id];
  Node node;
  if (symbol.generator != nullptr) {
    node.word = make_word(*symbol.generator, random);
    if (symbol.generator->unseen) unseen.push_back(node.word);
    return node;
  }
  constexpr size_t steps_of_a_node = 200;
  effort.spend(steps_of_a_node + symbol.productions.size());
  // Productions that cannot end within the remaining depth are excluded, except the flattest ones.
  const int limit = std::max(depth, symbol.height);
  double total = 0;
  for (const auto& production : symbol.productions)
    if (production.height <= limit) total += production.weight;
  double left = random.uniform() * total;
  for (const auto& production : symbol.productions) {
    if (production.height > limit) continue;
    node.production = &production;
    left -= production.weight;
    if (left < 0) break;
  }
  for (const size_t child : node.production->children) {
    if (effort.is_spent()) break;
    node.children.push_back(derive(rules, child, depth - 1, random, unseen, effort));
  }
  return node;
}

/// The words of one part (a named string) of a node; some of them when the effort is spent.
std::vector<std::string> render(const Node& node, size_t side, const std::string& part, Effort& effort) {
  if (node.production == nullptr) return {node.word};
  std::vector<std::string> words;
  const auto form = node.production->parts[side].find(part);
  if (form == node.production->parts[side].end()) return words;
  size_t group_begin = 0;  // glued pieces form one word, unless all pieces before are empty
  for (const auto& piece : form->second) {
    if (effort.is_spent()) break;
    std::vector<std::string> added;
    if (piece.slot >= 0)
      added = render(node.children[static_cast<size_t>(piece.slot)], side, piece.text, effort);
    else if (!piece.text.empty())
      added.push_back(piece.text);
    effort.spend(1);
    for (const std::string& word : added) effort.spend(10 + 4 * word.size());
    if (!piece.glued) group_begin = words.size();
    auto first = added.begin();
    if (!added.empty() && words.size() > group_begin) words.back() += *first++;
    words.insert(words.end(), first, added.end());
  }
  return words;
}

bool is_punctuation(const std::string& word) {
  return word.size() == 1 && std::string_view(",.;:!?").find(word[0]) != std::string_view::npos;
}

void capitalize(std::string& text) {
  if (text.empty()) return;
  const auto first = static_cast<unsigned char>(text[0]);
  if (first >= 'a' && first <= 'z') text[0] = static_cast<char>(first - 'a' + 'A');
  // U+00E0 to U+00FE except the division sign: lowercase letters of Latin-1, in UTF-8.
  if (text.size() > 1 && first == 0xC3 && static_cast<unsigned char>(text[1]) >= 0xA0 &&
      static_cast<unsigned char>(text[1]) <= 0xBE && static_cast<unsigned char>(text[1]) != 0xB7)
    text[1] = static_cast<char>(static_cast<unsigned char>(text[1]) - 0x20);
}

std::string write_sentence(const std::vector<std::string>& words, bool capitalized) {
  std::string text;
  for (size_t i = 0; i < words.size(); ++i) {
    const bool closes = is_punctuation(words[i]);
    // The comma that closes a clause is dropped before other punctuation.
    if (words[i] == "," && i + 1 < words.size() && is_punctuation(words[i + 1])) continue;
    text += (text.empty() || closes ? "" : " ") + words[i];
  }
  if (capitalized) capitalize(text);
  return text;
}

}  // namespace

struct Grammar::Implementation {
  Rules rules;
};

Grammar::Grammar(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
Grammar::~Grammar() = default;
Grammar::Grammar(Grammar&&) noexcept = default;
Grammar& Grammar::operator=(Grammar&&) noexcept = default;

Grammar Grammar::load(const std::string& path) {
  return parse(read_file(path), path);
}

Grammar Grammar::parse(const std::string& json, const std::string& origin, size_t most_bytes) {
  return Grammar(std::make_unique<Implementation>(
      Implementation{grammar::read_rules(parse_json(json, origin), origin, most_bytes)}));
}

const std::string& Grammar::origin() const {
  return implementation_->rules.origin;
}

Grammar::Pair Grammar::sample(Random& random) const {
  const Rules& rules = implementation_->rules;
  Effort effort;
  for (int attempt = 0; attempt < 10000 && !effort.is_spent(); ++attempt) {
    Pair pair;
    const Node node = derive(rules, 0, rules.maximum_depth, random, pair.unseen, effort);
    const auto source = render(node, grammar::source_side, "", effort),
               target = render(node, grammar::target_side, "", effort);
    if (effort.is_spent()) break;
    if (std::max(source.size(), target.size()) > rules.maximum_words) continue;
    pair.source = write_sentence(source, rules.capitalize);
    pair.target = write_sentence(target, rules.capitalize);
    return pair;
  }
  throw Error(rules.origin,
              "no sentence of at most " + std::to_string(rules.maximum_words) + " words was found",
              "raise 'maximum_words' or lower 'maximum_depth'");
}

std::vector<std::vector<Grammar::Pair>> generate_splits(const Grammar& grammar,
                                                        const std::vector<uint64_t>& counts, uint64_t seed) {
  std::vector<size_t> order;
  for (size_t split = 0; split < counts.size(); ++split) order.insert(order.end(), counts[split], split);
  Random random(mix_seed({seed}));
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);

  std::vector<std::vector<Grammar::Pair>> splits(counts.size());
  std::unordered_set<std::string> sources;
  std::unordered_map<std::string, size_t> owners;
  for (const size_t split : order) {
    std::optional<Grammar::Pair> found;
    for (int attempt = 0; attempt < 2000 && !found; ++attempt) {
      Grammar::Pair pair = grammar.sample(random);
      const bool foreign = std::any_of(pair.unseen.begin(), pair.unseen.end(), [&](const std::string& word) {
        const auto owner = owners.find(word);
        return owner != owners.end() && owner->second != split;
      });
      if (!foreign && sources.insert(pair.source).second) found = std::move(pair);
    }
    if (!found)
      throw Error(grammar.origin(),
                  "no new sentence found after " + format_count(static_cast<int64_t>(sources.size())),
                  "ask for fewer, or give the grammar more words");
    for (const auto& word : found->unseen) owners.emplace(word, split);
    splits[split].push_back(std::move(*found));
  }
  return splits;
}

void write_parallel_text(const std::vector<Grammar::Pair>& pairs, const std::string& source_path,
                         const std::string& target_path) {
  std::string source, target;
  for (const auto& pair : pairs) {
    source += pair.source + "\n";
    target += pair.target + "\n";
  }
  write_file(source_path, source);
  write_file(target_path, target);
}

void write_examples(const std::vector<Grammar::Pair>& pairs, const std::string& path) {
  const ExampleFormat format = example_format(path);
  std::string text;
  for (const auto& pair : pairs) {
    if (format == ExampleFormat::tsv)
      text += pair.source + "\t" + pair.target + "\n";
    else
      text += dump_json(Json{{"source", pair.source}, {"target", pair.target}}) + "\n";
  }
  write_file(path, text);
}

}  // namespace seq2seq
