#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "seq2seq/metrics/metrics.h"

namespace seq2seq {

// Whether a metric can say anything about outputs, judged by the references.

/// Whether outputs equal to the references would score better than empty ones. If not, a metric of which
/// more is better, or of which 1 is best, says nothing; of other metrics it is always true.
bool can_rise(const Metric& metric, const ReferenceLists& references, const MetricOptions& options);

/// The number of sentences of whose references ROUGE's tokenizer leaves no word.
size_t sentences_without_words(const ReferenceLists& references, RougeTokenizer tokenizer);

/// Whether BLEU's tokenizer leaves fewer than four words, and so no 4-gram, in most of the references that have
/// four words by RougeTokenizer::unicode: text without spaces that it does not split.
bool leaves_most_unsplit(const BleuTokenizer& tokenizer, const ReferenceLists& references);

/// Whether nearly all letters of the outputs are lower-case where those of the references are not: a model of
/// lower-case text wrote them.
bool are_lowercase_beside(const std::vector<std::string>& outputs, const ReferenceLists& references);

/// What a user should know of scores with these metrics and references, a line each: metrics that cannot rise,
/// text that BLEU's tokenizer does not split. The flags that help begin with `flags`, "--" or "--valid-".
std::vector<std::string> remarks_on(const std::vector<const Metric*>& metrics,
                                    const ReferenceLists& references, const MetricOptions& options,
                                    const std::string& flags);

/// The same of RougeTokenizer::automatic; empty where it means rouge_score.
std::string remark_on_automatic(const ReferenceLists& references, const std::string& flags);

}  // namespace seq2seq
