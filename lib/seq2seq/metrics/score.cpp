#include "seq2seq/metrics/score.h"

#include "seq2seq/metrics/bleu.h"
#include "seq2seq/metrics/chrf.h"
#include "seq2seq/metrics/rouge.h"

namespace seq2seq {
namespace {

double rouge_fmeasure(RougeType type, const std::vector<std::string>& hypotheses,
                      const ReferenceLists& references) {
  return corpus_rouge(hypotheses, references)[static_cast<size_t>(type)].fmeasure;
}

}  // namespace

std::span<const char* const> option_names(MetricName) {
  static constexpr const char* names[] = {"bleu",   "chrf",   "chrf++",   "rouge1",
                                          "rouge2", "rougeL", "rougeLsum"};
  return names;
}

double score_corpus(MetricName metric, const std::vector<std::string>& hypotheses,
                    const ReferenceLists& references) {
  switch (metric) {
    case MetricName::bleu:
      return corpus_bleu(hypotheses, references).score;
    case MetricName::chrf:
      return corpus_chrf(hypotheses, references);
    case MetricName::chrf_plus_plus:
      return corpus_chrf(hypotheses, references, chrf_plus_plus());
    case MetricName::rouge1:
      return rouge_fmeasure(RougeType::rouge1, hypotheses, references);
    case MetricName::rouge2:
      return rouge_fmeasure(RougeType::rouge2, hypotheses, references);
    case MetricName::rouge_l:
      return rouge_fmeasure(RougeType::rouge_l, hypotheses, references);
    case MetricName::rouge_lsum:
      break;
  }
  return rouge_fmeasure(RougeType::rouge_lsum, hypotheses, references);
}

double score_corpus(MetricName metric, const std::vector<std::string>& hypotheses,
                    const std::vector<std::string>& references) {
  ReferenceLists lists;
  lists.reserve(references.size());
  for (const auto& reference : references) lists.push_back({reference});
  return score_corpus(metric, hypotheses, lists);
}

}  // namespace seq2seq
