#pragma once

// Private to the grammar engine: the expanded form, without features or variables.

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "seq2seq/core/json.h"

namespace seq2seq::grammar {

enum Side : size_t { source_side = 0, target_side = 1 };

/// Part of a sentence form: a word, or (slot >= 0) a named string of the child in that slot.
struct Piece {
  std::string text;  ///< the word, or the name of the child's part
  int slot = -1;
  bool glued = false;  ///< no space before it
};
using Form = std::vector<Piece>;

struct Production {
  double weight = 1.0;
  std::vector<size_t> children;
  std::array<std::map<std::string, Form>, 2> parts;  ///< for each side; a plain string is the part ""
  int height = std::numeric_limits<int>::max();
};

/// Generates random words, the same on both sides.
struct Generator {
  enum class Kind { syllables, digits } kind = Kind::syllables;
  uint64_t minimum = 2, maximum = 3;  ///< syllables or digits
  bool capitalize = false;
  bool unseen = false;
};

/// A nonterminal with values for all its features, "NP[acc,sg]", or a generator.
struct Symbol {
  std::string name;
  std::vector<Production> productions;
  const Generator* generator = nullptr;
  int height = std::numeric_limits<int>::max();
};

struct Rules {
  std::string origin;
  std::vector<Symbol> symbols;  ///< the first is the start
  std::map<std::string, Generator> generators;
  int maximum_depth = 32;
  size_t maximum_words = 100;
  bool capitalize = false;
};

/// Throws Error, also if texts and names of the expanded productions exceed `most_bytes`.
Rules read_rules(const Json& json, const std::string& origin, size_t most_bytes);

}  // namespace seq2seq::grammar
