#pragma once

// Private to the grammar engine: features, and references "name[feature,feature]".

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "seq2seq/core/json.h"

namespace seq2seq::grammar {

struct FeatureValue {
  std::string name;
  double weight = 1.0;
};

/// The features of a grammar. No value belongs to two of them, so that a value identifies its feature.
class Features {
 public:
  Features() = default;
  Features(const Json& json, const std::string& where);
  const std::vector<FeatureValue>* values(const std::string& feature) const;
  /// The feature a value belongs to; empty when there is none.
  std::string feature_of(const std::string& value) const;
  /// The feature of a variable: its name without trailing digits; empty when there is none.
  std::string feature_of_variable(std::string_view variable) const;

 private:
  std::map<std::string, std::vector<FeatureValue>> features_;
  std::map<std::string, std::string> features_by_value_;
};

using Binding = std::map<std::string, std::string>;  ///< variable -> value

/// "name:2[a,b].part", parsed. Throws Error when `text` has another form.
struct Reference {
  std::string name, index, part;
  std::vector<std::string> arguments;
};
Reference parse_reference(std::string_view text, const std::string& where);

/// The values of the arguments (each a value or a bound variable), checked against `features` of the callee.
std::vector<std::string> resolve(const Reference& reference, const std::vector<std::string>& features,
                                 const Features& known, const Binding& binding, const std::string& where);

/// Whether `value` matches the pattern "a|b" or "*".
bool matches(std::string_view pattern, std::string_view value);

std::vector<std::string> split(std::string_view text, char separator);

}  // namespace seq2seq::grammar
