#include "seq2seq/metrics/rouge.h"

#include <algorithm>
#include <cstdint>

#include "seq2seq/core/options.h"
#include "seq2seq/metrics/ngrams.h"
#include "seq2seq/metrics/signature.h"

namespace seq2seq {
namespace {

RougeOptions with_settled_tokenizer(RougeOptions options, const ReferenceLists& references) {
  options.tokenizer = settled(options.tokenizer, references);
  return options;
}

/// A text as word ids: all of them, and those of each line that is not empty.
struct NumberedText {
  Symbols words;
  std::vector<Symbols> lines;
};

/// Maps the words of one example's texts to ids.
class WordNumbers {
 public:
  explicit WordNumbers(const RougeOptions& options) : options_(options) {}

  NumberedText number(std::string_view text) {
    NumberedText result;
    for (size_t begin = 0; begin <= text.size();) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      if (end > begin) result.lines.push_back(number_line(text.substr(begin, end - begin)));
      begin = end + 1;
    }
    for (const auto& line : result.lines) result.words.insert(result.words.end(), line.begin(), line.end());
    return result;
  }

 private:
  Symbols number_line(std::string_view line) {
    Symbols symbols;
    for (auto& word : tokenize_for_rouge(line, options_))
      symbols.push_back(
          numbers_.try_emplace(std::move(word), static_cast<uint32_t>(numbers_.size())).first->second);
    return symbols;
  }

  RougeOptions options_;
  std::unordered_map<std::string, uint32_t> numbers_;
};

RougeScore score_from_hits(int64_t hits, int64_t in_hypothesis, int64_t in_reference) {
  RougeScore score;
  score.precision = static_cast<double>(hits) / static_cast<double>(std::max<int64_t>(in_hypothesis, 1));
  score.recall = static_cast<double>(hits) / static_cast<double>(std::max<int64_t>(in_reference, 1));
  if (hits > 0) score.fmeasure = 2 * score.precision * score.recall / (score.precision + score.recall);
  return score;
}

size_t common_subsequence_length(const Symbols& a, const Symbols& b) {
  std::vector<uint32_t> row(b.size() + 1, 0);
  for (const uint32_t symbol : a) {
    uint32_t diagonal = 0;
    for (size_t j = 0; j < b.size(); ++j) {
      const uint32_t above = row[j + 1];
      row[j + 1] = symbol == b[j] ? diagonal + 1 : std::max(above, row[j]);
      diagonal = above;
    }
  }
  return row.back();
}

/// Marks the positions of `reference` in one longest common subsequence. If there are several, the choice
/// changes the union over lines: the walk back prefers a match, then the step to the longer remaining
/// subsequence, then a step in `reference`.
void mark_common_subsequence(const Symbols& reference, const Symbols& hypothesis, std::vector<bool>& marked) {
  const size_t width = hypothesis.size() + 1;
  std::vector<uint32_t> table((reference.size() + 1) * width, 0);
  for (size_t i = 1; i <= reference.size(); ++i)
    for (size_t j = 1; j < width; ++j)
      table[i * width + j] = reference[i - 1] == hypothesis[j - 1]
                                 ? table[(i - 1) * width + j - 1] + 1
                                 : std::max(table[(i - 1) * width + j], table[i * width + j - 1]);
  size_t i = reference.size(), j = hypothesis.size();
  while (i > 0 && j > 0) {
    if (reference[i - 1] == hypothesis[j - 1]) {
      marked[i - 1] = true;
      --i;
      --j;
    } else if (table[i * width + j - 1] > table[(i - 1) * width + j]) {
      --j;
    } else {
      --i;
    }
  }
}

RougeScore score_lines(const NumberedText& hypothesis, const NumberedText& reference) {
  // A word counts at most as often as it occurs in each text (ROUGE-1.5.5), though unions may repeat it.
  std::unordered_map<uint32_t, int64_t> left_in_hypothesis, left_in_reference;
  for (const uint32_t word : hypothesis.words) ++left_in_hypothesis[word];
  for (const uint32_t word : reference.words) ++left_in_reference[word];
  int64_t hits = 0;
  for (const auto& line : reference.lines) {
    std::vector<bool> marked(line.size(), false);
    for (const auto& candidate : hypothesis.lines) mark_common_subsequence(line, candidate, marked);
    for (size_t i = 0; i < line.size(); ++i) {
      if (!marked[i] || left_in_hypothesis[line[i]] == 0 || left_in_reference[line[i]] == 0) continue;
      ++hits;
      --left_in_hypothesis[line[i]];
      --left_in_reference[line[i]];
    }
  }
  return score_from_hits(hits, static_cast<int64_t>(hypothesis.words.size()),
                         static_cast<int64_t>(reference.words.size()));
}

RougeScores score_pair(const NumberedText& hypothesis, const NumberedText& reference) {
  RougeScores scores;
  const auto counts = count_ngrams({hypothesis.words, reference.words}, 2);
  for (size_t n = 0; n < 2; ++n) {
    const auto& rows = counts[n].rows;
    scores[n] = score_from_hits(shared_count(rows[0], rows[1]), total_count(rows[0]), total_count(rows[1]));
  }
  const auto length = common_subsequence_length(reference.words, hypothesis.words);
  scores[static_cast<size_t>(RougeType::rouge_l)] =
      score_from_hits(static_cast<int64_t>(length), static_cast<int64_t>(hypothesis.words.size()),
                      static_cast<int64_t>(reference.words.size()));
  scores[static_cast<size_t>(RougeType::rouge_lsum)] = score_lines(hypothesis, reference);
  return scores;
}

}  // namespace

std::span<const char* const> option_names(RougeType) {
  static constexpr const char* names[] = {"rouge1", "rouge2", "rougeL", "rougeLsum"};
  return names;
}

RougeScores sentence_rouge(const std::string& hypothesis, const std::vector<std::string>& references,
                           const RougeOptions& options) {
  check_parallel({hypothesis}, {references});
  WordNumbers numbers(with_settled_tokenizer(options, {references}));
  const auto hypothesis_words = numbers.number(hypothesis);
  RougeScores best;
  for (size_t r = 0; r < references.size(); ++r) {
    const auto scores = score_pair(hypothesis_words, numbers.number(references[r]));
    for (size_t t = 0; t < scores.size(); ++t)
      if (r == 0 || scores[t].fmeasure > best[t].fmeasure) best[t] = scores[t];
  }
  return best;
}

std::vector<RougeScores> rouge_by_sentence(const std::vector<std::string>& hypotheses,
                                           const ReferenceLists& references, const RougeOptions& options) {
  check_parallel(hypotheses, references);
  std::vector<RougeScores> result;
  result.reserve(hypotheses.size());
  const RougeOptions settled_options = with_settled_tokenizer(options, references);
  for (size_t i = 0; i < hypotheses.size(); ++i)
    result.push_back(sentence_rouge(hypotheses[i], references[i], settled_options));
  return result;
}

RougeScores mean_rouge(const std::vector<RougeScores>& sentences) {
  RougeScores mean;
  const auto count = static_cast<double>(std::max<size_t>(sentences.size(), 1));
  for (size_t t = 0; t < mean.size(); ++t) {
    for (const auto& scores : sentences) {
      mean[t].precision += scores[t].precision;
      mean[t].recall += scores[t].recall;
      mean[t].fmeasure += scores[t].fmeasure;
    }
    mean[t].precision /= count;
    mean[t].recall /= count;
    mean[t].fmeasure /= count;
  }
  return mean;
}

RougeScores corpus_rouge(const std::vector<std::string>& hypotheses, const ReferenceLists& references,
                         const RougeOptions& options) {
  return mean_rouge(rouge_by_sentence(hypotheses, references, options));
}

SentenceStatistics rouge_statistics(const std::vector<RougeScores>& sentences, RougeType type) {
  SentenceStatistics result;
  result.width = 2;
  for (const auto& scores : sentences) {
    result.values.push_back(scores[static_cast<size_t>(type)].fmeasure);
    result.values.push_back(1.0);
  }
  result.score = [](std::span<const double> sums) { return sums[1] > 0 ? sums[0] / sums[1] : 0.0; };
  return result;
}

std::string rouge_signature(const ReferenceLists& references, const RougeOptions& options) {
  const RougeTokenizer tokenizer = settled(options.tokenizer, references);
  const bool stem = options.stem && tokenizer == RougeTokenizer::rouge_score;
  return "nrefs:" + describe_reference_count(references) + "|tok:" + option_name(tokenizer) +
         "|stem:" + (stem ? "yes" : "no") + "|" + signature_version;
}

}  // namespace seq2seq
