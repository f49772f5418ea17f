#pragma once

// Private to the grammar engine: a grammar as written in its file, before features have values.

#include <array>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "seq2seq/core/json.h"
#include "seq2seq/data/grammar_rules.h"
#include "seq2seq/data/grammar_signature.h"

namespace seq2seq::grammar {

/// A production as written, before its variables have values.
struct Template {
  std::string where;
  double weight = 1.0;
  std::map<std::string, std::string> when;  ///< variable -> pattern
  /// For each side: name -> text, in the order of the file.
  std::array<std::vector<std::pair<std::string, std::string>>, 2> parts;
};

struct Nonterminal {
  std::vector<std::string> features;
  std::vector<Template> templates;
};

/// Lookup of a word form by features, on one side: an article, an ending.
struct WordForms {
  std::string where;
  std::vector<std::string> features;
  /// Patterns -> text; the first match wins.
  std::vector<std::pair<std::vector<std::string>, std::string>> cases;
};

struct GrammarFile {
  std::string origin, start;
  Features features;
  std::set<std::string> names;
  std::map<std::string, Nonterminal> nonterminals;  ///< of rules and lexicon
  std::map<std::string, WordForms> forms;
  Rules rules;  ///< limits and generators; no symbols yet
  std::string where(const std::string& name) const { return origin + ": " + name; }
};

extern const std::array<std::string, 2> side_names;

/// Throws Error naming the file, the nonterminal and the production or row.
GrammarFile read_grammar_file(const Json& json, const std::string& origin);

}  // namespace seq2seq::grammar
