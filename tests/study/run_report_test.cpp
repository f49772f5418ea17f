#include "seq2seq/study/run_report.h"

#include <gmock/gmock.h>

#include "../data/temporary_folder.h"
#include "seq2seq/core/error.h"

namespace seq2seq {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::ThrowsMessage;

TEST(RunReport, ShowsWhatWasLogged) {
  const TemporaryFolder folder;
  folder.write("config.json", "{\"a\": \"<b>\"}");
  folder.write(
      "train.jsonl",
      R"({"type":"update","update":50,"perplexity":900.0,"gradient_norm":2.0,"learning_rate":0.1,"target_tokens":1000,"target_tokens_per_second":10.0,"seconds":60.0})"
      "\n"
      R"({"type":"validation","update":60,"perplexity":80.0,"bleu":12.5,"best":true,"seconds":70.0})"
      "\n"
      R"({"type":"update","update":100,"perplexity":null,"gradient_norm":1.0,"learning_rate":0.1,"target_tokens":500,"target_tokens_per_second":11.0,"seconds":120.0})"
      "\n{\"type\":\"upd");
  const std::string page = run_report_html(folder.path(""));
  EXPECT_THAT(page, HasSubstr("100 updates, 1,500 target tokens in 2:00"));
  EXPECT_THAT(page, HasSubstr("<tr><th>bleu</th><td>12.5</td></tr>"));
  EXPECT_THAT(page, HasSubstr("Validation scores"));
  EXPECT_THAT(page, HasSubstr("&lt;b&gt;"));
  EXPECT_THAT(page, Not(HasSubstr("nan")));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("Coverage loss")));
  EXPECT_THAT(page, testing::MatchesRegex("(.|\n)*</html>\n"));
}

TEST(RunReport, SaysWhatIsMissing) {
  const TemporaryFolder folder;
  EXPECT_THAT([&] { run_report_html(folder.path("")); },
              ThrowsMessage<Error>(HasSubstr("is not a run directory")));
  folder.write("config.json", "{}");
  EXPECT_THAT([&] { run_report_html(folder.path("")); },
              ThrowsMessage<Error>(HasSubstr("train.jsonl: is missing")));
}

}  // namespace
}  // namespace seq2seq
