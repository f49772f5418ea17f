#include "seq2seq/metrics/summary.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <unordered_set>

#include "seq2seq/data/numbered_text.h"
#include "seq2seq/text/token_escape.h"
#include "seq2seq/text/tokenizers.h"
#include "seq2seq/text/unicode.h"

namespace seq2seq {
namespace {

using Ngram = std::vector<std::string>;

/// A ratio of sums: `count(i)` returns {part, whole} of text i; `without_any` if all wholes are 0.
template <class Count>
SentenceStatistics ratio(size_t texts, double without_any, const Count& count) {
  SentenceStatistics statistics;
  statistics.width = 2;
  for (size_t i = 0; i < texts; ++i) {
    const auto [part, whole] = count(i);
    statistics.values.push_back(static_cast<double>(part));
    statistics.values.push_back(static_cast<double>(whole));
  }
  statistics.score = [without_any](std::span<const double> sums) {
    return sums[1] == 0 ? without_any : sums[0] / sums[1];
  };
  return statistics;
}

struct Share {
  size_t part = 0, whole = 0;
};

std::set<Ngram> distinct_ngrams(const Words& words, size_t order) {
  std::set<Ngram> distinct;
  for (auto begin = words.begin(); std::distance(begin, words.end()) >= static_cast<std::ptrdiff_t>(order);
       ++begin)
    distinct.emplace(begin, begin + static_cast<std::ptrdiff_t>(order));
  return distinct;
}

size_t count_ngrams(const Words& words, size_t order) {
  return words.size() < order ? 0 : words.size() + 1 - order;
}

bool is_word(std::string_view token) {
  const auto characters = graphemes(token);
  return !characters.empty() && characters.front().kind != CharacterKind::symbol;
}

std::vector<std::string> sentences_of(const std::string& text) {
  std::vector<std::string> sentences;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    for (auto& sentence : split_sentences(std::string_view(text).substr(begin, end - begin)))
      sentences.push_back(std::move(sentence));
    begin = end + 1;
  }
  return sentences;
}

std::unordered_set<std::string> distinct_tokens(const std::string& text, const TextCodec& codec) {
  std::unordered_set<std::string> distinct;
  for (auto& token : codec.tokenize(text)) distinct.insert(std::move(token.text));
  return distinct;
}

}  // namespace

std::vector<Words> words_of(const std::vector<std::string>& texts) {
  static const std::unique_ptr<const Tokenizer> tokenizer = [] {
    NormalizationOptions lowercase;
    lowercase.lowercase = true;
    return make_word_tokenizer(lowercase);
  }();
  std::vector<Words> result;
  for (const auto& text : texts) {
    Words& words = result.emplace_back();
    for (auto& [token, surface] : tokenizer->tokenize(text)) {
      if (token.starts_with(joiner_mark)) token.erase(0, joiner_mark.size());
      if (is_word(token)) words.push_back(std::move(token));
    }
  }
  return result;
}

WordReferences words_of_references(const ReferenceLists& references) {
  WordReferences result;
  for (const auto& texts : references) result.push_back(words_of(texts));
  return result;
}

SentenceStatistics repeated_ngrams(const std::vector<Words>& texts, size_t order) {
  return ratio(texts.size(), 0, [&](size_t i) {
    const size_t all = count_ngrams(texts[i], order);
    return Share{all - distinct_ngrams(texts[i], order).size(), all};
  });
}

SentenceStatistics repeated_sentences(const std::vector<std::string>& texts) {
  return ratio(texts.size(), 0, [&](size_t i) {
    std::set<Words> distinct;
    Share share;
    for (auto& words : words_of(sentences_of(texts[i]))) {
      if (words.empty()) continue;
      ++share.whole;
      share.part += !distinct.insert(std::move(words)).second;
    }
    return share;
  });
}

SentenceStatistics novel_ngrams(const std::vector<Words>& texts, const std::vector<Words>& sources,
                                size_t order) {
  return ratio(texts.size(), 0, [&](size_t i) {
    const auto held = distinct_ngrams(sources.at(i), order);
    const auto distinct = distinct_ngrams(texts[i], order);
    const auto novel = std::count_if(distinct.begin(), distinct.end(),
                                     [&](const Ngram& ngram) { return !held.contains(ngram); });
    return Share{static_cast<size_t>(novel), distinct.size()};
  });
}

SentenceStatistics copy_rate(const std::vector<Words>& texts, const std::vector<Words>& sources) {
  return ratio(texts.size(), 0, [&](size_t i) {
    const std::unordered_set<std::string> held(sources.at(i).begin(), sources.at(i).end());
    const auto copied = std::count_if(texts[i].begin(), texts[i].end(),
                                      [&](const std::string& word) { return held.contains(word); });
    return Share{static_cast<size_t>(copied), texts[i].size()};
  });
}

SentenceStatistics recovered_words(const std::vector<std::string>& hypotheses,
                                   const ReferenceLists& references, const std::vector<std::string>& sources,
                                   const TextCodec& codec) {
  return ratio(hypotheses.size(), 1, [&](size_t i) {
    const auto written = distinct_tokens(hypotheses[i], codec);
    const auto held = distinct_tokens(sources.at(i), codec);
    Share share;
    for (const auto& token : distinct_tokens(references.at(i).at(0), codec)) {
      if (codec.vocabulary().find(token) || !held.contains(token)) continue;
      ++share.whole;
      share.part += written.contains(token);
    }
    return share;
  });
}

SentenceStatistics length_ratio(const std::vector<Words>& texts, const WordReferences& references) {
  return ratio(texts.size(), 0, [&](size_t i) {
    const size_t length = texts[i].size();
    const auto distance = [&](size_t other) { return length > other ? length - other : other - length; };
    const auto& wanted = references.at(i);
    const auto nearest = std::min_element(wanted.begin(), wanted.end(), [&](const Words& a, const Words& b) {
      return distance(a.size()) < distance(b.size());
    });
    return Share{length, nearest->size()};
  });
}

SentenceStatistics exact_matches(const std::vector<Words>& texts, const WordReferences& references) {
  return ratio(texts.size(), 0, [&](size_t i) {
    const auto& wanted = references.at(i);
    return Share{std::find(wanted.begin(), wanted.end(), texts[i]) != wanted.end(), 1};
  });
}

SentenceStatistics right_first_words(const std::vector<Words>& texts, const WordReferences& references) {
  return ratio(texts.size(), 0, [&](size_t i) {
    const auto& wanted = references.at(i);
    return Share{std::any_of(wanted.begin(), wanted.end(),
                             [&](const Words& reference) {
                               return !reference.empty() && !texts[i].empty() &&
                                      texts[i].front() == reference.front();
                             }),
                 1};
  });
}

}  // namespace seq2seq
