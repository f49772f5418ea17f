#include "seq2seq/report/heat_map.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <sstream>

#include "seq2seq/report/explanation_page.h"

namespace seq2seq {
namespace {

using testing::HasSubstr;
using testing::Not;

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

HeatMap small_map() {
  return {"copies",
          {"<a>", "B & C", "d"},
          {{"x", "", {0.25, 0.75, 0.001}, {}}, {"y", "p_gen 0.10", {0, 0, 1}, 2}}};
}

TEST(HeatMap, DrawsASquareForEachVisibleWeight) {
  const std::string svg = heat_map_svg(small_map());
  EXPECT_EQ(count(svg, "<rect x="), 3U);
  EXPECT_THAT(svg, HasSubstr("fill-opacity=\"0.25\""));
  EXPECT_THAT(svg, HasSubstr("fill-opacity=\"0.75\""));
  EXPECT_THAT(svg, HasSubstr("fill-opacity=\"1.00\" class=\"marked\""));
  EXPECT_EQ(count(svg, "class=\"marked\""), 2U);  // the square and its label
  EXPECT_THAT(svg, HasSubstr("p_gen 0.10"));
}

TEST(HeatMap, EscapesText) {
  const std::string svg = heat_map_svg(small_map());
  EXPECT_THAT(svg, HasSubstr("&lt;a&gt;"));
  EXPECT_THAT(svg, HasSubstr("B &amp; C"));
  EXPECT_THAT(svg, Not(HasSubstr("<a>")));
}

TEST(HeatMap, LeavesOutTheColumnsThatMatterLeast) {
  HeatMap map;
  HeatMap::Row row{"r", "", {}, 9};
  for (int i = 0; i < 10; ++i) {
    map.columns.push_back("word" + std::to_string(i));
    row.values.push_back(i == 2 ? 0.5 : i == 5 ? 0.4 : 0.01 * i);
  }
  map.rows.push_back(row);
  const std::string svg = heat_map_svg(map, 3);
  EXPECT_THAT(svg, HasSubstr("word2</text>"));
  EXPECT_THAT(svg, HasSubstr("word5</text>"));
  EXPECT_THAT(svg, HasSubstr("word9</text>"));  // marked
  EXPECT_EQ(count(svg, "word"), 3 * 2U);        // label and tooltip
  EXPECT_EQ(count(svg, "\u2026"), 3U);          // before 2, between 2 and 5, between 5 and 9
}

TEST(HeatMap, CutsLongLabelsBetweenCharacters) {
  HeatMap map;
  std::string label;
  for (int i = 0; i < 30; ++i) label += "ä";
  map.columns = {label};
  map.rows = {{"r", "", {1.0}, {}}};
  const std::string svg = heat_map_svg(map);
  EXPECT_THAT(svg, HasSubstr(label.substr(0, size_t{21} * 2) + "\u2026</text>"));
}

TEST(ExplanationPage, ShowsWhatWasCopied) {
  Explanation explanation;
  explanation.source = {"call\uFFED", "Kelm", "</s>"};
  explanation.tokens = {{"Kelm", true, 1, 0.9, 0.05, {0.1, 0.8, 0.1}, {0, 0, 0}},
                        {"</s>", false, 0, 0.9, 0.98, {0.1, 0.1, 0.8}, {0.1, 0.8, 0.1}}};
  const HeatMap map = attention_map_of(explanation, "title");
  EXPECT_EQ(map.columns[0], "call");
  EXPECT_EQ(map.rows[0].marked, 1U);
  EXPECT_EQ(map.rows[1].marked, std::nullopt);
  EXPECT_EQ(map.rows[0].note, "p_gen 0.05");
  const HeatMap copies = copy_map_of(explanation, "title");
  EXPECT_NEAR(copies.rows[0].values[1], 0.95 * 0.8, 1e-12);
  EXPECT_NEAR(copies.rows[1].values[2], 0.02 * 0.8, 1e-12);
  EXPECT_EQ(coverage_map_of(explanation, "title").rows[1].values, (std::vector<double>{0.1, 0.8, 0.1}));
  const std::string section = explanation_page_section(explanation, {{{9}, -1}, "<Kelm>"}, 4, 0);
  EXPECT_THAT(section, HasSubstr("Line 5: &lt;Kelm&gt;"));
  EXPECT_EQ(count(section, "<svg"), 3U);  // attention, copying, coverage
  for (auto& token : explanation.tokens) token.generation = 1;
  EXPECT_EQ(count(explanation_page_section(explanation, {{{9}, -1}, "Kelm"}, 4, 0), "<svg"), 2U);
}

// Coverage may exceed 1, opacity may not.
TEST(HeatMap, DrawsMoreThanOneAtFullStrength) {
  HeatMap map;
  map.columns = {"a"};
  map.rows = {{"r", "", {2.5}, {}}};
  const std::string svg = heat_map_svg(map);
  EXPECT_THAT(svg, HasSubstr("fill-opacity=\"1.00\""));
  EXPECT_THAT(svg, HasSubstr(": 2.50</title>"));
}

}  // namespace
}  // namespace seq2seq
