#include "seq2seq/data/grammar.h"

#include <gmock/gmock.h>

#include <map>
#include <set>

#include "../support/paths.h"
#include "temporary_folder.h"

namespace seq2seq {
namespace {

using testing::AllOf;
using testing::HasSubstr;

using test::data_folder;

std::map<std::string, std::string> sample_many(const Grammar& grammar, int count) {
  std::map<std::string, std::string> pairs;
  Random random(1);
  for (int i = 0; i < count; ++i) {
    const auto pair = grammar.sample(random);
    const auto [known, added] = pairs.emplace(pair.source, pair.target);
    EXPECT_EQ(known->second, pair.target) << pair.source;
  }
  return pairs;
}

std::map<std::string, std::string> all_of(const std::string& json) {
  return sample_many(Grammar::parse(json, "test.json"), 300);
}

std::string fault(const std::string& json) {
  return error_of([&] { Grammar::parse(json, "test.json"); });
}

TEST(Grammar, PairsChildrenByNameAndIndex) {
  const auto pairs = all_of(R"({"start": "S", "rules": {
      "S": [{"source": "{N:1} sees {N:2} .", "target": "{N:2} , {N:1} sieht"}],
      "N": [{"source": "a", "target": "x"}, {"source": "b", "target": "y"}]}})");
  EXPECT_EQ(pairs, (std::map<std::string, std::string>{{"a sees a.", "x, x sieht"},
                                                       {"a sees b.", "y, x sieht"},
                                                       {"b sees a.", "x, y sieht"},
                                                       {"b sees b.", "y, y sieht"}}));
}

TEST(Grammar, AgreesByFeaturesAndFillsTheVerbBracket) {
  const auto pairs = all_of(R"({"start": "S", "capitalize": true,
      "features": {"gender": ["m", "f"], "number": ["sg", "pl"]},
      "forms": {"der[number,gender]": {"pl,*": "die", "sg,m": "der", "*,f": "die"}},
      "lexicon": {
        "noun[gender,number]": {"columns": ["gender", "source", "source[pl]", "target", "target[pl]"],
                                "rows": ["m | man men | Mann Männer", "f | cat cats | Katze Katzen"]},
        "verb[number]": {"columns": ["source", "source[pl]", "target.finite", "target.finite[pl]", "target.particle"],
                         "rows": ["calls call | ruft rufen an", "sees see | sieht sehen -"]}},
      "rules": {
        "S": [{"source": "the {noun[gender,number]} {verb[number]} me .",
               "target": "{der[number,gender]} {noun} {verb.finite} mich {verb.particle} ."},
              {"source": "if the {noun[gender,number]} {verb[number]} me .",
               "target": "wenn {der[number,gender]} {noun} mich {verb.particle}{verb.finite} ."}]}})");
  EXPECT_EQ(pairs.size(), 16u);
  EXPECT_EQ(pairs.at("The man calls me."), "Der Mann ruft mich an.");
  EXPECT_EQ(pairs.at("The men see me."), "Die Männer sehen mich.");
  EXPECT_EQ(pairs.at("If the cats call me."), "Wenn die Katzen mich anrufen.");
  EXPECT_EQ(pairs.at("If the cat sees me."), "Wenn die Katze mich sieht.");
}

TEST(Grammar, LaterColumnsReplaceEarlierOnes) {
  const auto pairs = all_of(R"({"start": "S", "features": {"number": ["sg", "pl"], "case": ["nom", "dat"]},
      "lexicon": {"n[number,case]": {"columns": ["source", "source[pl]", "target", "target[pl]", "target[dat,pl]"],
                                     "rows": ["dog dogs Hund Hunde Hunden"]}},
      "rules": {"S": [{"source": "{n[number,nom]}", "target": "{n}"}, {"source": "to {n[number,dat]}", "target": "{n}"}]}})");
  EXPECT_EQ(pairs, (std::map<std::string, std::string>{
                       {"dog", "Hund"}, {"dogs", "Hunde"}, {"to dog", "Hund"}, {"to dogs", "Hunden"}}));
}

TEST(Grammar, FollowsWeightsAndDepth) {
  const auto grammar = Grammar::parse(R"({"start": "S", "maximum_depth": 4, "rules": {
      "S": [{"weight": 3, "source": "a {S}", "target": "b {S}"}, {"source": "a", "target": "b"}]}})",
                                      "test.json");
  Random random(1);
  std::map<std::string, int> counts;
  for (int i = 0; i < 4000; ++i) ++counts[grammar.sample(random).source];
  EXPECT_EQ(counts.size(), 4u);
  EXPECT_NEAR(counts["a"], 1000, 110);
  EXPECT_NEAR(counts["a a"], 750, 100);
  EXPECT_NEAR(counts["a a a a"], 4000 * 27.0 / 64, 130);
}

TEST(Grammar, DropsACommaBeforeOtherPunctuation) {
  EXPECT_TRUE(all_of(R"({"start": "S", "rules": {"S": [{"source": "x , .", "target": "x , , y"}]}})") ==
              (std::map<std::string, std::string>{{"x.", "x, y"}}));
}

TEST(Grammar, NamesThePlaceOfAFault) {
  EXPECT_THAT(fault("{"), HasSubstr("test.json:1: not valid JSON"));
  EXPECT_THAT(fault(R"({"start": "S", "ruels": {}})"), HasSubstr("did you mean 'rules'"));
  EXPECT_THAT(fault(R"({"start": "T", "rules": {"S": [{"source": "", "target": ""}]}})"),
              HasSubstr("'start' must name"));
  EXPECT_THAT(
      fault(
          R"({"start": "S", "rules": {"S": [{"source": "", "target": ""}, {"source": "{noum}", "target": ""}],
                        "noun": [{"source": "", "target": ""}]}})"),
      AllOf(HasSubstr("test.json: S, production 2: unknown name {noum}"), HasSubstr("did you mean 'noun'")));
  EXPECT_THAT(fault(R"({"start": "S", "rules": {"S": [{"source": "{S}", "target": "{S}"}]}})"),
              HasSubstr("S: never comes to an end"));
  EXPECT_THAT(
      fault(
          R"({"start": "S", "rules": {"S": [{"source": "a", "target": "b"}, {"source": "{T}", "target": "{T}"}],
                        "T": [{"source": "{T}", "target": "{T}"}]}})"),
      HasSubstr("production 2: can never be used"));
  EXPECT_THAT(fault(R"({"start": "S", "features": {"case": ["nom"]}, "rules": {
                        "S": [{"source": "{N[acc]}", "target": "{N}"}], "N[case]": [{"source": "", "target": ""}]}})"),
              HasSubstr("S, production 1: 'acc' in {N[...]} is no value of case"));
  EXPECT_THAT(fault(R"({"start": "S", "rules": {"S": [{"source": "a", "target": "{N}"}],
                        "N": [{"source": "", "target": "x"}, {"source": "", "target": "y"}]}})"),
              HasSubstr("{N} is chosen on the target side only"));
  EXPECT_THAT(fault(R"({"start": "S", "rules": {"S": [{"source": "{N}", "target": "{N.past}"}],
                        "N": [{"source": "a", "target": "x"}]}})"),
              HasSubstr("uses {N.past} on the target side"));
  EXPECT_THAT(
      fault(R"({"start": "S", "lexicon": {"n": {"columns": ["source", "target"], "rows": ["a b", "a"]}},
                        "rules": {"S": [{"source": "{n}", "target": "{n}"}]}})"),
      HasSubstr("n, row 2: has 1 cells for 2 columns"));
  EXPECT_THAT(fault(R"({"start": "S", "rules": {"S": [{"weight": 0, "source": "a", "target": "b"}]}})"),
              HasSubstr("S, production 1: 'weight' has the bad value 0"));
}

TEST(Grammar, RefusesWeightsThatNothingCanBeDrawnBy) {
  const auto rules = [](const std::string& first, const std::string& second) {
    return R"({"start": "S", "rules": {"S": [{"weight": )" + first +
           R"(, "source": "a", "target": "b"}, {"weight": )" + second +
           R"(, "source": "c", "target": "d"}]}})";
  };
  EXPECT_EQ(fault(rules("1e308", "1")), "");
  EXPECT_THAT(fault(rules("1", "-1")),
              HasSubstr("test.json: S, production 2: 'weight' has the bad value -1"));
  EXPECT_THAT(fault(rules("1", "NaN")), HasSubstr("test.json:1: not valid JSON"));
  EXPECT_THAT(fault(rules("1", "1e999")), HasSubstr("test.json: not valid JSON (a number is out of range)"));
  EXPECT_THAT(fault(rules("1e308", "1e308")),
              HasSubstr("test.json: S: the sum of its productions' weights is not finite"));

  const auto features = [](const std::string& weights, const std::string& condition) {
    return R"({"start": "S", "features": {"number": )" + weights + R"(}, "rules": {
        "S": [{"when": {"number": ")" +
           condition + R"("}, "source": "{N[number]}", "target": "{N}"}],
        "N[number]": [{"when": {"number": "sg"}, "source": "a", "target": "b"},
                      {"when": {"number": "pl"}, "source": "c", "target": "d"}]}})";
  };
  EXPECT_EQ(all_of(features(R"({"sg": 0, "pl": 2})", "*")), (std::map<std::string, std::string>{{"c", "d"}}));
  EXPECT_THAT(fault(features(R"({"sg": -1, "pl": 2})", "*")),
              HasSubstr("test.json: feature number: its value 'sg' has the weight -1; give 0"));
  EXPECT_THAT(fault(features(R"({"sg": 0, "pl": 0.0})", "*")),
              HasSubstr("test.json: feature number: all its weights are 0; give one"));
  EXPECT_THAT(fault(features(R"({"sg": 1e308, "pl": 1e308})", "*")),
              HasSubstr("test.json: feature number: the sum of its weights is not finite"));
  EXPECT_THAT(fault(features(R"({"sg": null, "pl": 1})", "*")),
              HasSubstr("test.json: feature number: has the bad value null"));
  EXPECT_THAT(fault(features(R"({"sg": 0, "pl": 1})", "sg")),
              HasSubstr("test.json: S: the weights of all its productions are 0"));
}

TEST(Grammar, SplitsShareNoSourceAndNoUnseenWord) {
  const auto grammar = Grammar::load(data_folder + "copying.grammar.json");
  const auto splits = generate_splits(grammar, {300, 100}, 4);
  ASSERT_EQ(splits[0].size(), 300u);
  ASSERT_EQ(splits[1].size(), 100u);
  std::set<std::string> sources, words;
  for (const auto& split : splits)
    for (const auto& pair : split) EXPECT_TRUE(sources.insert(pair.source).second);
  for (const auto& pair : splits[0]) words.insert(pair.unseen.begin(), pair.unseen.end());
  EXPECT_GT(words.size(), 300u);
  for (const auto& pair : splits[1]) {
    ASSERT_FALSE(pair.unseen.empty());
    for (const auto& word : pair.unseen) {
      EXPECT_FALSE(words.contains(word)) << word;
      EXPECT_THAT(pair.source, HasSubstr(word));
    }
  }
}

TEST(Grammar, TellsWhenItHasTooFewSentences) {
  const auto grammar = Grammar::parse(
      R"({"start": "S", "rules": {"S": [{"source": "a", "target": "b"}, {"source": "c", "target": "d"}]}})",
      "small.json");
  EXPECT_EQ(generate_splits(grammar, {1, 1}, 1)[1].size(), 1u);
  EXPECT_THAT(error_of([&] { generate_splits(grammar, {3}, 1); }),
              HasSubstr("small.json: no new sentence found after 2"));
}

TEST(TranslationGrammar, GivesEverySourceOneTarget) {
  EXPECT_GT(sample_many(Grammar::load(data_folder + "translation.grammar.json"), 30000).size(), 20000u);
}

}  // namespace
}  // namespace seq2seq
