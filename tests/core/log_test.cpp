#include "seq2seq/core/log.h"

#include <gtest/gtest.h>

namespace seq2seq {
namespace {

TEST(Log, QuietKeepsWarningsOnly) {
  testing::internal::CaptureStderr();
  log_info("one");
  set_log_level(LogLevel::quiet);
  log_info("two");
  log_warning("three");
  set_log_level(LogLevel::normal);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "one\nwarning: three\n");
}

TEST(Log, FormatsDurationsAndCounts) {
  EXPECT_EQ(format_duration(0), "0:00");
  EXPECT_EQ(format_duration(245.9), "4:05");
  EXPECT_EQ(format_duration(3723), "1:02:03");
  EXPECT_EQ(format_duration(-1), "0:00");
  EXPECT_EQ(format_count(7), "7");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(12345), "12,345");
  EXPECT_EQ(format_count(-1000000), "-1,000,000");
}

}  // namespace
}  // namespace seq2seq
