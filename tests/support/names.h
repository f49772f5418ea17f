#pragma once

#include <algorithm>
#include <string>

namespace seq2seq::test {

/// The name of an option's value, as the name of a test may be written.
template <class Enum>
std::string name_of_value(Enum value) {
  std::string name = option_names(value)[static_cast<size_t>(value)];
  std::ranges::replace(name, '-', '_');
  return name;
}

}  // namespace seq2seq::test
