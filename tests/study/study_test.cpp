#include "seq2seq/study/study.h"

#include <gmock/gmock.h>

#include "../data/temporary_folder.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/json.h"
#include "seq2seq/study/study_metrics.h"
#include "seq2seq/study/study_report.h"
#include "seq2seq/study/study_result.h"

namespace seq2seq {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::ThrowsMessage;

Json small_study() {
  return parse_json(R"({
    "title": "A < B",
    "base": {"data": {"train": "../train.jsonl"}, "text": {"tokenizer": {"model": "joint.model"}}, "limits": {"max-updates": 5},
             "model": {"encoder": {"type": "rnn", "cell": "rnn", "size": 8}}},
    "runs": [
      {"name": "plain", "title": "Plain"},
      {"name": "gated", "title": "Gated", "from": "plain", "changes": {"model": {"encoder": {"cell": "gru"}}}},
      {"name": "wide", "from": "gated", "changes": {"model": {"encoder": {"size": 16}}}},
      {"name": "parallel", "from": "gated", "changes": {"model": {"encoder": {"type": "transformer"}}}}],
    "test": {"input": "test.jsonl"},
    "length-limits": [10, 20],
    "comparisons": [{"title": "Cells", "runs": ["plain", "gated"],
                     "figures": ["by-length exact", "bars repetition", "learning", "gradient-flow"]}],
    "claims": [{"text": "Gates help.", "metric": "exact", "where": "longest", "higher": "gated", "lower": "plain"}]
  })",
                    "small");
}

Study load(const Json& json) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.path("studies"));
  folder.write("studies/a.json", json.dump());
  return Study::load(folder.path("studies/a.json"));
}

TEST(Study, EachRunChangesTheOneItIsFrom) {
  const Study study = load(small_study());
  const auto cell = [&](const char* run) {
    return std::get<RnnEncoderOptions>(study.run(run).options.model.encoder).cell;
  };
  const auto size = [&](const char* run) {
    return std::get<RnnEncoderOptions>(study.run(run).options.model.encoder).size;
  };
  EXPECT_EQ(cell("plain"), Cell::rnn);
  EXPECT_EQ(cell("gated"), Cell::gru);
  EXPECT_EQ(cell("wide"), Cell::gru);
  EXPECT_EQ(size("gated"), 8);
  EXPECT_EQ(size("wide"), 16);
  EXPECT_TRUE(std::holds_alternative<TransformerOptions>(study.run("parallel").options.model.encoder));
  EXPECT_EQ(study.run("wide").title, "wide");
  EXPECT_EQ(study.run("wide").options.limits.max_updates, 5);
}

TEST(Study, PathsAreTakenFromItsFolder) {
  const Study study = load(small_study());
  EXPECT_THAT(study.test.combined, testing::EndsWith("/studies/test.jsonl"));
  EXPECT_THAT(study.run("wide").options.data.train,
              AllOf(testing::EndsWith("/train.jsonl"), Not(HasSubstr("studies"))));
  EXPECT_THAT(std::get<SentencePieceTokenizerOptions>(study.run("wide").options.text.tokenizer).model,
              AllOf(testing::StartsWith("/"), testing::EndsWith("/studies/joint.model")));
  Study own = study;
  replace_text(own, {});
  EXPECT_EQ(own.test.combined, study.test.combined);
  StudyText text;
  text.train.train = "mine.tsv";
  EXPECT_THROW(replace_text(own, text), UsageError);
  text.test.combined = "held.tsv";
  replace_text(own, text);
  EXPECT_EQ(own.run("gated").options.data.train, std::filesystem::absolute("mine.tsv"));
  EXPECT_EQ(own.test.combined, std::filesystem::absolute("held.tsv"));
  StudyText validation;
  validation.train.valid = "valid.tsv";
  EXPECT_THROW(replace_text(own, validation), UsageError);
}

TEST(Study, TheSentencePieceModelIsTakenFromItsFolder) {
  Json json = small_study();
  const auto text_with = [](const std::string& model) {
    return Json{{"tokenizer", Json{{"type", "sentencepiece"}, {"model", model}}}};
  };
  json["base"]["text"] = text_with("pieces.model");
  json["runs"][1]["changes"]["text"] = text_with("../pieces.model");
  json["runs"][2]["changes"]["text"] = text_with("");  // trained, not from a file
  const Study study = load(json);
  const auto model = [&](const char* run) {
    return std::get<SentencePieceTokenizerOptions>(study.run(run).options.text.tokenizer).model;
  };
  EXPECT_THAT(model("plain"), testing::EndsWith("/studies/pieces.model"));
  EXPECT_THAT(model("gated"), AllOf(testing::EndsWith("/pieces.model"), Not(HasSubstr("studies"))));
  EXPECT_EQ(model("wide"), "");
}

TEST(Study, NamesWhatIsWrong) {
  const auto refuses = [](const std::function<void(Json&)>& change, const std::string& message) {
    Json json = small_study();
    change(json);
    EXPECT_THAT([&] { load(json); }, ThrowsMessage<Error>(HasSubstr(message))) << message;
  };
  refuses([](Json& j) { j["titel"] = "x"; }, "'titel' is unknown; did you mean 'title'?");
  refuses([](Json& j) { j.erase("test"); }, "has no 'test'");
  refuses([](Json& j) { j["test"]["inputs"] = 1; }, "test: 'inputs' is unknown");
  refuses([](Json& j) { j["title"] = 5; }, "title: is not a text");
  refuses([](Json& j) { j["examples"] = 1.5; }, "examples: is not a whole number");
  refuses([](Json& j) { j["examples"] = -1; }, "examples: -1 is out of range; give 0 to 100");
  refuses([](Json& j) { j["runs"] = Json::array(); }, "runs: is empty");
  refuses([](Json& j) { j["runs"][1]["name"] = "a/b"; }, "runs[1]: name: 'a/b' is no name");
  refuses([](Json& j) { j["runs"][1]["name"] = "plain"; }, "'plain' is there twice");
  refuses([](Json& j) { j["runs"][0]["from"] = "gated"; }, "runs[0]: from: there is no earlier run");
  refuses([](Json& j) { j["runs"][1]["changes"]["model"]["encoder"]["cel"] = 1; }, "encoder.cel");
  refuses([](Json& j) { j["runs"][1]["changes"]["optimization"]["coverage-loss-start"] = 1; }, "run 'gated'");
  refuses([](Json& j) { j["score"] = "rouge"; }, "'rouge' is no metric");
  refuses([](Json& j) { j["length-limits"] = {20, 10}; }, "do not rise");
  refuses([](Json& j) { j["length-limits"] = {0, 10}; }, "do not rise from 1");
  refuses([](Json& j) { j["length-limits"] = {10, 10}; }, "do not rise from 1");
  refuses([](Json& j) { j["claims"][0]["lower"] = "gated"; }, "is the same run");
  refuses([](Json& j) { j["runs"][1]["changes"]["limits"]["max-updates"] = 9; },
          "limits.max-updates differs from that of the first run");
  refuses([](Json& j) { j["length-limits"] = {10.5}; }, "is not a list of whole numbers");
  refuses([](Json& j) { j["test"]["source"] = "x"; }, "test: input: '");
  refuses([](Json& j) { j["comparisons"].push_back(j["comparisons"][0]); }, "'Cells' is there twice");
  refuses([](Json& j) { j["comparisons"][0]["runs"] = Json::array(); }, "runs: is empty");
  refuses([](Json& j) { j["comparisons"][0]["runs"][0] = "plan"; },
          "'plan' is no run; did you mean 'plain'?");
  refuses([](Json& j) { j["comparisons"][0]["figures"][0] = "by-length"; }, "names no metric");
  refuses([](Json& j) { j["comparisons"][0]["figures"][0] = "learning exact"; }, "takes no metric");
  refuses([](Json& j) { j["comparisons"][0]["figures"][0] = "pie exact"; }, "'pie' is no figure");
  refuses([](Json& j) { j["claims"][0]["where"] = "nowhere"; }, "'nowhere' is no place");
}

/// A result of one seed with these scores on the shortest and the longest sources.
Json result_of(double shortest, double longest, bool examples = true) {
  const auto scores = [](double exact) {
    Json all = {{"recovered_words", nullptr}};
    for (const auto& name : study_metric_names())
      if (name != "recovered_words") all[name] = exact;
    return all;
  };
  Json result = {
      {"conditions", "Made by hand."},
      {"parameters", 1000},
      {"training-tokens-per-second", 10.0},
      {"decoding-tokens-per-second", 20.0},
      {"peak-memory-mib", 30.0},
      {"target-tokens", 40.0},
      {"scores", scores((shortest + longest) / 2)},
      {"validation", {{{"update", 1}, {"target-tokens", 40.0}, {"perplexity", 2.0}, {"accuracy", 50.0}}}},
      {"gradient-flow", {{"norms", {1.0, 0.5}}, {"target-steps", 1.0}, {"parameter-norm", 1.0}}},
      {"by-length",
       {{{"from", 1}, {"to", 10}, {"scores", scores(shortest)}},
        {{"from", 11}, {"to", nullptr}, {"scores", scores(longest)}}}}};
  if (examples)
    result["examples"] = {
        {{"line", 3}, {"source", "<s>"}, {"reference", "r"}, {"output", "o"}, {"html", "<figure></figure>"}}};
  return result;
}

TEST(StudyResult, FindsValues) {
  const Json result = result_of(0.9, 0.3);
  EXPECT_DOUBLE_EQ(*value_of(result, "exact"), 0.6);
  EXPECT_DOUBLE_EQ(*value_of(result, "exact", "shortest"), 0.9);
  EXPECT_DOUBLE_EQ(*value_of(result, "exact", "longest"), 0.3);
  EXPECT_DOUBLE_EQ(*value_of(result, "exact", "drop"), 0.6);
  EXPECT_DOUBLE_EQ(*value_of(result, "exact", "kept"), 0.3 / 0.9);
  EXPECT_EQ(value_of(result_of(0, 0.3), "exact", "kept"), std::nullopt);
  EXPECT_EQ(value_of(result, "recovered_words"), std::nullopt);
  EXPECT_EQ(value_of(result, "recovered_words", "drop"), std::nullopt);
  Json one_group = result;
  one_group["by-length"].erase(1);
  EXPECT_EQ(value_of(one_group, "exact", "drop"), std::nullopt);
  EXPECT_EQ(value_of(one_group, "exact", "longest"), std::nullopt);
  EXPECT_TRUE(value_of(one_group, "exact"));
}

TEST(StudyResult, OfAnEarlierVersionLacksMetrics) {
  Json result = result_of(0.9, 0.3);
  result["scores"].erase("chrf");
  result["by-length"][1]["scores"].erase("chrf");
  EXPECT_EQ(value_of(result, "chrf"), std::nullopt);
  EXPECT_EQ(value_of(result, "chrf", "drop"), std::nullopt);
  EXPECT_TRUE(value_of(result, "chrf", "shortest"));
}

TEST(StudyMetrics, AreThoseOfTextsAndOfNumbers) {
  EXPECT_THAT(study_metric_names(),
              testing::IsSupersetOf({"bleu", "chrf", "rouge1", "rouge2", "rougeL", "exact",
                                     "rougeL_but_unseen", "exact_but_unseen", "first_word", "repetition",
                                     "length_ratio", "recovered_words"}));
  EXPECT_EQ(study_metric("rougeL_but_unseen").metric, study_metric("rougeL").metric);
  EXPECT_TRUE(study_metric("rougeL_but_unseen").of_numbers);
  EXPECT_FALSE(study_metric("rougeL").of_numbers);
  EXPECT_EQ(study_metric("first_word").title, "first word right");
}

TEST(Study, SpellsMetricsAsResultsDo) {
  Json json = small_study();
  json["score"] = "length-ratio";
  json["comparisons"][0]["figures"][0] = "by-length first-word";
  json["claims"][0]["metric"] = "recovered-words";
  const Study study = load(json);
  EXPECT_EQ(study.score, "length_ratio");
  EXPECT_EQ(study.comparisons[0].figures[0], "by-length first_word");
  EXPECT_EQ(study.claims[0].metric, "recovered_words");
}

TEST(Study, ItsWordsOfScoresAreThoseOfItsValidationOrItsOwn) {
  Json json = small_study();
  EXPECT_EQ(load(json).bleu_tokenizer, "13a");
  EXPECT_EQ(load(json).rouge_tokenizer, RougeTokenizer::automatic);
  json["base"]["validation"] = {{"valid-metrics", {"bleu", "rougeL"}},
                                {"valid-tokenize", "spm:pieces.model"},
                                {"valid-rouge-tokenize", "char"}};
  Study study = load(json);
  EXPECT_THAT(study.bleu_tokenizer,
              AllOf(testing::StartsWith("spm:/"), testing::EndsWith("/studies/pieces.model")));
  EXPECT_EQ(study.rouge_tokenizer, RougeTokenizer::character);
  json["tokenize"] = "spm:other.model";
  json["rouge-tokenize"] = "unicode";
  json["runs"][3]["changes"]["validation"] = {{"valid-metrics", {"rougeL"}}, {"valid-tokenize", "13a"}};
  study = load(json);
  EXPECT_THAT(study.bleu_tokenizer, testing::EndsWith("/studies/other.model"));
  EXPECT_EQ(study.rouge_tokenizer, RougeTokenizer::unicode);
  EXPECT_EQ(study.run("wide").options.validation.bleu_tokenizer, study.bleu_tokenizer);
  EXPECT_EQ(study.run("parallel").options.validation.bleu_tokenizer, "13a");  // it has no BLEU
  EXPECT_EQ(study.run("parallel").options.validation.rouge_tokenizer, RougeTokenizer::unicode);
  replace_tokenizers(study, {"zh", ""});
  EXPECT_EQ(study.bleu_tokenizer, "zh");
  EXPECT_EQ(study.rouge_tokenizer, RougeTokenizer::unicode);
  EXPECT_EQ(study.run("plain").options.validation.bleu_tokenizer, "zh");
  json["rouge-tokenize"] = "unicod";
  EXPECT_THAT([&] { load(json); },
              ThrowsMessage<Error>(HasSubstr("a.json: rouge-tokenize: 'unicod' is unknown; "
                                             "did you mean 'unicode'?")));
}

TEST(StudyResult, IsScoredWithTheWordsOfTheStudyAndInTheCaseOfItsModels) {
  const TemporaryFolder folder;
  Study study = load(small_study());
  study.test = {folder.write("t.source", "a\n"), folder.write("t.target", "снег лежит на крыше\n"), ""};
  const TestText text(study.test);
  testing::internal::CaptureStderr();
  MetricOptions scoring = scoring_of(study, text);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("they are split with --rouge-tokenize unicode"));
  EXPECT_EQ(scoring.rouge_tokenizer, RougeTokenizer::unicode);
  EXPECT_EQ(scoring.tokenizer.signature(), "13a");
  EXPECT_FALSE(scoring.lowercase);
  replace_tokenizers(study, {"char", "rouge-score"});
  study.runs.back().options.text.normalization.lowercase = true;
  testing::internal::CaptureStderr();
  scoring = scoring_of(study, text);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("rouge1, rouge2, rougeL: outputs equal to the references would score no better"));
  EXPECT_EQ(scoring.rouge_tokenizer, RougeTokenizer::rouge_score);
  EXPECT_EQ(scoring.tokenizer.signature(), "char");
  EXPECT_TRUE(scoring.lowercase);
}

TEST(StudyResult, SpreadIsThatOfASample) {
  const Spread spread = spread_of({1, 2, 6});
  EXPECT_DOUBLE_EQ(spread.mean, 3);
  EXPECT_NEAR(spread.deviation, std::sqrt((4.0 + 1.0 + 9.0) / 2), 1e-12);
  EXPECT_EQ(spread_of({5}).deviation, 0);
  EXPECT_EQ(spread_of({}).count, 0U);
}

TEST(StudyResult, JudgesClaimsSeedBySeed) {
  const Study::Claim claim{"", "exact", "longest", "a", "b"};
  const auto verdict = [&](const std::vector<double>& higher, const std::vector<double>& lower) {
    std::vector<Json> a, b;
    for (const double value : higher) a.push_back(result_of(1, value));
    for (const double value : lower) b.push_back(result_of(1, value));
    return judge(claim, a, b);
  };
  EXPECT_EQ(verdict({0.5, 0.6}, {0.4, 0.3}).text, "holds");
  EXPECT_NEAR(verdict({0.5, 0.6}, {0.4, 0.3}).spread.mean, 0.2, 1e-12);
  EXPECT_EQ(verdict({0.5, 0.3}, {0.4, 0.4}).text, "unclear");
  EXPECT_EQ(verdict({0.4}, {0.4}).text, "does not hold");
  const Study::Claim unseen{"", "recovered_words", "all", "a", "b"};
  EXPECT_EQ(judge(unseen, {result_of(1, 1)}, {result_of(1, 1)}).text, "cannot be told from this text");
}

TEST(StudyReport, HoldsWhatWasMeasured) {
  const Study study = load(small_study());
  StudyResults results;
  for (const auto& run : study.runs) results[run.name] = {result_of(0.5, 0.25), result_of(0.5, 0.75, false)};
  results["gated"] = {result_of(1, 0.5), result_of(1, 1, false)};
  results["gated"][0]["signatures"] = "bleu tok:zh";
  const StudyReport report = study_report(study, results);
  EXPECT_THAT(report.html, HasSubstr("<h1>A &lt; B</h1>"));
  EXPECT_THAT(
      report.html,
      HasSubstr("Gates help. <span class=\"verdict\">holds</span><br><small>exact outputs, % on the longest "
                "sources: Gated 75.0 \u00b1 35.4; Plain 50.0 \u00b1 35.4; difference 25.0 \u00b1 0.0 "
                "over 2 seeds."));
  EXPECT_THAT(report.html, HasSubstr("<th>Gated</th>"));
  EXPECT_THAT(report.html, HasSubstr("one standard deviation over 2 seeds"));
  EXPECT_THAT(report.html, HasSubstr(">over 10</text>"));
  EXPECT_THAT(report.html, HasSubstr("<b>Gated</b>: o"));
  EXPECT_THAT(report.html, HasSubstr("Made by hand."));
  EXPECT_THAT(report.html, HasSubstr("<p>Scores: bleu tok:zh.</p>"));
  EXPECT_THAT(report.html, Not(HasSubstr("<script")));
  EXPECT_THAT(report.html, Not(HasSubstr("nan")));
  ASSERT_EQ(report.figures.size(), 3U);  // bars have no file of their own
  EXPECT_TRUE(report.figures.contains("cells-by-length-exact.svg"));
  EXPECT_EQ(report.json["claims"][0]["verdict"], "holds");
  EXPECT_EQ(report.json["runs"][1]["seeds"][1]["by-length"][1]["scores"]["exact"], 1);
  EXPECT_FALSE(report.json["runs"][1]["seeds"][0]["examples"][0].contains("html"));
}

}  // namespace
}  // namespace seq2seq
