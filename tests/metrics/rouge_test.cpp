#include "seq2seq/metrics/rouge.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "reference_cases.h"

namespace seq2seq {
namespace {

using test::read_pairs;
using test::read_reference;

RougeTokenizer rouge_tokenizer_named(const std::string& name) {
  const auto names = option_names(RougeTokenizer{});
  const auto found = std::find(names.begin(), names.end(), name);
  EXPECT_NE(found, names.end()) << name;
  return static_cast<RougeTokenizer>(found - names.begin());
}

TEST(Rouge, EqualsRougeScore) {
  const Json reference = read_reference("rouge");
  ASSERT_GT(reference.at("cases").size(), 40u);
  for (const auto& entry : reference.at("cases")) {
    const auto texts = read_pairs(entry.at("pairs"));
    for (const auto& expected : entry.at("scores")) {
      const RougeOptions options{.stem = expected.at("stem"),
                                 .tokenizer = rouge_tokenizer_named(expected.at("tokenizer"))};
      const auto actual = corpus_rouge(texts.hypotheses, texts.references, options);
      for (const RougeType type : all_rouge_types) {
        const std::string name = option_names(type)[static_cast<size_t>(type)];
        SCOPED_TRACE(entry.at("name").get<std::string>() + " " + name + " " +
                     expected.at("tokenizer").get<std::string>() + (options.stem ? " stemmed" : ""));
        const auto& score = actual[static_cast<size_t>(type)];
        EXPECT_NEAR(score.precision, expected.at(name).at("precision").get<double>(), 1e-12);
        EXPECT_NEAR(score.recall, expected.at(name).at("recall").get<double>(), 1e-12);
        EXPECT_NEAR(score.fmeasure, expected.at(name).at("fmeasure").get<double>(), 1e-12);
      }
    }
  }
}

TEST(Rouge, LinesMatterToLsumOnly) {
  const std::string reference = "the cat sat\nthe dog ran";
  const auto lines = sentence_rouge("the dog ran\nthe cat sat", {reference});
  const auto one_line = sentence_rouge("the dog ran the cat sat", {reference});
  const auto type = [](RougeType t) { return static_cast<size_t>(t); };
  EXPECT_EQ(lines[type(RougeType::rouge_lsum)].fmeasure, 1.0);
  EXPECT_EQ(lines[type(RougeType::rouge_l)].fmeasure, 0.5);
  EXPECT_EQ(one_line[type(RougeType::rouge_l)].fmeasure, 0.5);
}

TEST(Rouge, SwappingSidesSwapsPrecisionAndRecall) {
  const std::string a = "two workers carry a ladder over the street", b = "workmen carry the ladder";
  const auto forward = sentence_rouge(a, {b}), backward = sentence_rouge(b, {a});
  for (size_t t = 0; t < 3; ++t) {  // Lsum's choice among subsequences is not symmetric
    EXPECT_EQ(forward[t].precision, backward[t].recall);
    EXPECT_EQ(forward[t].recall, backward[t].precision);
  }
  EXPECT_GT(forward[0].recall, forward[0].precision);
}

TEST(Rouge, WordsAreLowercaseLettersAndDigits) {
  EXPECT_EQ(tokenize_for_rouge("Running, the B2B-café's 3.5%", {.stem = false}),
            (std::vector<std::string>{"running", "the", "b2b", "caf", "s", "3", "5"}));
  EXPECT_EQ(tokenize_for_rouge("Running was"), (std::vector<std::string>{"run", "was"}));
}

TEST(Rouge, StatisticsGiveTheMean) {
  const auto texts = read_pairs(read_reference("rouge").at("cases").at(0).at("pairs"));
  const auto sentences = rouge_by_sentence(texts.hypotheses, texts.references);
  const auto statistics = rouge_statistics(sentences, RougeType::rouge2);
  EXPECT_NEAR(statistics.score(statistics.sums()), mean_rouge(sentences)[1].fmeasure, 1e-12);
  EXPECT_EQ(statistics.score(statistics.sentence(4)), sentences[4][1].fmeasure);
}

TEST(Rouge, SignatureNamesWordsAndStemming) {
  EXPECT_EQ(rouge_signature({{"a"}}), "nrefs:1|tok:rouge-score|stem:yes|version:seq2seq-0.1.0");
  EXPECT_EQ(rouge_signature({{"a"}, {"a", "b"}}, {.stem = false}),
            "nrefs:var|tok:rouge-score|stem:no|version:seq2seq-0.1.0");
  // Porter's rules are for the words of rouge-score.
  EXPECT_EQ(rouge_signature({{"a"}}, {.tokenizer = RougeTokenizer::unicode}),
            "nrefs:1|tok:unicode|stem:no|version:seq2seq-0.1.0");
  EXPECT_EQ(rouge_signature({{"а б"}}, {.tokenizer = RougeTokenizer::automatic}),
            "nrefs:1|tok:unicode|stem:no|version:seq2seq-0.1.0");
}

TEST(RougeTokenizer, EqualsThePythonOfTheReference) {
  const Json reference = read_reference("rouge");
  ASSERT_GT(reference.at("words").size(), 30u);
  for (const auto& entry : reference.at("words"))
    for (const char* name : {"unicode", "char"})
      EXPECT_EQ(
          tokenize_for_rouge(entry.at("text").get<std::string>(), {.tokenizer = rouge_tokenizer_named(name)}),
          entry.at(name).get<std::vector<std::string>>())
          << name << " " << entry.at("text");
}

TEST(RougeTokenizer, AutomaticIsUnicodeWhereRougeScoreKeepsFewerThanHalfOfTheWords) {
  const auto chosen = [](const ReferenceLists& references) {
    return settled(RougeTokenizer::automatic, references);
  };
  EXPECT_EQ(chosen({{"der Hund"}}), RougeTokenizer::rouge_score);
  EXPECT_EQ(chosen({{"größer als möglich"}}), RougeTokenizer::rouge_score);  // something of each word is kept
  EXPECT_EQ(chosen({{"снег идёт"}}), RougeTokenizer::unicode);
  EXPECT_EQ(chosen({{"снег идёт one two"}}), RougeTokenizer::rouge_score);  // half of them
  EXPECT_EQ(chosen({{"снег идёт one"}}), RougeTokenizer::unicode);
  EXPECT_EQ(chosen({{"one two"}, {"снег", "идёт снег"}}), RougeTokenizer::unicode);  // over all references
  EXPECT_EQ(chosen({{"我用GPT4"}}), RougeTokenizer::unicode);
  EXPECT_EQ(chosen({{"!"}}), RougeTokenizer::rouge_score);
  EXPECT_EQ(settled(RougeTokenizer::character, {{"a b"}}), RougeTokenizer::character);
  const KeptWords words = words_kept_by_rouge_score({{"снег one"}, {"两 x2", "три"}});
  EXPECT_EQ(words.all, 5U);
  EXPECT_EQ(words.kept, 2U);
}

TEST(RougeTokenizer, AutomaticIsSettledOverTheCorpusNotByTheSentence) {
  const std::vector<std::string> texts{"the cats", "снег идёт", "дом"};
  const auto scores =
      rouge_by_sentence(texts, single_references(texts), {.tokenizer = RougeTokenizer::automatic});
  for (const auto& sentence : scores) EXPECT_EQ(sentence[0].fmeasure, 1.0);
  // By unicode words, which are not stemmed.
  EXPECT_EQ(rouge_by_sentence({"the cat", "снег", "дом"}, single_references(texts),
                              {.tokenizer = RougeTokenizer::automatic})[0][0]
                .fmeasure,
            0.5);
}

}  // namespace
}  // namespace seq2seq
