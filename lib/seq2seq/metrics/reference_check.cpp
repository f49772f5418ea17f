#include "seq2seq/metrics/reference_check.h"

#include <algorithm>
#include <cmath>

#include "seq2seq/core/join.h"
#include "seq2seq/core/options.h"
#include "seq2seq/metrics/bleu.h"
#include "seq2seq/metrics/bleu_words.h"
#include "seq2seq/metrics/python_text.h"
#include "seq2seq/text/unicode.h"

namespace seq2seq {
namespace {

/// Larger is better.
double goodness(const Metric& metric, const ScoredTexts& texts) {
  const double score = score_of(metric, texts);
  return metric.best == Best::nearest_to_one ? -std::abs(score - 1) : score;
}

struct LetterCounts {
  size_t upper = 0, cased = 0;

  void add(std::string_view text) {
    for (const char32_t c : decode_text(text)) {
      upper += is_uppercase(c) ? 1 : 0;
      cased += is_cased(c) ? 1 : 0;
    }
  }
  double share() const { return cased == 0 ? 0 : static_cast<double>(upper) / static_cast<double>(cased); }
};

/// What helps a metric that cannot rise: the tokenizers with which it can.
std::string remedy_for(const Metric& metric, const ReferenceLists& references, const MetricOptions& options,
                       const std::string& flags) {
  std::vector<std::string> helpful;
  MetricOptions other = options;
  if (metric.heeds.tokenizer) {
    for (const char* name : {"zh", "char"}) {
      other.tokenizer = BleuTokenizer::named(name);
      if (can_rise(metric, references, other)) helpful.emplace_back(name);
    }
    if (!helpful.empty()) helpful.emplace_back("spm:FILE");
  } else if (metric.heeds.rouge_tokenizer) {
    for (const RougeTokenizer tokenizer : {RougeTokenizer::unicode, RougeTokenizer::character}) {
      other.rouge_tokenizer = tokenizer;
      if (can_rise(metric, references, other)) helpful.emplace_back(option_name(tokenizer));
    }
  }
  if (helpful.empty()) return "";
  return "; give " + flags + (metric.heeds.tokenizer ? "tokenize " : "rouge-tokenize ") +
         joined(helpful, ", ", " or ");
}

}  // namespace

bool can_rise(const Metric& metric, const ReferenceLists& references, const MetricOptions& options) {
  const bool judged = metric.of_texts() && metric.needs == Needs::references &&
                      (metric.best == Best::highest || metric.best == Best::nearest_to_one);
  if (!judged) return true;
  MetricOptions one = options;
  one.rouge_tokenizer = settled(options.rouge_tokenizer, references);
  // One by one: nearly always the first will do.
  return std::any_of(references.begin(), references.end(), [&](const std::vector<std::string>& texts) {
    return goodness(metric, {{texts.front()}, {texts}, {}, nullptr, one}) >
           goodness(metric, {{std::string()}, {texts}, {}, nullptr, one});
  });
}

size_t sentences_without_words(const ReferenceLists& references, RougeTokenizer tokenizer) {
  const RougeOptions options{.stem = false, .tokenizer = settled(tokenizer, references)};
  return static_cast<size_t>(std::count_if(references.begin(), references.end(), [&](const auto& texts) {
    return std::all_of(texts.begin(), texts.end(),
                       [&](const std::string& text) { return tokenize_for_rouge(text, options).empty(); });
  }));
}

bool leaves_most_unsplit(const BleuTokenizer& tokenizer, const ReferenceLists& references) {
  constexpr size_t wanted = BleuScore::orders;
  size_t long_enough = 0, unsplit = 0;
  for (const auto& texts : references)
    for (const std::string& text : texts) {
      if (tokenize_for_rouge(text, {.tokenizer = RougeTokenizer::unicode}).size() < wanted) continue;
      ++long_enough;
      if (split_words(separate_words(decode_text(text), tokenizer)).size() < wanted) ++unsplit;
    }
  return 2 * unsplit > long_enough;
}

std::vector<std::string> remarks_on(const std::vector<const Metric*>& metrics,
                                    const ReferenceLists& references, const MetricOptions& options,
                                    const std::string& flags) {
  std::vector<std::pair<std::string, std::string>> silent;  // names and their remedy
  bool splits = false;                                      // whether a metric that rises splits into words
  for (const Metric* metric : metrics) {
    if (can_rise(*metric, references, options)) {
      splits |= metric->heeds.tokenizer;
      continue;
    }
    std::string remedy = remedy_for(*metric, references, options, flags);
    if (!silent.empty() && silent.back().second == remedy)
      silent.back().first += std::string(", ") + metric->name;
    else
      silent.emplace_back(metric->name, std::move(remedy));
  }
  std::vector<std::string> remarks;
  for (const auto& [names, remedy] : silent)
    remarks.push_back(names + ": outputs equal to the references would score no better than empty ones" +
                      remedy);
  if (splits && leaves_most_unsplit(options.tokenizer, references))
    remarks.push_back("bleu: with " + options.tokenizer.signature() +
                      " most references have fewer than four words; for text without spaces give " + flags +
                      "tokenize zh, char or spm:FILE");
  return remarks;
}

std::string remark_on_automatic(const ReferenceLists& references, const std::string& flags) {
  const RougeTokenizer tokenizer = settled(RougeTokenizer::automatic, references);
  if (tokenizer == RougeTokenizer::rouge_score) return "";
  const KeptWords words = words_kept_by_rouge_score(references);
  return "ROUGE: rouge-score's rule would keep " + std::to_string(words.kept) + " of " +
         std::to_string(words.all) + " words of the references; they are split with " + flags +
         "rouge-tokenize " + option_name(tokenizer);
}

bool are_lowercase_beside(const std::vector<std::string>& outputs, const ReferenceLists& references) {
  constexpr double nearly_all = 0.1;  // a few capitals come from names that were copied
  LetterCounts written, expected;
  for (const std::string& output : outputs) written.add(output);
  for (const auto& texts : references)
    for (const std::string& text : texts) expected.add(text);
  return written.cased > 0 && written.share() < nearly_all * expected.share();
}

}  // namespace seq2seq
