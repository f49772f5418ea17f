#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "seq2seq/metrics/sentence_statistics.h"

namespace seq2seq {

/// How ROUGE splits text into words. All of them ignore case.
enum class RougeTokenizer {
  automatic,    ///< rouge_score, unless it keeps fewer than half of the references' words: then unicode
  rouge_score,  ///< runs of a-z and 0-9, as the rouge-score package has it: for English
  unicode,      ///< runs of letters, marks and digits; Han, kana and Thai by character
  character,    ///< every character but white space
};
/// "auto", "rouge-score", "unicode", "char", in the order of the enumerators.
std::span<const char* const> option_names(RougeTokenizer);

struct RougeOptions {
  bool stem = true;  ///< Porter stemming of words longer than three letters; of rouge_score's words alone
  RougeTokenizer tokenizer = RougeTokenizer::rouge_score;
};

/// The words that ROUGE compares; `automatic` is settled on the text itself.
std::vector<std::string> tokenize_for_rouge(std::string_view text, const RougeOptions& options = {});

/// How many words texts have by `unicode`, and of how many of them `rouge_score` keeps a letter or digit.
struct KeptWords {
  size_t all = 0, kept = 0;
};
KeptWords words_kept_by_rouge_score(const ReferenceLists& references);

/// `tokenizer`, with `automatic` settled on the references.
RougeTokenizer settled(RougeTokenizer tokenizer, const ReferenceLists& references);

}  // namespace seq2seq
