#include "seq2seq/metrics/bleu.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "seq2seq/metrics/bleu_words.h"
#include "seq2seq/metrics/ngrams.h"
#include "seq2seq/metrics/python_text.h"
#include "seq2seq/metrics/signature.h"

namespace seq2seq {
namespace {

constexpr size_t orders = BleuScore::orders;
constexpr size_t statistics_width = 2 + 2 * orders;  // hypothesis length, reference length, matches, totals

std::u32string prepare(const std::string& text, const BleuOptions& options) {
  std::u32string characters = decode_text(text);
  if (options.lowercase) characters = lowercase_text(characters);
  return separate_words(std::move(characters), options.tokenizer);
}

/// The reference length closest to that of the hypothesis; of two equally close ones the shorter.
size_t nearest_length(const std::vector<Symbols>& sequences) {
  const auto hypothesis = static_cast<int64_t>(sequences[0].size());
  size_t nearest = sequences[1].size();
  for (size_t i = 2; i < sequences.size(); ++i) {
    const size_t length = sequences[i].size();
    const auto distance = std::abs(hypothesis - static_cast<int64_t>(length));
    const auto shortest = std::abs(hypothesis - static_cast<int64_t>(nearest));
    if (distance < shortest || (distance == shortest && length < nearest)) nearest = length;
  }
  return nearest;
}

void append_sentence(const std::string& hypothesis, const std::vector<std::string>& references,
                     const BleuOptions& options, std::vector<double>& values) {
  std::vector<std::u32string> texts{prepare(hypothesis, options)};
  for (const auto& reference : references) texts.push_back(prepare(reference, options));
  SymbolTable<std::u32string_view> table;
  std::vector<Symbols> sequences;  // the hypothesis, then its references
  for (const auto& text : texts) sequences.push_back(table.number(split_words(text)));

  values.push_back(static_cast<double>(sequences[0].size()));
  values.push_back(static_cast<double>(nearest_length(sequences)));
  std::array<double, orders> matches{}, totals{};
  auto counts = count_ngrams(sequences, orders);
  for (size_t n = 0; n < orders; ++n) {
    auto& rows = counts[n].rows;
    std::vector<uint32_t>& allowed = rows[1];  // the largest count in any reference
    for (size_t r = 2; r < rows.size(); ++r)
      std::transform(allowed.begin(), allowed.end(), rows[r].begin(), allowed.begin(),
                     [](uint32_t a, uint32_t b) { return std::max(a, b); });
    matches[n] = static_cast<double>(shared_count(rows[0], allowed));
    totals[n] = static_cast<double>(total_count(rows[0]));
  }
  values.insert(values.end(), matches.begin(), matches.end());
  values.insert(values.end(), totals.begin(), totals.end());
}

double brevity_penalty(double hypothesis_length, double reference_length) {
  if (hypothesis_length >= reference_length) return 1.0;
  return hypothesis_length > 0 ? std::exp(1.0 - reference_length / hypothesis_length) : 0.0;
}

}  // namespace

double BleuScore::ratio() const {
  return reference_length == 0
             ? 0.0
             : static_cast<double>(hypothesis_length) / static_cast<double>(reference_length);
}

std::string BleuScore::format() const {
  char text[256];
  std::snprintf(text, sizeof text,
                "BLEU = %.2f %.1f/%.1f/%.1f/%.1f (BP = %.3f ratio = %.3f hyp_len = %lld ref_len = %lld)",
                score, precisions[0], precisions[1], precisions[2], precisions[3], brevity_penalty, ratio(),
                static_cast<long long>(hypothesis_length), static_cast<long long>(reference_length));
  return text;
}

BleuScore bleu_of_sums(std::span<const double> sums, const BleuOptions& options) {
  BleuScore result;
  result.hypothesis_length = std::llround(sums[0]);
  result.reference_length = std::llround(sums[1]);
  result.brevity_penalty = brevity_penalty(sums[0], sums[1]);
  bool any_match = false;
  for (size_t n = 0; n < orders; ++n) {
    result.matches[n] = std::llround(sums[2 + n]);
    result.totals[n] = std::llround(sums[2 + orders + n]);
    any_match = any_match || result.matches[n] > 0;
  }
  if (!any_match) return result;

  double smoothing = 1.0;
  size_t averaged = options.effective_order ? 0 : orders;
  for (size_t n = 0; n < orders && result.totals[n] > 0; ++n) {
    if (options.effective_order) averaged = n + 1;
    const auto total = static_cast<double>(result.totals[n]);
    if (result.matches[n] == 0) smoothing *= 2.0;
    result.precisions[n] = result.matches[n] == 0 ? 100.0 / (smoothing * total)
                                                  : 100.0 * static_cast<double>(result.matches[n]) / total;
  }
  double logarithms = 0.0;
  // An order without n-grams has precision 0: the logarithm is -infinity and the score 0.
  for (size_t n = 0; n < averaged; ++n) logarithms += std::log(result.precisions[n]);
  result.score = result.brevity_penalty * std::exp(logarithms / static_cast<double>(averaged));
  return result;
}

SentenceStatistics bleu_statistics(const std::vector<std::string>& hypotheses,
                                   const ReferenceLists& references, const BleuOptions& options) {
  check_parallel(hypotheses, references);
  SentenceStatistics result;
  result.width = statistics_width;
  result.values.reserve(hypotheses.size() * statistics_width);
  for (size_t i = 0; i < hypotheses.size(); ++i)
    append_sentence(hypotheses[i], references[i], options, result.values);
  result.score = [options](std::span<const double> sums) { return bleu_of_sums(sums, options).score; };
  return result;
}

BleuScore corpus_bleu(const std::vector<std::string>& hypotheses, const ReferenceLists& references,
                      const BleuOptions& options) {
  return bleu_of_sums(bleu_statistics(hypotheses, references, options).sums(), options);
}

BleuScore sentence_bleu(const std::string& hypothesis, const std::vector<std::string>& references,
                        BleuOptions options) {
  options.effective_order = true;
  return corpus_bleu({hypothesis}, {references}, options);
}

std::string bleu_signature(const ReferenceLists& references, const BleuOptions& options) {
  return "nrefs:" + describe_reference_count(references) + "|case:" + (options.lowercase ? "lc" : "mixed") +
         "|eff:" + (options.effective_order ? "yes" : "no") + "|tok:" + options.tokenizer.signature() +
         "|smooth:exp|" + signature_version;
}

}  // namespace seq2seq
