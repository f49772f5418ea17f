// Rules given as text, compared with every output that a small vocabulary and the words of a source can write.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "decode_support.h"
#include "seq2seq/core/random.h"
#include "seq2seq/decode/lexicon.h"
#include "seq2seq/decode/output_formats.h"
#include "seq2seq/decode/pool.h"
#include "seq2seq/decode/translator.h"

namespace seq2seq {
namespace {

using Texts = std::vector<std::string>;

/// The tokens of a small vocabulary, a source, and texts to rule about.
struct Language {
  std::string name;
  std::shared_ptr<const TextCodec> codec;
  std::string source;
  bool copying = false;
  Texts texts;
  int64_t most_tokens = 3;  ///< of an output
};

std::shared_ptr<const TextCodec> codec_of(const TokenizerOptions& tokenizer, const Texts& tokens,
                                          const std::string& state = {}, bool lowercase = false) {
  return std::make_shared<const TextCodec>(tokenizer, NormalizationOptions{.lowercase = lowercase}, state,
                                           Vocabulary(tokens));
}

std::string pieces_model() {
  static const std::string model = [] {
    int count = 0;
    return train_sentencepiece(
        [&](std::string& line) {
          line = count % 2 == 0 ? "ab, ab a, ba" : "b ab , aab ba, b";
          return ++count < 40;
        },
        0, {}, {}, 1);
  }();
  return model;
}

std::vector<Language> languages() {
  return {
      {"words",
       codec_of(WordTokenizerOptions{}, {"甲", "乙", "￭乙", "￭。", "丙"}),
       "甲",
       false,
       {"乙", "。", "甲乙", "乙。", "甲 丙", "乙 乙", "丙 甲乙"}},
      {"subwords",
       codec_of(WordTokenizerOptions{}, {"ab", "a", "￭b", "￭", "￭,￭", "b"}),
       "ab",
       false,
       {"ab", "a", "b", ",", "ab,b", "a b", "a,a"}},
      {"spaces",
       codec_of(WhitespaceTokenizerOptions{}, {"a", "b", "a.", "<q>", "ab"}),
       "a",
       false,
       {"a", "a.", "a b", "<q>  a", "ab a"}},
      {"characters",
       codec_of(CharTokenizerOptions{}, {"a", "b", "▁", "."}),
       "a",
       false,
       {"a", "ab", "a b", "b.", "aa"},
       4},
      {"pieces",
       codec_of(SentencePieceTokenizerOptions{}, {"▁", "a", "b", "ab", "▁ab", ",", "▁,"}, pieces_model()),
       "ab",
       false,
       {"ab", "a", ",", "ab,", "ab ,", "a b", "bab"}},
      {"copied_words",
       codec_of(WordTokenizerOptions{}, {"a", "￭,", "b"}),
       "a x,y x",
       true,
       {"x", "a x", "x,", "a", "x x", "b"}},
      {"copied_lowercase_words",
       codec_of(WordTokenizerOptions{}, {"a", "b"}, {}, true),
       "X a Y",
       true,
       {"X", "x y", "A x"}},
      {"copied_characters",
       codec_of(CharTokenizerOptions{}, {"a", "▁"}),
       "axz",
       true,
       {"x", "ax", "a z", "xx"}},
      {"copied_pieces",
       codec_of(SentencePieceTokenizerOptions{}, {"▁", "a", "▁ab", ","}, pieces_model()),
       "ab, b",
       true,
       {"b", "ab", "a,", "ab b"}},
  };
}

std::string trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(' ');
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

class TextRulesLaw : public testing::TestWithParam<Language> {
 protected:
  const Language& language = GetParam();
  const TextCodecs text{language.codec, language.codec, {language.copying, false, ""}};
  const NumberedSource source = number_source(*language.codec, language.source, {}, text.form);
  const int64_t vocabulary = language.codec->vocabulary().size(),
                words = vocabulary + (language.copying ? std::ssize(source.ids) + 1 : 0);
  const Lexicon lexicon{language.codec};

  /// What can be generated: the vocabulary, <unk>, and slots of words that it lacks.
  std::vector<int64_t> alphabet() const {
    std::vector<int64_t> all{Vocabulary::unknown};
    for (int64_t id = Vocabulary::special_count; id < vocabulary; ++id) all.push_back(id);
    for (const int64_t id : std::set<int64_t>(source.ids.begin(), source.ids.end()))
      if (id >= vocabulary) all.push_back(id);
    return all;
  }
  /// The attended position after some tokens; the second word of the source is looked at second, and so on.
  int64_t looked_at(const Words& prefix) const { return std::ssize(prefix) % std::ssize(source.ids); }
  std::unique_ptr<TableScorer> scorer() const {
    return std::make_unique<TableScorer>(
        words,
        [all = alphabet()](int64_t, const Words& prefix) {
          uint64_t seed = 7;
          for (const int64_t token : prefix) seed = mix_seed({seed, static_cast<uint64_t>(token)});
          Random random(seed);
          std::map<int64_t, double> next{{Vocabulary::end, 0.5 + random.uniform()}};
          double sum = next.begin()->second;
          for (const int64_t token : all) sum += next[token] = 0.1 + random.uniform();
          for (auto& [token, weight] : next) weight = std::log(weight / sum);
          return next;
        },
        [this](const Words& prefix) { return looked_at(prefix); });
  }
  /// The tokens that an output of these ids is written with.
  Texts written_tokens(const Words& ids) const {
    Texts tokens;
    for (size_t i = 0; i < ids.size(); ++i) {
      if (ids[i] >= vocabulary)
        tokens.push_back(source.tokens[static_cast<size_t>(ids[i] - vocabulary)].text);
      else if (ids[i] == Vocabulary::unknown)
        tokens.push_back(
            source
                .tokens[static_cast<size_t>(looked_at({ids.begin(), ids.begin() + static_cast<int64_t>(i)}))]
                .text);
      else
        tokens.push_back(language.codec->vocabulary().token(ids[i]));
    }
    return tokens;
  }
  /// Whether these tokens write the text, and none on the outer sides is superfluous.
  bool write(std::span<const std::string> tokens, const std::string& wanted) const {
    const auto text_of = [&](auto part) { return trimmed(language.codec->detokenize(part)); };
    return text_of(tokens) == wanted && !text_of(tokens.first(1)).empty() && !text_of(tokens.last(1)).empty();
  }
  /// How often neighbouring tokens write the text.
  int64_t occurrences(const Words& ids, const std::string& wanted) const {
    const Texts tokens = written_tokens(ids);
    int64_t count = 0;
    for (size_t begin = 0; begin < tokens.size(); ++begin)
      for (size_t end = begin + 1; end <= tokens.size(); ++end)
        count += write(std::span(tokens).subspan(begin, end - begin), wanted);
    return count;
  }
  std::set<Words> all_outputs() const {
    std::vector<Words> all{{}};
    for (size_t i = 0; i < all.size(); ++i)
      for (const int64_t token : alphabet())
        if (std::ssize(all[i]) < language.most_tokens) {
          Words longer = all[i];
          longer.push_back(token);
          all.push_back(std::move(longer));
        }
    return {all.begin(), all.end()};
  }
  std::set<Words> outputs_with(const std::function<bool(const Words&)>& allowed) const {
    std::set<Words> all = all_outputs();
    std::erase_if(all, [&](const Words& ids) { return !allowed(ids); });
    return all;
  }

  TranslatorOptions everything() const {
    return {.search = {.beam_size = 1000,
                       .n_best = 1000,
                       .length_penalty = LengthPenalty::none,
                       .max_length = language.most_tokens,
                       .stopping = Stopping::exhaustive}};
  }
  std::vector<Translation::Output> found(const TranslatorOptions& options, SourceLine line = {}) const {
    DecodingPool pool(list_of(scorer()));
    line.text = language.source;
    line.place = "in:1";
    return Translator(text, 50, pool, options).translate(std::span(&line, 1)).front().outputs;
  }
  static SourceLine with_required(const std::string& phrase) {
    SourceLine line;
    line.required = {phrase};
    return line;
  }
  static SourceLine with_prefix(const std::string& prefix) {
    SourceLine line;
    line.prefix = prefix;
    return line;
  }
  static std::set<Words> ids_of(const std::vector<Translation::Output>& outputs) {
    std::set<Words> ids;
    for (const auto& output : outputs) EXPECT_TRUE(ids.insert(output.tokens).second);
    return ids;
  }
};

TEST_P(TextRulesLaw, WhatIsBannedIsNeverWrittenAndAllElseIs) {
  for (const std::string& banned : language.texts) {
    SCOPED_TRACE(banned);
    TranslatorOptions options = everything();
    options.ban = {banned};
    const std::string plain = lexicon.plain(banned);
    const auto expected = outputs_with([&](const Words& ids) { return occurrences(ids, plain) == 0; });
    EXPECT_LT(expected.size(), all_outputs().size());
    EXPECT_EQ(ids_of(found(options)), expected);
  }
}

TEST_P(TextRulesLaw, WhatIsRequiredIsWritten) {
  for (const std::string& required : language.texts) {
    SCOPED_TRACE(required);
    const std::string plain = lexicon.plain(required);
    std::set<Words> complete;
    for (const auto& output : found(everything(), with_required(required)))
      if (output.missing_texts.empty())
        complete.insert(output.tokens);
      else
        EXPECT_EQ(output.missing_texts, Texts{required});
    EXPECT_EQ(complete, outputs_with([&](const Words& ids) { return occurrences(ids, plain) > 0; }));
  }
}

// Among what a narrow beam keeps is the phrase, however improbable.
TEST_P(TextRulesLaw, ANarrowBeamWritesWhatIsRequired) {
  for (const std::string& required : language.texts) {
    TranslatorOptions options = everything();
    options.search.beam_size = 3;
    options.search.n_best = 1;
    options.search.max_length = 12;
    const auto outputs = found(options, with_required(required));
    EXPECT_TRUE(outputs.front().missing_texts.empty()) << required;
    EXPECT_GT(occurrences(outputs.front().tokens, lexicon.plain(required)), 0) << required;
  }
}

TEST_P(TextRulesLaw, PrefixesAreWrittenFirst) {
  for (const std::string& prefix : language.texts) {
    SCOPED_TRACE(prefix);
    const std::string plain = lexicon.plain(prefix);
    const auto begins = [&](const Words& ids) {
      const Texts tokens = written_tokens(ids);
      for (size_t count = 1; count <= tokens.size(); ++count)
        if (trimmed(language.codec->detokenize(std::span(tokens).first(count))) == plain) return true;
      return false;
    };
    const auto outputs = ids_of(found(everything(), with_prefix("  " + prefix + " ")));
    for (const Words& ids : outputs) EXPECT_TRUE(begins(ids));
    // All that go on from the text as the tokenizer cuts it are there.
    const Words usual = number_target(*language.codec, plain, source, text.form);
    if (std::find(usual.begin(), usual.end(), Vocabulary::unknown) != usual.end()) {
      EXPECT_FALSE(outputs.empty());
      continue;
    }
    const auto expected = outputs_with([&](const Words& ids) {
      return ids.size() >= usual.size() && std::equal(usual.begin(), usual.end(), ids.begin());
    });
    EXPECT_TRUE(std::includes(outputs.begin(), outputs.end(), expected.begin(), expected.end()));
  }
}

// A price that nothing outweighs is like a ban, but for outputs that have no other way.
TEST_P(TextRulesLaw, BiasesReachEveryWayOfWriting) {
  for (const std::string& biased : language.texts) {
    SCOPED_TRACE(biased);
    TranslatorOptions options = everything();
    const std::string plain = lexicon.plain(biased);
    const auto unbiased = found(options);
    options.bias = {biased + "=-50"};
    std::map<Words, double> scores;
    for (const auto& output : unbiased) scores[output.tokens] = output.score;
    bool single = true;  // no way of several tokens
    for (const auto& output : unbiased) {
      const Texts tokens = written_tokens(output.tokens);
      for (size_t count = 2; count <= tokens.size(); ++count)
        single = single && !write(std::span(tokens).first(count), plain);
    }
    const auto outputs = found(options);
    EXPECT_EQ(outputs.size(), unbiased.size());
    for (const auto& output : outputs) {
      const double lowered = scores.at(output.tokens) - output.score;
      const auto count = static_cast<double>(occurrences(output.tokens, plain));
      EXPECT_GE(lowered, 50 * count - 1e-6);
      if (single) {
        EXPECT_NEAR(lowered, 50 * count, 1e-6);
      }
    }
  }
}

// Words of which no token may come twice, but for one.
TEST_P(TextRulesLaw, RepeatableTextsMayRepeat) {
  const std::string repeatable = lexicon.plain(language.texts.front());
  TranslatorOptions options = everything();
  options.search.no_repeat_ngram = 1;
  const auto repeats = [](const Words& ids) {
    return std::set<int64_t>(ids.begin(), ids.end()).size() < ids.size();
  };
  for (const auto& output : found(options)) EXPECT_FALSE(repeats(output.tokens));
  options.repeatable = {repeatable};
  const auto outputs = ids_of(found(options));
  const Words usual = number_target(*language.codec, repeatable, source, text.form);
  if (usual.size() == 1 && usual.front() != Vocabulary::unknown) {
    EXPECT_TRUE(outputs.contains({usual.front(), usual.front()}));
  }
  for (const Words& ids : outputs)
    for (const int64_t token : ids) {
      if (std::count(ids.begin(), ids.end(), token) < 2) continue;
      const Spelling spelling = language.codec->tokenizer().spelling(written_tokens({token}).front());
      EXPECT_NE(repeatable.find(trimmed(spelling.text)), std::string::npos);
    }
}

INSTANTIATE_TEST_SUITE_P(Languages, TextRulesLaw, testing::ValuesIn(languages()),
                         [](const auto& tested) { return tested.param.name; });

std::vector<Words> usual_ways(const Phrase& phrase, Phrase::Node node = Phrase::start) {
  if (node == Phrase::end) return {{}};
  std::vector<Words> ways;
  for (const Phrase::Edge& edge : phrase.edges(node))
    if (edge.usual && edge.to != node)
      for (Words rest : usual_ways(phrase, edge.to)) {
        rest.insert(rest.begin(), edge.token);
        ways.push_back(std::move(rest));
      }
  std::sort(ways.begin(), ways.end());
  return ways;
}

TEST(Lexicon, UsualSequencesAreThoseOfTheTokenizerBesideAndApartFromOthers) {
  const auto codec = codec_of(SentencePieceTokenizerOptions{}, {"▁", "a", "b", "ab", "▁a", "▁ab", ",", "▁,"},
                              pieces_model());
  const Lexicon lexicon(codec);
  const auto id = [&](const char* token) { return codec->vocabulary().id(token); };
  EXPECT_EQ(usual_ways(lexicon.phrase(",")), (std::vector<Words>{{id(",")}, {id("▁,")}}));
  EXPECT_EQ(usual_ways(lexicon.phrase("ab")), (std::vector<Words>{{id("ab")}, {id("▁ab")}}));
  EXPECT_EQ(lexicon.phrase("ab").shortest(), 1);
  EXPECT_NE(lexicon.phrase("ab").edge(Phrase::start, id("a")), nullptr);  // a, b writes it as well
  EXPECT_EQ(usual_ways(lexicon.phrase("ab", {}, Lexicon::Use::line_start)),
            (std::vector<Words>{{id("▁ab")}}));
  EXPECT_TRUE(lexicon.phrase("c").empty());
  EXPECT_TRUE(lexicon.phrase(" \t ").empty());
  EXPECT_EQ(lexicon.unwritable("ab c"), "c");
}

TEST(Lexicon, MarksOfTheOuterSidesDoNotMatter) {
  const auto codec =
      codec_of(WordTokenizerOptions{}, {"„￭", "￭„￭", "Die", "￭,", "￭,￭", ",", "Kinder", "￭Kinder"});
  const Lexicon lexicon(codec);
  const auto id = [&](const char* token) { return codec->vocabulary().id(token); };
  EXPECT_EQ(usual_ways(lexicon.phrase("„Die")),
            (std::vector<Words>{{id("„￭"), id("Die")}, {id("￭„￭"), id("Die")}}));
  EXPECT_EQ(usual_ways(lexicon.phrase("„Die", {}, Lexicon::Use::line_start)),
            (std::vector<Words>{{id("„￭"), id("Die")}}));
  EXPECT_EQ(usual_ways(lexicon.phrase(",")), (std::vector<Words>{{id("￭,")}, {id("￭,￭")}, {id(",")}}));
  EXPECT_EQ(usual_ways(lexicon.phrase("Kinder,")).size(), 4U);
  // Apart, a comma is another text.
  EXPECT_EQ(usual_ways(lexicon.phrase("Kinder ,")),
            (std::vector<Words>{{id("Kinder"), id(",")}, {id("￭Kinder"), id(",")}}));
}

// A text of length n has 2^n segmentations into single letters and pairs.
TEST(Lexicon, LongTextsWithManySegmentationsAreSmallGraphs) {
  const auto codec = codec_of(CharTokenizerOptions{}, {"a", "b"});
  const auto pieces = codec_of(SentencePieceTokenizerOptions{}, {"▁", "a", "aa", "▁a"}, pieces_model());
  EXPECT_EQ(Lexicon(codec).phrase(std::string(5000, 'a')).length(), 5000);
  EXPECT_EQ(Lexicon(pieces).phrase(std::string(5000, 'a')).shortest(), 2500);
}

}  // namespace
}  // namespace seq2seq
