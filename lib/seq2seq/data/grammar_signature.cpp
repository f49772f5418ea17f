#include "seq2seq/data/grammar_signature.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "seq2seq/core/error.h"
#include "seq2seq/core/join.h"
#include "seq2seq/core/nearest_name.h"

namespace seq2seq::grammar {
namespace {

bool is_name_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

}  // namespace

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> words;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    if (end > begin) words.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

Features::Features(const Json& json, const std::string& where) {
  if (!json.is_object())
    throw Error(where, "'features' is not an object", "write {\"case\": [\"nom\", \"acc\"]}");
  for (const auto& [name, values] : json.items()) {
    auto& feature = features_[name];
    const std::string place = where + ": feature " + name;
    if (!values.is_array() && !values.is_object())
      throw Error(place, "is neither a list of values nor an object of values with weights");
    double total = 0;
    for (const auto& [key, item] : values.items()) {
      if (values.is_array() ? !item.is_string() : !item.is_number())
        throw Error(place, "has the bad value " + dump_json(item));
      const FeatureValue value =
          values.is_array() ? FeatureValue{item.get<std::string>()} : FeatureValue{key, item.get<double>()};
      if (const auto other = feature_of(value.name); !other.empty())
        throw Error(place, "its value '" + value.name + "' also belongs to " + other, "rename one of them");
      if (!(value.weight >= 0))
        throw Error(place, "its value '" + value.name + "' has the weight " + dump_json(item),
                    "give 0 or a positive number");
      total += value.weight;
      features_by_value_[value.name] = name;
      feature.push_back(value);
    }
    if (!std::isfinite(total))
      throw Error(place, "the sum of its weights is not finite", "give smaller ones");
    if (!feature.empty() && total == 0)
      throw Error(place, "all its weights are 0", "give one of its values a weight");
  }
}

const std::vector<FeatureValue>* Features::values(const std::string& feature) const {
  const auto found = features_.find(feature);
  return found == features_.end() ? nullptr : &found->second;
}

std::string Features::feature_of(const std::string& value) const {
  const auto found = features_by_value_.find(value);
  return found == features_by_value_.end() ? std::string() : found->second;
}

std::string Features::feature_of_variable(std::string_view variable) const {
  while (!variable.empty() && std::isdigit(static_cast<unsigned char>(variable.back())) != 0)
    variable.remove_suffix(1);
  return features_.contains(std::string(variable)) ? std::string(variable) : std::string();
}

Reference parse_reference(std::string_view text, const std::string& where) {
  Reference result;
  const std::string whole(text);
  auto fail = [&](const std::string& what) -> void {
    throw Error(where, "'" + whole + "' is no reference (" + what + ")",
                "write {name}, {name:2[feature].part}");
  };
  auto take_name = [&] {
    const auto end = std::find_if_not(text.begin(), text.end(), is_name_character);
    std::string name(text.begin(), end);
    text.remove_prefix(name.size());
    return name;
  };
  result.name = take_name();
  if (result.name.empty()) fail("it has no name");
  if (text.starts_with(':')) {
    text.remove_prefix(1);
    result.index = take_name();
  }
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) fail("']' is missing");
    result.arguments = split(text.substr(1, end - 1), ',');
    text.remove_prefix(end + 1);
  }
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    result.part = take_name();
  }
  if (!text.empty()) fail("stray '" + std::string(text) + "'");
  return result;
}

std::vector<std::string> resolve(const Reference& reference, const std::vector<std::string>& features,
                                 const Features& known, const Binding& binding, const std::string& where) {
  if (reference.arguments.size() != features.size())
    throw Error(
        where, "{" + reference.name + "} has " + std::to_string(reference.arguments.size()) + " features",
        "it is declared with " + std::to_string(features.size()) + ": [" + joined(features, ",") + "]");
  std::vector<std::string> values;
  for (size_t i = 0; i < features.size(); ++i) {
    const std::string& argument = reference.arguments[i];
    const auto bound = binding.find(argument);
    const std::string& value = bound == binding.end() ? argument : bound->second;
    if (known.feature_of(value) != features[i])
      throw Error(where, "'" + argument + "' in {" + reference.name + "[...]} is no value of " + features[i],
                  "write a value of it or the name of a variable");
    values.push_back(value);
  }
  return values;
}

bool matches(std::string_view pattern, std::string_view value) {
  if (pattern == "*") return true;
  const auto alternatives = split(pattern, '|');
  return std::find(alternatives.begin(), alternatives.end(), value) != alternatives.end();
}

}  // namespace seq2seq::grammar
