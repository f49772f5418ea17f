#include "seq2seq/metrics/scored_texts.h"

#include <utility>

namespace seq2seq {
namespace {

MetricOptions settled_options(MetricOptions options, const ReferenceLists& references) {
  options.rouge_tokenizer = settled(options.rouge_tokenizer, references);
  return options;
}

}  // namespace

ScoredTexts::ScoredTexts(std::vector<std::string> scored, ReferenceLists compared_with,
                         std::vector<std::string> written_from, std::shared_ptr<const TextCodec> written_with,
                         const MetricOptions& how)
    : hypotheses(std::move(scored)),
      references(std::move(compared_with)),
      sources(std::move(written_from)),
      codec(std::move(written_with)),
      options(settled_options(how, references)) {
  check_parallel(hypotheses, references);
}

}  // namespace seq2seq
