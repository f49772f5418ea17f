#include "seq2seq/report/run_report.h"

#include <gmock/gmock.h>

#include "../data/temporary_folder.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/report/event_file.h"

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
  EXPECT_THAT(page, Not(HasSubstr("Gradient flow")));
  EXPECT_THAT(page, HasSubstr("config.json"));  // the reason for no examples: it is not a configuration
  EXPECT_THAT(page, HasSubstr("<figcaption>Validation scores: BLEU</figcaption>"));
  EXPECT_THAT(page, HasSubstr(" class=\"name\">BLEU</text>"));
  EXPECT_THAT(page, HasSubstr("&lt;b&gt;"));
  EXPECT_THAT(page, Not(HasSubstr("nan")));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("Coverage loss")));
  EXPECT_THAT(page, testing::MatchesRegex("(.|\n)*</html>\n"));
}

TEST(RunReport, DrawsScoresOfEachScaleByThemselves) {
  const TemporaryFolder folder;
  folder.write("config.json", "{}");
  folder.write(
      "train.jsonl",
      R"({"type":"validation","update":60,"accuracy":50.0,"bleu":12.5,"rougeL":0.5,"length-ratio":0.9,)"
      R"("signatures":"bleu tok:<zh>","best":true})"
      "\n");
  const std::string page = run_report_html(folder.path(""), {.examples = 0});
  EXPECT_THAT(page, HasSubstr("<figcaption>Validation scores: accuracy, BLEU</figcaption>"));
  EXPECT_THAT(page, HasSubstr("<p>Scores: bleu tok:&lt;zh&gt;.</p>"));
  EXPECT_THAT(page, HasSubstr(" class=\"name\">0 to 100</text>"));
  EXPECT_THAT(page, HasSubstr(">BLEU</text>"));  // in the legend
  EXPECT_THAT(page, HasSubstr(" class=\"name\">ROUGE-L</text>"));
  EXPECT_THAT(page, HasSubstr(" class=\"name\">length ratio</text>"));
}

TEST(RunReport, DrawsSomeOfManyGradientFlows) {
  const TemporaryFolder folder;
  folder.write("config.json", "{}");
  std::string log;
  for (int update = 1; update <= 30; ++update)
    log += "{\"type\":\"gradient_flow\",\"update\":" + std::to_string(update) +
           ",\"norms\":[1.0,0.5,0.25],\"target_steps\":1.0,\"parameter_norm\":2.0,\"seconds\":1.0}\n";
  folder.write("train.jsonl", log);
  const std::string page = run_report_html(folder.path(""), {.examples = 0});
  EXPECT_THAT(page, HasSubstr("Gradient flow"));
  EXPECT_THAT(page, HasSubstr(">update 1</text>"));
  EXPECT_THAT(page, HasSubstr(">update 30</text>"));
  EXPECT_THAT(page, Not(HasSubstr(">update 2</text>")));
  EXPECT_THAT(page, Not(HasSubstr("Examples")));
}

// Reads the file by the rules of its format: length, its checksum, bytes, their checksum.
TEST(RunReport, WritesWhatTensorBoardReads) {
  const TemporaryFolder folder;
  folder.write("config.json", "{}");
  folder.write("train.jsonl",
               "{\"type\":\"update\",\"update\":50,\"loss\":2.5,\"seconds\":3.0}\n"
               "{\"type\":\"validation\",\"update\":50,\"bleu\":12.5,\"best\":true,\"seconds\":4.0}\n");
  std::filesystem::create_directory(folder.path("tensorboard"));
  folder.write("tensorboard/events.out.tfevents.1.seq2seq", "left over");
  folder.write("tensorboard/events.out.tfevents.1.other", "another program's");
  const auto file = write_tensorboard(folder.path(""), folder.path("tensorboard"));
  EXPECT_FALSE(std::filesystem::exists(folder.path("tensorboard") + "/events.out.tfevents.1.seq2seq"));
  const std::string bytes = read_file(file);
  EXPECT_TRUE(std::filesystem::exists(folder.path("tensorboard/events.out.tfevents.1.other")));
  std::vector<std::string> events;
  const auto number = [&](size_t at, size_t size) {
    uint64_t value = 0;
    for (size_t i = 0; i < size; ++i)
      value |= static_cast<uint64_t>(static_cast<uint8_t>(bytes.at(at + i))) << (8 * i);
    return value;
  };
  const auto sum_of = [](const std::string& part) {
    const uint32_t sum = crc32c(part);
    return ((sum >> 15) | (sum << 17)) + 0xa282ead8U;
  };
  for (size_t at = 0; at < bytes.size();) {
    const uint64_t length = number(at, 8);
    EXPECT_EQ(number(at + 8, 4), sum_of(bytes.substr(at, 8)));
    events.push_back(bytes.substr(at + 12, length));
    EXPECT_EQ(number(at + 12 + length, 4), sum_of(events.back()));
    at += 16 + length;
  }
  ASSERT_EQ(events.size(), 3U);
  EXPECT_THAT(events[0], HasSubstr("brain.Event:2"));
  EXPECT_THAT(events[1], HasSubstr("training/loss"));
  const float loss = 2.5F;
  EXPECT_THAT(events[1], HasSubstr(std::string(reinterpret_cast<const char*>(&loss), 4)));
  EXPECT_THAT(events[2], HasSubstr("validation/bleu"));
}

TEST(EventFile, SumsAsTheStandardSays) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);            // the check value in catalogues of CRCs
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);  // RFC 3720, appendix B.4
}

// Seconds restart in each process; values that are not finite are null.
TEST(RunReport, CountsTheTimeOfResumedRunsOnAndDrawsNoNull) {
  const TemporaryFolder folder;
  folder.write("config.json", "{}");
  folder.write("train.jsonl",
               "{\"type\":\"update\",\"update\":1,\"target_tokens\":5,\"seconds\":100.0}\n"
               "{\"type\":\"gradient_flow\",\"update\":1,\"norms\":[1.0,null],\"parameter_norm\":null}\n"
               "{\"type\":\"validation\",\"update\":1,\"perplexity\":null,\"seconds\":110.0}\n"
               "{\"type\":\"update\",\"update\":2,\"target_tokens\":5,\"seconds\":10.0}\n");
  const std::string page = run_report_html(folder.path("") + "/", {.examples = 0});
  EXPECT_THAT(page, HasSubstr("2 updates, 10 target tokens in 2:00"));
  EXPECT_THAT(page, Not(HasSubstr("<h1></h1>")));
  EXPECT_THAT(page, Not(HasSubstr("nan")));
  EXPECT_TRUE(std::filesystem::exists(write_tensorboard(folder.path(""), folder.path("tensorboard"))));
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
