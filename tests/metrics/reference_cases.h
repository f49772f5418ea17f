#pragma once

#include <string>
#include <utility>
#include <vector>

#include "../support/paths.h"
#include "seq2seq/core/json.h"
#include "seq2seq/metrics/sentence_statistics.h"

namespace seq2seq::test {

/// tests/reference/metrics_<name>.json
inline Json read_reference(const std::string& name) {
  return read_json_file(test::tests_folder + "reference/metrics_" + name + ".json");
}

struct Pairs {
  std::vector<std::string> hypotheses;
  ReferenceLists references;
};

/// [[hypothesis, [reference, ...]], ...]
inline Pairs read_pairs(const Json& pairs) {
  Pairs texts;
  for (const auto& pair : pairs) {
    texts.hypotheses.push_back(pair.at(0).get<std::string>());
    texts.references.push_back(pair.at(1).get<std::vector<std::string>>());
  }
  return texts;
}

/// sacrebleu's signature with our version in place of its own.
inline std::string with_our_version(const std::string& signature) {
  return signature.substr(0, signature.find("version:")) + "version:seq2seq-0.1.0";
}

}  // namespace seq2seq::test
