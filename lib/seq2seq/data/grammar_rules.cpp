#include "seq2seq/data/grammar_rules.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>
#include <set>
#include <tuple>
#include <vector>

#include "seq2seq/core/error.h"
#include "seq2seq/core/join.h"
#include "seq2seq/core/nearest_name.h"
#include "seq2seq/data/grammar_file.h"
#include "seq2seq/data/grammar_signature.h"

namespace seq2seq::grammar {
namespace {

constexpr int unreachable = std::numeric_limits<int>::max();

/// Expands features: every nonterminal with values for all its features becomes a symbol of its own.
class RuleExpander {
 public:
  RuleExpander(GrammarFile file, size_t most_bytes)
      : file_(std::move(file)), most_bytes_(most_bytes), rules_(std::move(file_.rules)) {
    const auto found = file_.nonterminals.find(file_.start);
    if (found == file_.nonterminals.end() || !found->second.features.empty())
      throw Error(file_.origin,
                  "'start' must name a nonterminal without features, not '" + file_.start + "'");
    symbol(file_.start, {});
  }

  Rules expand() {
    for (size_t id = 0; id < rules_.symbols.size(); ++id)
      if (rules_.symbols[id].generator == nullptr) expand_symbol(id);
    compute_heights();
    drop_unproductive();
    check_one_sided();
    return std::move(rules_);
  }

 private:
  size_t symbol(const std::string& name, const std::vector<std::string>& values) {
    const std::string full = values.empty() ? name : name + "[" + joined(values, ",") + "]";
    spend(full.size());
    const auto [found, added] = ids_.try_emplace(full, rules_.symbols.size());
    if (added) {
      Symbol symbol;
      symbol.name = full;
      if (const auto generator = rules_.generators.find(name); generator != rules_.generators.end()) {
        symbol.generator = &generator->second;
        symbol.height = 0;
      }
      ids_by_name_[name].push_back(rules_.symbols.size());
      rules_.symbols.push_back(std::move(symbol));
      heads_.emplace_back(name, values);
    }
    return found->second;
  }

  // A few features of many values, or a long text of some, would make more productions than fit into memory.
  void spend(size_t bytes) {
    if ((spent_ += bytes) > most_bytes_)
      throw Error(file_.origin, "its features make too many productions",
                  "give them fewer values, or productions fewer features");
  }
  /// About the bytes of a production with values for its features.
  static size_t size_of(const Template& production) {
    size_t size = 100 + production.where.size();
    for (const auto& side : production.parts)
      for (const auto& [part, text] : side) size += 20 + part.size() + text.size();
    return size;
  }

  void expand_symbol(size_t id) {
    const auto [name, values] = heads_[id];
    const Nonterminal& nonterminal = file_.nonterminals.at(name);
    for (const auto& production : nonterminal.templates) {
      Binding binding;
      for (size_t i = 0; i < values.size(); ++i) binding[nonterminal.features[i]] = values[i];
      std::set<std::string> free = free_variables(production, binding);
      enumerate(production, binding, std::vector<std::string>(free.begin(), free.end()), 0, production.weight,
                id);
    }
    check_weights(rules_.symbols[id]);
  }

  void check_weights(const Symbol& symbol) const {
    double total = 0;
    for (const auto& production : symbol.productions) total += production.weight;
    const std::string place = file_.where(symbol.name);
    if (!std::isfinite(total))
      throw Error(place, "the sum of its productions' weights is not finite", "give smaller ones");
    if (!symbol.productions.empty() && total == 0)
      throw Error(place, "the weights of all its productions are 0",
                  "give a value of the features that they choose a weight");
  }

  std::set<std::string> free_variables(const Template& production, const Binding& binding) const {
    std::set<std::string> free;
    auto add = [&](const std::string& variable) {
      if (!binding.contains(variable) && !file_.features.feature_of_variable(variable).empty())
        free.insert(variable);
    };
    for (const auto& side : production.parts)
      for (const auto& [part, text] : side)
        for (size_t at = text.find('{'); at != std::string::npos; at = text.find('{', at + 1))
          for (const auto& argument :
               parse_reference(text.substr(at + 1, text.find('}', at) - at - 1), production.where).arguments)
            add(argument);
    for (const auto& [variable, pattern] : production.when) add(variable);
    return free;
  }

  void enumerate(const Template& production, Binding& binding, const std::vector<std::string>& free,
                 size_t at, double weight, size_t id) {
    if (at < free.size()) {
      const auto& values = *file_.features.values(file_.features.feature_of_variable(free[at]));
      double total = 0;
      for (const auto& value : values) total += value.weight;
      for (const auto& value : values) {
        binding[free[at]] = value.name;
        enumerate(production, binding, free, at + 1, weight * value.weight / total, id);
      }
      binding.erase(free[at]);
      return;
    }
    spend(1 + 8 * production.when.size());
    for (const auto& [variable, pattern] : production.when)
      if (!matches(pattern, binding.at(variable))) return;
    spend(size_of(production));
    Production result;
    result.weight = weight;
    std::map<std::string, size_t> slots;
    for (const size_t side : {source_side, target_side})
      for (const auto& [part, text] : production.parts[side])
        add_form(production, binding, side, part, text, slots, result);
    rules_.symbols[id].productions.push_back(std::move(result));
    origins_[id].push_back(production.where);
  }

  // "present[third]" applies only if third is among the symbol's values; it then replaces an earlier entry.
  void add_form(const Template& production, const Binding& binding, size_t side, const std::string& part,
                const std::string& text, std::map<std::string, size_t>& slots, Production& result) {
    const size_t bracket = part.find('[');
    if (bracket != std::string::npos)
      for (const auto& value : split(part.substr(bracket + 1, part.find(']') - bracket - 1), ',')) {
        const auto bound = binding.find(file_.features.feature_of(value));
        if (bound == binding.end())
          throw Error(production.where, "'" + value + "' in a column is no value of this entry's features");
        if (bound->second != value) return;
      }
    Form form = read_form(text, production.where, binding, slots, result);
    result.parts[side][part.substr(0, bracket)] = std::move(form);
  }

  Form read_form(const std::string& text, const std::string& place, const Binding& binding,
                 std::map<std::string, size_t>& slots, Production& result) {
    Form form;
    bool glued = false;
    for (size_t at = 0; at < text.size();) {
      if (text[at] == ' ') {
        glued = false;
        ++at;
        continue;
      }
      size_t end = 0;
      if (text[at] == '{') {
        end = text.find('}', at);
        if (end == std::string::npos) throw Error(place, "'}' is missing in \"" + text + "\"");
        const Reference reference = parse_reference(text.substr(at + 1, end - at - 1), place);
        add_reference(reference, place, binding, slots, result, form, glued);
        ++end;
      } else {
        end = std::min(text.find_first_of(" {", at), text.size());
        form.push_back({text.substr(at, end - at), -1, glued});
      }
      at = end;
      glued = true;
    }
    return form;
  }

  void add_reference(const Reference& reference, const std::string& place, const Binding& binding,
                     std::map<std::string, size_t>& slots, Production& result, Form& form, bool glued) {
    if (const auto found = file_.forms.find(reference.name); found != file_.forms.end()) {
      form.push_back(
          {look_up(found->second, resolve(reference, found->second.features, file_.features, binding, place)),
           -1, glued});
      return;
    }
    const auto found = file_.nonterminals.find(reference.name);
    if (found == file_.nonterminals.end() && !rules_.generators.contains(reference.name)) {
      const std::vector<std::string> names(file_.names.begin(), file_.names.end());
      throw Error(place, "unknown name {" + reference.name + "}", suggest_name(reference.name, names));
    }
    const std::string key = reference.name + ":" + reference.index;
    // Features are written once for each child: "{NP[acc]}", later "{NP}" or "{NP.part}".
    if (const auto known = slots.find(key); known != slots.end() && reference.arguments.empty()) {
      form.push_back({reference.part, static_cast<int>(known->second), glued});
      return;
    }
    const std::vector<std::string> none;
    const auto values = resolve(reference, found == file_.nonterminals.end() ? none : found->second.features,
                                file_.features, binding, place);
    const size_t id = symbol(reference.name, values);
    const auto [slot, added] = slots.try_emplace(key, result.children.size());
    if (added) result.children.push_back(id);
    if (result.children[slot->second] != id)
      throw Error(place, "{" + reference.name + "} occurs with different features",
                  "number them: {" + reference.name + ":2[...]}");
    form.push_back({reference.part, static_cast<int>(slot->second), glued});
  }

  static std::string look_up(const WordForms& forms, const std::vector<std::string>& values) {
    for (const auto& [patterns, text] : forms.cases)
      if (std::equal(patterns.begin(), patterns.end(), values.begin(), matches)) return text;
    throw Error(forms.where, "has no entry for " + joined(values, ","), "add one");
  }

  // The height of a production is known once those of all its children are: in the order of heights.
  void compute_heights() {
    struct Waiting {
      size_t id;
      Production* production;
      size_t children;  // of unknown height
    };
    std::deque<Waiting> all;
    std::vector<std::vector<Waiting*>> parents(rules_.symbols.size());
    std::deque<size_t> known;  // lowest first
    const auto raise = [&](const Waiting& waiting, int height) {
      waiting.production->height = height;
      Symbol& symbol = rules_.symbols[waiting.id];
      if (symbol.height != unreachable) return;
      symbol.height = height;
      known.push_back(waiting.id);
    };
    for (size_t id = 0; id < rules_.symbols.size(); ++id)
      if (rules_.symbols[id].height == 0) known.push_back(id);  // a generator
    for (size_t id = 0; id < rules_.symbols.size(); ++id)
      for (auto& production : rules_.symbols[id].productions) {
        Waiting& waiting = all.emplace_back(Waiting{id, &production, production.children.size()});
        for (const size_t child : production.children) parents[child].push_back(&waiting);
        if (production.children.empty()) raise(waiting, 1);
      }
    for (; !known.empty(); known.pop_front()) {
      const size_t id = known.front();
      for (Waiting* parent : parents[id])
        if (--parent->children == 0) raise(*parent, rules_.symbols[id].height + 1);
    }
    if (rules_.symbols[0].height == unreachable)
      throw Error(file_.where(rules_.symbols[0].name),
                  "never comes to an end: every production leads back to itself",
                  "add a production without nonterminals");
    if (rules_.symbols[0].height > rules_.maximum_depth)
      throw Error(file_.origin,
                  "'maximum_depth' is " + std::to_string(rules_.maximum_depth) +
                      ", but the flattest sentence needs " + std::to_string(rules_.symbols[0].height),
                  "raise it");
  }

  // Some combinations of free features have no word ("being_dat" verbs with "sein"); a production as written
  // must be usable with at least one of them.
  void drop_unproductive() {
    std::map<std::string, bool> useful;
    for (size_t id = 0; id < rules_.symbols.size(); ++id) {
      auto& productions = rules_.symbols[id].productions;
      std::vector<Production> kept;
      for (size_t i = 0; i < productions.size(); ++i) {
        const bool ends = productions[i].height != unreachable;
        useful[origins_[id][i]] |= ends;
        if (ends) kept.push_back(std::move(productions[i]));
      }
      productions = std::move(kept);
    }
    for (const auto& [place, used] : useful)
      if (!used)
        throw Error(place, "can never be used: one of its nonterminals has no finite form",
                    "check its features");
    check_parts();
  }

  void check_parts() {
    for (size_t id = 0; id < rules_.symbols.size(); ++id)
      for (const auto& production : rules_.symbols[id].productions)
        for (const size_t side : {source_side, target_side})
          for (const auto& [part, form] : production.parts[side])
            for (const auto& piece : form)
              if (piece.slot >= 0)
                check_part(id, production.children[static_cast<size_t>(piece.slot)], side, piece.text);
  }

  void check_part(size_t parent, size_t child, size_t side, const std::string& part) {
    const Symbol& symbol = rules_.symbols[child];
    if (symbol.generator != nullptr && part.empty()) return;
    const std::string& name = heads_[child].first;
    if (parts_that_are_there_.contains({name, side, part})) return;
    // With some features a part may be missing: it is enough that one form of the nonterminal has it.
    for (const size_t id : ids_by_name_[name])
      for (const auto& production : rules_.symbols[id].productions)
        if (production.parts[side].contains(part)) {
          parts_that_are_there_.emplace(name, side, part);
          return;
        }
    throw Error(file_.where(rules_.symbols[parent].name),
                "uses {" + symbol.name + (part.empty() ? "" : "." + part) + "} on the " + side_names[side] +
                    " side, where no production of it has that part",
                "name one of its parts");
  }

  void check_one_sided() const {
    const std::vector<bool> chosen = symbols_with_choice();
    for (size_t id = 0; id < rules_.symbols.size(); ++id)
      for (const auto& production : rules_.symbols[id].productions)
        for (size_t slot = 0; slot < production.children.size(); ++slot) {
          const Symbol& child = rules_.symbols[production.children[slot]];
          if (chosen[production.children[slot]] && !uses(production.parts[source_side], slot))
            throw Error(file_.where(rules_.symbols[id].name),
                        "{" + child.name + "} is chosen on the target side only",
                        "mention it on the source side, or no source has one right target");
        }
  }

  /// Which symbols have several forms. The children of a production that has no alternative are lower than its symbol.
  std::vector<bool> symbols_with_choice() const {
    std::vector<size_t> order(rules_.symbols.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return rules_.symbols[a].height < rules_.symbols[b].height; });
    std::vector<bool> chosen(order.size());
    for (const size_t id : order) {
      const Symbol& symbol = rules_.symbols[id];
      chosen[id] = symbol.generator != nullptr || symbol.productions.size() > 1;
      for (const auto& production : symbol.productions)
        for (const size_t child : production.children) chosen[id] = chosen[id] || chosen[child];
    }
    return chosen;
  }

  static bool uses(const std::map<std::string, Form>& parts, size_t slot) {
    for (const auto& [part, form] : parts)
      for (const auto& piece : form)
        if (piece.slot == static_cast<int>(slot)) return true;
    return false;
  }

  GrammarFile file_;
  std::map<std::string, size_t> ids_;
  std::vector<std::pair<std::string, std::vector<std::string>>> heads_;
  std::map<std::string, std::vector<size_t>> ids_by_name_;
  std::set<std::tuple<std::string, size_t, std::string>> parts_that_are_there_;
  size_t most_bytes_, spent_ = 0;
  std::map<size_t, std::vector<std::string>> origins_;
  Rules rules_;
};

}  // namespace

Rules read_rules(const Json& json, const std::string& origin, size_t most_bytes) {
  return RuleExpander(read_grammar_file(json, origin), most_bytes).expand();
}

}  // namespace seq2seq::grammar
