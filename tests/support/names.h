#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "seq2seq/core/options.h"

namespace seq2seq::test {

/// The name of an option's value (or of a variant's alternative), spelled as test names allow.
template <class Value>
std::string name_of_value(const Value& value) {
  std::string name = option_name(value);
  std::ranges::replace(name, '-', '_');
  return name;
}

template <class Variant>
struct AllKinds;
template <class... Kind>
struct AllKinds<std::variant<Kind...>> {
  static std::vector<std::variant<Kind...>> list() { return {Kind{}...}; }
};
/// Every alternative of a variant of options structs, with its defaults.
template <class Variant>
std::vector<Variant> all_kinds() {
  return AllKinds<Variant>::list();
}

/// The alternative of this name.
template <class Variant>
Variant kind_named(const std::string& name) {
  for (const Variant& kind : all_kinds<Variant>())
    if (option_name(kind) == name) return kind;
  throw std::invalid_argument(name);
}

template <class Kind, class... Alternative>
bool is(const std::variant<Alternative...>& options) {
  return std::holds_alternative<Kind>(options);
}

}  // namespace seq2seq::test
