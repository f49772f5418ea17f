#include "seq2seq/report/html_page.h"

#include <gmock/gmock.h>

namespace seq2seq {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(HtmlPage, EscapesText) {
  EXPECT_EQ(escape_html("a<b>&\"c\""), "a&lt;b&gt;&amp;&quot;c&quot;");
  EXPECT_THAT(html_page_begin("<x>"), HasSubstr("<title>&lt;x&gt;</title>"));
  EXPECT_THAT(html_table({"<h>"}, {{"<r>", "<c>"}}),
              HasSubstr("<tr><th>&lt;r&gt;</th><td>&lt;c&gt;</td></tr>"));
  EXPECT_THAT(html_bars({{"<n>", 1, "<1>", {}, {}}}), HasSubstr("&lt;n&gt;"));
  EXPECT_THAT(html_figure("<svg/>", "<c>"), HasSubstr("<svg/><figcaption>&lt;c&gt;"));
}

TEST(HtmlPage, BarsAreAsLongAsTheirValues) {
  const std::string bars = html_bars({{"a", 2, "2", 1.0, 3.0}, {"b", 4, "4", 4.0, 4.0}});
  EXPECT_THAT(bars, HasSubstr("style=\"width:50.0%\""));
  EXPECT_THAT(bars, HasSubstr("style=\"width:100.0%\""));
  EXPECT_THAT(bars, HasSubstr("left:25.0%;width:50.0%"));
  EXPECT_THAT(bars, Not(HasSubstr("left:100.0%")));  // no error bar of length 0
  EXPECT_THAT(html_bars({{"a", 0, "0", {}, {}}}), Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace seq2seq
