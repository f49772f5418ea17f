#include "seq2seq/metrics/chrf.h"

#include <cmath>
#include <string_view>

#include "seq2seq/metrics/ngrams.h"
#include "seq2seq/metrics/python_text.h"
#include "seq2seq/metrics/signature.h"

namespace seq2seq {
namespace {

bool is_ascii_punctuation(char32_t c) {
  return (c >= U'!' && c <= U'/') || (c >= U':' && c <= U'@') || (c >= U'[' && c <= U'`') ||
         (c >= U'{' && c <= U'~');
}

/// Splits a punctuation mark off the end of each word, or else off its start: "(hi)" becomes "(hi" and ")".
std::vector<std::u32string_view> detach_punctuation(const std::vector<std::u32string_view>& words) {
  std::vector<std::u32string_view> result;
  for (const auto word : words) {
    if (word.size() > 1 && is_ascii_punctuation(word.back())) {
      result.push_back(word.substr(0, word.size() - 1));
      result.push_back(word.substr(word.size() - 1));
    } else if (word.size() > 1 && is_ascii_punctuation(word.front())) {
      result.push_back(word.substr(0, 1));
      result.push_back(word.substr(1));
    } else {
      result.push_back(word);
    }
  }
  return result;
}

/// `sums`: hypothesis n-grams, reference n-grams and shared n-grams of each order.
double score_from_sums(std::span<const double> sums, double beta) {
  double precision = 0.0, recall = 0.0;
  size_t effective_orders = 0;
  for (size_t i = 0; i + 2 < sums.size(); i += 3) {
    if (sums[i] <= 0 || sums[i + 1] <= 0) continue;
    precision += sums[i + 2] / sums[i];
    recall += sums[i + 2] / sums[i + 1];
    ++effective_orders;
  }
  if (precision + recall == 0.0) return 0.0;
  precision /= static_cast<double>(effective_orders);
  recall /= static_cast<double>(effective_orders);
  const double factor = beta * beta;
  return 100.0 * ((1.0 + factor) * precision * recall / (factor * precision + recall));
}

/// Statistics of row 0 against row `reference`, one triple per order.
void append_triples(const std::vector<NgramCounts>& counts, size_t reference, std::vector<double>& out) {
  for (const auto& order : counts) {
    const int64_t in_reference = total_count(order.rows[reference]);
    // Orders that the reference is too short for do not count against the hypothesis.
    out.push_back(in_reference > 0 ? static_cast<double>(total_count(order.rows[0])) : 0.0);
    out.push_back(static_cast<double>(in_reference));
    out.push_back(static_cast<double>(shared_count(order.rows[0], order.rows[reference])));
  }
}

std::vector<double> sentence_triples(const std::string& hypothesis,
                                     const std::vector<std::string>& references, const ChrfOptions& options) {
  std::vector<std::u32string> texts{decode_text(hypothesis)};
  for (const auto& reference : references) texts.push_back(decode_text(reference));
  SymbolTable<std::u32string_view> table;
  std::vector<Symbols> characters, words;
  for (auto& text : texts) {
    if (options.lowercase) text = lowercase_text(text);
    const auto pieces = split_words(text);
    characters.emplace_back();
    for (const auto piece : pieces)
      characters.back().insert(characters.back().end(), piece.begin(), piece.end());
    if (options.word_order > 0) words.push_back(table.number(detach_punctuation(pieces)));
  }
  auto counts = count_ngrams(characters, static_cast<size_t>(options.character_order));
  for (auto& order : count_ngrams(words, static_cast<size_t>(options.word_order)))
    counts.push_back(std::move(order));

  std::vector<double> best;
  double best_score = -1.0;
  for (size_t r = 1; r < texts.size(); ++r) {
    std::vector<double> triples;
    append_triples(counts, r, triples);
    const double score = score_from_sums(triples, options.beta);
    if (score > best_score) {
      best_score = score;
      best = std::move(triples);
    }
  }
  return best;
}

std::string shortest_text(double number) {
  std::string text = std::to_string(number);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

}  // namespace

ChrfOptions chrf_plus_plus() {
  ChrfOptions options;
  options.word_order = 2;
  return options;
}

SentenceStatistics chrf_statistics(const std::vector<std::string>& hypotheses,
                                   const ReferenceLists& references, const ChrfOptions& options) {
  check_parallel(hypotheses, references);
  SentenceStatistics result;
  result.width = 3 * static_cast<size_t>(options.character_order + options.word_order);
  result.values.reserve(hypotheses.size() * result.width);
  for (size_t i = 0; i < hypotheses.size(); ++i) {
    const auto triples = sentence_triples(hypotheses[i], references[i], options);
    result.values.insert(result.values.end(), triples.begin(), triples.end());
  }
  result.score = [beta = options.beta](std::span<const double> sums) { return score_from_sums(sums, beta); };
  return result;
}

double corpus_chrf(const std::vector<std::string>& hypotheses, const ReferenceLists& references,
                   const ChrfOptions& options) {
  return score_from_sums(chrf_statistics(hypotheses, references, options).sums(), options.beta);
}

double sentence_chrf(const std::string& hypothesis, const std::vector<std::string>& references,
                     const ChrfOptions& options) {
  return corpus_chrf({hypothesis}, {references}, options);
}

std::string chrf_name(const ChrfOptions& options) {
  return "chrF" + shortest_text(options.beta) + std::string(static_cast<size_t>(options.word_order), '+');
}

std::string chrf_signature(const ReferenceLists& references, const ChrfOptions& options) {
  return "nrefs:" + describe_reference_count(references) + "|case:" + (options.lowercase ? "lc" : "mixed") +
         "|eff:yes|nc:" + std::to_string(options.character_order) +
         "|nw:" + std::to_string(options.word_order) + "|space:no|" + signature_version;
}

}  // namespace seq2seq
