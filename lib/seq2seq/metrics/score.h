#pragma once

#include <span>
#include <string>
#include <vector>

#include "seq2seq/metrics/sentence_statistics.h"

namespace seq2seq {

/// The metrics of whole texts that can decide about a model, each with its usual settings: BLEU with
/// tokenizer 13a, chrF and chrF++ with beta 2, ROUGE as mean F-measure with stemming.
enum class MetricName { bleu, chrf, chrf_plus_plus, rouge1, rouge2, rouge_l, rouge_lsum };

/// "bleu", "chrf", "chrf++", "rouge1", "rouge2", "rougeL", "rougeLsum", in the order of the enumerators.
std::span<const char* const> option_names(MetricName);

/// BLEU and chrF from 0 to 100, ROUGE from 0 to 1, as their reference programs give them (and `evaluate`
/// prints). Throws Error when there are no sentences, the counts differ, or a sentence has no reference.
double score_corpus(MetricName metric, const std::vector<std::string>& hypotheses,
                    const ReferenceLists& references);
/// The same with one reference a sentence.
double score_corpus(MetricName metric, const std::vector<std::string>& hypotheses,
                    const std::vector<std::string>& references);

/// Whether larger values mean better text: true of every metric here.
constexpr bool larger_is_better(MetricName) {
  return true;
}

}  // namespace seq2seq
