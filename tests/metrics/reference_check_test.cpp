#include "seq2seq/metrics/reference_check.h"

#include <gmock/gmock.h>

namespace seq2seq {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

bool rises(const char* metric, const ReferenceLists& references, const MetricOptions& options = {}) {
  return can_rise(metric_named(metric), references, options);
}

const ReferenceLists russian{{"снег лежит на крыше"}, {"идёт дождь"}};
const ReferenceLists chinese{{"今天天气很好，我们去公园吧。"}, {"他每天早上六点起床。"}};

TEST(CanRise, IsFalseWhereTheReferencesThemselvesScoreNothing) {
  for (const char* metric : {"rouge1", "rouge2", "rougeL", "rougeLsum"}) {
    EXPECT_FALSE(rises(metric, russian)) << metric;
    EXPECT_TRUE(rises(metric, russian, {.rouge_tokenizer = RougeTokenizer::unicode})) << metric;
    EXPECT_TRUE(rises(metric, russian, {.rouge_tokenizer = RougeTokenizer::automatic})) << metric;
  }
  EXPECT_TRUE(rises("bleu", russian));
  EXPECT_FALSE(rises("bleu", chinese));  // one word each
  EXPECT_TRUE(rises("bleu", chinese, {.tokenizer = BleuTokenizer::chinese}));
  EXPECT_FALSE(rises("bleu", {{"one two three"}, {"four"}}));  // no 4-gram
  EXPECT_FALSE(rises("rouge2", {{"one"}, {"two"}}));
  EXPECT_TRUE(rises("rouge1", {{"one"}, {"two"}}));
  EXPECT_TRUE(rises("rouge2", {{"one"}, {"two"}, {"three four"}}));  // one will do
  for (const char* metric : {"chrf", "chrf++", "rouge1", "bleu", "length-ratio", "exact"})
    EXPECT_FALSE(rises(metric, {{" "}, {""}})) << metric;
}

TEST(CanRise, IsTrueOfMetricsThatItIsNoQuestionFor) {
  for (const char* metric :
       {"loss", "perplexity", "accuracy", "ter", "repetition", "novelty", "recovered-words"})
    EXPECT_TRUE(rises(metric, {{"a"}})) << metric;
}

TEST(SentencesWithoutWords, AreThoseWithoutAReferenceThatHasSome) {
  const ReferenceLists references{{"снег"}, {"снег", "snow"}, {"!"}, {"one"}};
  EXPECT_EQ(sentences_without_words(references, RougeTokenizer::rouge_score), 2U);
  EXPECT_EQ(sentences_without_words(references, RougeTokenizer::unicode), 1U);
  EXPECT_EQ(sentences_without_words(references, RougeTokenizer::character), 0U);
}

TEST(LeavesMostUnsplit, TellsTextWithoutSpaces) {
  const ReferenceLists with_digits{{"今天12.5度，天气很好。"}, {"他3点起床。她 4 点睡觉。"}, {"好的"}};
  EXPECT_TRUE(leaves_most_unsplit(BleuTokenizer::v13a, with_digits));
  EXPECT_FALSE(leaves_most_unsplit(BleuTokenizer::chinese, with_digits));
  EXPECT_FALSE(leaves_most_unsplit(BleuTokenizer::v13a, {{"今天 天气 很 好"}}));  // split already
  EXPECT_FALSE(leaves_most_unsplit(BleuTokenizer::v13a, {{"Good morning"}, {"A small dog sleeps here"}}));
}

TEST(LowercaseOutputs, AreToldWhereReferencesHaveCapitals) {
  const ReferenceLists cased{{"Der Hund schläft"}, {"Ein Haus in Köln"}};
  EXPECT_TRUE(are_lowercase_beside({"der hund schläft", "ein haus in köln"}, cased));
  EXPECT_FALSE(are_lowercase_beside({"Der hund schläft", "ein haus in köln"}, cased));
  EXPECT_FALSE(are_lowercase_beside({"der hund", "ein haus"}, {{"der hund"}, {"ein haus"}}));
  EXPECT_FALSE(are_lowercase_beside({"今天", "12"}, cased));
  std::vector<std::string> many(50, "der hund schläft");
  many.push_back("das Haus");  // a copied name
  EXPECT_TRUE(are_lowercase_beside(many, cased));
}

TEST(Remarks, NameTheMetricsAndTheFlagsThatHelp) {
  const auto named = [](std::initializer_list<const char*> names) {
    std::vector<const Metric*> all;
    for (const char* name : names) all.push_back(&metric_named(name));
    return all;
  };
  const std::string nothing = ": outputs equal to the references would score no better than empty ones";
  EXPECT_THAT(remarks_on(named({"perplexity", "bleu", "chrf", "rouge1", "rougeL"}), russian, {}, "--valid-"),
              ElementsAre("rouge1, rougeL" + nothing + "; give --valid-rouge-tokenize unicode or char"));
  EXPECT_THAT(remarks_on(named({"bleu", "chrf"}), chinese, {}, "--"),
              ElementsAre("bleu" + nothing + "; give --tokenize zh, char or spm:FILE"));
  EXPECT_THAT(
      remarks_on(named({"bleu"}), {{"今天天气很好"}, {"他 每天 早上 六点"}, {"去公园吧。"}}, {}, "--"),
      ElementsAre(AllOf(HasSubstr("with 13a most references have fewer than four words"),
                        HasSubstr("--tokenize zh"))));
  EXPECT_THAT(remarks_on(named({"chrf"}), {{""}}, {}, "--"), ElementsAre("chrf" + nothing));
  // No flag that does not help.
  EXPECT_THAT(remarks_on(named({"bleu", "rouge1"}), {{""}}, {}, "--"), ElementsAre("bleu, rouge1" + nothing));
  EXPECT_THAT(remarks_on(named({"bleu", "rouge1"}), {{"! ? !"}}, {}, "--"),
              ElementsAre("bleu" + nothing, "rouge1" + nothing + "; give --rouge-tokenize char"));
  EXPECT_THAT(remarks_on(named({"bleu"}), {{"كتاب بيت شمس"}}, {}, "--"),
              ElementsAre("bleu" + nothing + "; give --tokenize char or spm:FILE"));
  EXPECT_THAT(remarks_on(named({"bleu", "rougeL"}), {{"one two three four"}}, {}, "--"), IsEmpty());
}

TEST(Remarks, TellWhatAutomaticMeans) {
  EXPECT_EQ(remark_on_automatic({{"one two"}}, "--"), "");
  EXPECT_EQ(remark_on_automatic({{"снег 12"}, {"дождь"}}, "--valid-"),
            "ROUGE: rouge-score's rule would keep 1 of 3 words of the references; they are split with "
            "--valid-rouge-tokenize unicode");
}

}  // namespace
}  // namespace seq2seq
