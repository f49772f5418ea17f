#pragma once

#include <string>
#include <vector>

#include "seq2seq/metrics/sentence_statistics.h"
#include "seq2seq/text/text_codec.h"

namespace seq2seq {

// What ROUGE does not measure in a summary: whether it repeats itself, how much of it comes from its source,
// and whether it keeps words outside the vocabulary. Every value is a ratio of sums over the texts, 0 to 1
// except for the length ratio.

/// The words of a text in lowercase (words as in text/tokenizer.h), without punctuation.
using Words = std::vector<std::string>;
std::vector<Words> words_of(const std::vector<std::string>& texts);
using WordReferences = std::vector<std::vector<Words>>;
WordReferences words_of_references(const ReferenceLists& references);

/// 1 - distinct / all n-grams, counted within each text: the share that occurred before in the text.
SentenceStatistics repeated_ngrams(const std::vector<Words>& texts, size_t order);

/// The share of sentences with the same words as an earlier sentence of the text. Sentences end at line ends
/// and where split_sentences (data/numbered_text.h) finds an end.
SentenceStatistics repeated_sentences(const std::vector<std::string>& texts);

/// The share of each text's distinct n-grams that its source does not contain (See et al. 2017, figure 6).
SentenceStatistics novel_ngrams(const std::vector<Words>& texts, const std::vector<Words>& sources,
                                size_t order);

/// The share of words that occur in the source (extractive fragment coverage, Grusky et al. 2018).
SentenceStatistics copy_rate(const std::vector<Words>& texts, const std::vector<Words>& sources);

/// Of the distinct tokens of a target (its first reference) that are in the source, but not in the vocabulary
/// of `codec`, the share that the output contains; 1 if there are none.
SentenceStatistics recovered_words(const std::vector<std::string>& hypotheses,
                                   const ReferenceLists& references, const std::vector<std::string>& sources,
                                   const TextCodec& codec);

/// Words of the outputs divided by words of the references; of several, the one closest in length counts.
SentenceStatistics length_ratio(const std::vector<Words>& texts, const WordReferences& references);

/// The share of outputs with the same words as a reference.
SentenceStatistics exact_matches(const std::vector<Words>& texts, const WordReferences& references);

/// The share of outputs that begin with the first word of a reference.
SentenceStatistics right_first_words(const std::vector<Words>& texts, const WordReferences& references);

}  // namespace seq2seq
