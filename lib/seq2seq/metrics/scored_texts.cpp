#include "seq2seq/metrics/scored_texts.h"

#include <utility>

namespace seq2seq {

ScoredTexts::ScoredTexts(std::vector<std::string> scored, ReferenceLists compared_with,
                         std::vector<std::string> written_from, std::shared_ptr<const TextCodec> written_with,
                         const MetricOptions& how)
    : hypotheses(std::move(scored)),
      references(std::move(compared_with)),
      sources(std::move(written_from)),
      codec(std::move(written_with)),
      options(how) {
  check_parallel(hypotheses, references);
}

}  // namespace seq2seq
