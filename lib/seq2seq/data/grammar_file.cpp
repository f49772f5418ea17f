#include "seq2seq/data/grammar_file.h"

#include <algorithm>
#include <functional>
#include <type_traits>

#include "seq2seq/core/error.h"
#include "seq2seq/core/nearest_name.h"

namespace seq2seq::grammar {

const std::array<std::string, 2> side_names = {"source", "target"};

namespace {

void check_keys(const Json& json, const std::vector<std::string>& known, const std::string& where) {
  if (!json.is_object()) throw Error(where, "holds " + std::string(json.type_name()) + ", not an object");
  for (const auto& [key, value] : json.items())
    if (std::find(known.begin(), known.end(), key) == known.end())
      throw Error(where, "unknown key '" + key + "'", suggest_name(key, known));
}

template <class T>
T get(const Json& json, const std::string& key, T otherwise, const std::string& where) {
  if (!json.contains(key)) return otherwise;
  const Json& value = json.at(key);
  const bool fits = std::is_same_v<T, bool>     ? value.is_boolean()
                    : std::is_same_v<T, double> ? value.is_number() && value.get<double>() > 0
                    : std::is_integral_v<T>     ? value.is_number_unsigned() && value.get<uint64_t>() > 0
                                                : value.is_string();
  if (!fits)
    throw Error(where, "'" + key + "' has the bad value " + dump_json(value),
                "give a value of the right kind");
  return value.get<T>();
}

class FileReader {
 public:
  FileReader(const Json& json, const std::string& origin) {
    check_keys(json,
               {"description", "start", "maximum_depth", "maximum_words", "capitalize", "features", "forms",
                "generators", "lexicon", "rules"},
               origin);
    file_.origin = file_.rules.origin = origin;
    const auto depth = get<uint64_t>(json, "maximum_depth", 32, origin);
    if (depth > deepest)
      throw Error(origin, "'maximum_depth' is " + std::to_string(depth), "give at most 1000");
    file_.rules.maximum_depth = static_cast<int>(depth);
    file_.rules.maximum_words = get<uint64_t>(json, "maximum_words", 100, origin);
    file_.rules.capitalize = get<bool>(json, "capitalize", false, origin);
    file_.start = get<std::string>(json, "start", "", origin);
    if (json.contains("features")) file_.features = Features(json.at("features"), origin);
    each(json, "generators",
         [&](const std::string& name, const Json& value) { read_generator(name, value); });
    each(json, "forms", [&](const std::string& name, const Json& value) { read_forms(name, value); });
    each(json, "lexicon", [&](const std::string& name, const Json& value) { read_lexicon(name, value); });
    each(json, "rules", [&](const std::string& name, const Json& value) { read_rule(name, value); });
  }

  GrammarFile take() { return std::move(file_); }

 private:
  static constexpr size_t longest_name = 1000;
  static constexpr uint64_t deepest = 1000;

  void each(const Json& json, const std::string& key,
            const std::function<void(const std::string&, const Json&)>& read) {
    if (!json.contains(key)) return;
    if (!json.at(key).is_object()) throw Error(file_.origin, "'" + key + "' is not an object");
    for (const auto& [name, value] : json.at(key).items()) read(name, value);
  }

  Reference declare(const std::string& head) {
    if (head.size() > longest_name)
      throw Error(file_.origin, "the name '" + head + "' is longer than 1,000 bytes", "shorten it");
    const Reference reference = parse_reference(head, file_.where(head));
    if (!file_.names.insert(reference.name).second)
      throw Error(file_.where(head), "is declared twice", "rename one of them");
    for (const auto& feature : reference.arguments)
      if (file_.features.values(feature) == nullptr)
        throw Error(file_.where(head), "unknown feature '" + feature + "'", "declare it under 'features'");
    return reference;
  }

  void read_generator(const std::string& name, const Json& json) {
    declare(name);
    check_keys(json, {"kind", "minimum", "maximum", "capitalize", "unseen"}, file_.where(name));
    Generator generator;
    const auto kind = get<std::string>(json, "kind", "", file_.where(name));
    if (kind != "syllables" && kind != "digits")
      throw Error(file_.where(name), "unknown kind '" + kind + "' of generator", "valid: syllables, digits");
    generator.kind = kind == "digits" ? Generator::Kind::digits : Generator::Kind::syllables;
    generator.minimum = get<uint64_t>(json, "minimum", 2, file_.where(name));
    generator.maximum =
        get<uint64_t>(json, "maximum", std::max<uint64_t>(3, generator.minimum), file_.where(name));
    generator.capitalize = get<bool>(json, "capitalize", false, file_.where(name));
    generator.unseen = get<bool>(json, "unseen", false, file_.where(name));
    if (generator.minimum > generator.maximum || generator.maximum > 18)
      throw Error(file_.where(name), "its lengths are not in order, 1 to 18");
    file_.rules.generators[name] = generator;
  }

  void read_forms(const std::string& head, const Json& json) {
    const Reference reference = declare(head);
    WordForms forms{file_.where(head), reference.arguments, {}};
    if (!json.is_object()) throw Error(file_.where(head), "is not an object of features and words");
    for (const auto& [key, value] : json.items()) {
      auto patterns = split(key, ',');
      if (patterns.size() != forms.features.size() || !value.is_string())
        throw Error(file_.where(head), "the entry '" + key + "' needs " +
                                           std::to_string(forms.features.size()) +
                                           " values separated by commas, and a word");
      for (size_t i = 0; i < patterns.size(); ++i)
        check_pattern(patterns[i], forms.features[i], file_.where(head));
      forms.cases.emplace_back(std::move(patterns), value.get<std::string>());
    }
    file_.forms[reference.name] = std::move(forms);
  }

  void check_pattern(const std::string& pattern, const std::string& feature, const std::string& place) const {
    if (pattern == "*") return;
    for (const auto& value : split(pattern, '|'))
      if (file_.features.feature_of(value) != feature)
        throw Error(place, "'" + value + "' is no value of " + feature, "list it under 'features'");
  }

  void read_rule(const std::string& head, const Json& json) {
    const Reference reference = declare(head);
    Nonterminal nonterminal{reference.arguments, {}};
    if (!json.is_array() || json.empty()) throw Error(file_.where(head), "is not a list of productions");
    for (const auto& item : json) {
      Template production;
      production.where =
          file_.where(head) + ", production " + std::to_string(nonterminal.templates.size() + 1);
      check_keys(item, {"weight", "when", "source", "target"}, production.where);
      production.weight = get<double>(item, "weight", 1.0, production.where);
      if (item.contains("when")) read_conditions(item.at("when"), production);
      for (const size_t side : {source_side, target_side}) read_parts(item, side, production);
      nonterminal.templates.push_back(std::move(production));
    }
    file_.nonterminals[reference.name] = std::move(nonterminal);
  }

  void read_conditions(const Json& json, Template& production) const {
    if (!json.is_object()) throw Error(production.where, "'when' is not an object");
    for (const auto& [variable, pattern] : json.items()) {
      const std::string feature = file_.features.feature_of_variable(variable);
      if (feature.empty() || !pattern.is_string())
        throw Error(production.where, "'when' has the bad entry '" + variable + "'",
                    "write \"feature\": \"a|b\"");
      check_pattern(pattern.get<std::string>(), feature, production.where);
      production.when[variable] = pattern.get<std::string>();
    }
  }

  void read_parts(const Json& item, size_t side, Template& production) const {
    if (!item.contains(side_names[side])) throw Error(production.where, "no '" + side_names[side] + "'");
    const Json& value = item.at(side_names[side]);
    if (value.is_string()) {
      production.parts[side].emplace_back("", value.get<std::string>());
      return;
    }
    if (!value.is_object())
      throw Error(production.where, "'" + side_names[side] + "' is neither text nor an object");
    for (const auto& [part, text] : value.items()) {
      if (!text.is_string()) throw Error(production.where, "part '" + part + "' is not text");
      production.parts[side].emplace_back(part, text.get<std::string>());
    }
  }

  // A table of words: a row becomes a production for each combination of features it allows.
  void read_lexicon(const std::string& head, const Json& json) {
    const Reference reference = declare(head);
    check_keys(json, {"columns", "rows"}, file_.where(head));
    Nonterminal nonterminal{reference.arguments, {}};
    const Json columns = json.value("columns", Json::array()), rows = json.value("rows", Json::array());
    std::vector<std::string> names;
    for (const auto& column : columns) names.push_back(column.is_string() ? column.get<std::string>() : "");
    for (const auto& row : rows) {
      const std::string place =
          file_.where(head) + ", row " + std::to_string(nonterminal.templates.size() + 1);
      auto cells = split(row.is_string() ? row.get<std::string>() : "", ' ');
      std::erase(cells, "|");
      if (cells.size() != names.size())
        throw Error(place, "has " + std::to_string(cells.size()) + " cells for " +
                               std::to_string(names.size()) + " columns");
      add_row(nonterminal, names, cells, place);
    }
    if (nonterminal.templates.empty()) throw Error(file_.where(head), "has no rows");
    file_.nonterminals[reference.name] = std::move(nonterminal);
  }

  // Cells that apply to some feature values only are kept as parts "name[values]" until features have values.
  void add_row(Nonterminal& nonterminal, const std::vector<std::string>& names,
               std::vector<std::string>& cells, const std::string& place) const {
    Template production;
    production.where = place;
    for (size_t i = 0; i < names.size(); ++i) {
      std::string cell = cells[i] == "-" ? "" : cells[i];
      if (file_.features.values(names[i]) != nullptr) {
        check_pattern(cell, names[i], place);
        production.when[names[i]] = cell;
        continue;
      }
      std::replace(cell.begin(), cell.end(), '_', ' ');
      for (const auto& name : split(names[i], ' ')) {
        const size_t side = name.starts_with("target") ? target_side : source_side;
        std::string part = name.substr(std::min(side_names[side].size(), name.size()));
        if (!name.starts_with(side_names[side]) || !(part.empty() || part[0] == '.' || part[0] == '['))
          throw Error(place, "unknown column '" + name + "'",
                      "write a feature, source.PART or target.PART[VALUE]");
        if (part.starts_with('.')) part.erase(0, 1);
        production.parts[side].emplace_back(part, cell);
      }
    }
    nonterminal.templates.push_back(std::move(production));
  }

  GrammarFile file_;
};

}  // namespace

GrammarFile read_grammar_file(const Json& json, const std::string& origin) {
  return FileReader(json, origin).take();
}

}  // namespace seq2seq::grammar
