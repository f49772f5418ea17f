#pragma once

#include <map>
#include <memory>
#include <string>
#include <typeindex>
#include <vector>

#include "seq2seq/metrics/bleu_tokenizer.h"
#include "seq2seq/metrics/rouge_tokenizer.h"
#include "seq2seq/metrics/sentence_statistics.h"

namespace seq2seq {

class TextCodec;

/// How metrics read text; Metric::heeds says which of these a metric uses.
struct MetricOptions {
  BleuTokenizer tokenizer = BleuTokenizer::v13a;
  bool lowercase = false;  ///< ignore case
  bool stem = true;        ///< compare Porter stems
  RougeTokenizer rouge_tokenizer = RougeTokenizer::rouge_score;
};

/// Texts to be scored. What several metrics derive from them is computed once. Not thread-safe.
class ScoredTexts {
 public:
  /// Only some metrics need `sources` and the generating model's `codec`. RougeTokenizer::automatic becomes
  /// what suits the references. Throws like check_parallel.
  ScoredTexts(std::vector<std::string> hypotheses, ReferenceLists references,
              std::vector<std::string> sources = {}, std::shared_ptr<const TextCodec> codec = nullptr,
              const MetricOptions& options = {});

  const std::vector<std::string> hypotheses;
  const ReferenceLists references;
  const std::vector<std::string> sources;
  const std::shared_ptr<const TextCodec> codec;
  const MetricOptions options;

  /// `Prepared(*this)`, computed on the first call.
  template <class Prepared>
  const Prepared& prepared() const {
    auto& entry = prepared_[typeid(Prepared)];
    if (!entry) entry = std::make_shared<const Prepared>(*this);
    return *static_cast<const Prepared*>(entry.get());
  }

 private:
  mutable std::map<std::type_index, std::shared_ptr<const void>> prepared_;
};

}  // namespace seq2seq
