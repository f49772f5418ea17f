#include "seq2seq/report/line_chart.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <regex>
#include <sstream>

namespace seq2seq {
namespace {

using testing::HasSubstr;
using testing::Not;

/// The points of the k-th curve.
std::vector<std::pair<double, double>> points_of(const std::string& svg, size_t k) {
  const std::regex polyline("<polyline class=\"l" + std::to_string(k) + "\" points=\"([^\"]*)\"");
  std::smatch found;
  std::vector<std::pair<double, double>> points;
  if (!std::regex_search(svg, found, polyline)) return points;
  std::istringstream text(found[1]);
  double x = 0, y = 0;
  char comma = 0;
  while (text >> x >> comma >> y) points.emplace_back(x, y);
  return points;
}

TEST(LineChart, PointsLieWhereTheirNumbersSay) {
  const std::string svg = line_chart_svg({"t", "x", "y", {{"a", {0, 5, 10}, {1, 3, 2}}}, false});
  const auto points = points_of(svg, 0);
  ASSERT_EQ(points.size(), 3U);
  EXPECT_NEAR(points[1].first, (points[0].first + points[2].first) / 2, 0.1);
  EXPECT_NEAR(points[2].second, (points[0].second + points[1].second) / 2, 0.1);
  EXPECT_LT(points[1].second, points[0].second);  // y points down
}

TEST(LineChart, LogarithmicScaleTurnsFactorsIntoSteps) {
  const auto points = points_of(line_chart_svg({"t", "x", "y", {{"a", {0, 1, 2}, {1, 10, 100}}}, true}), 0);
  ASSERT_EQ(points.size(), 3U);
  EXPECT_NEAR(points[0].second - points[1].second, points[1].second - points[2].second, 0.2);
}

TEST(LineChart, LeavesOutWhatCannotBeDrawn) {
  const double nan = std::numeric_limits<double>::quiet_NaN(),
               infinity = std::numeric_limits<double>::infinity();
  const LineChart chart{"t", "x", "y", {{"a", {0, 1, 2, 3, 4}, {1, nan, infinity, -2, 3}}}, true};
  // Two curves of one point each, drawn as dots, and no line across the gap.
  const std::string svg = line_chart_svg(chart);
  const auto first = points_of(svg, 0), second = points_of(svg.substr(svg.find("<polyline") + 1), 0);
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first[0], first[1]);
  ASSERT_EQ(second.size(), 2U);
  EXPECT_GT(second[0].first, first[0].first);
  EXPECT_THAT(line_chart_svg({"empty", "x", "y", {{"a", {}, {}}}, false}), Not(HasSubstr("nan")));
  EXPECT_THAT(line_chart_svg({"one", "x", "y", {{"a", {1}, {2}}}, false}), Not(HasSubstr("nan")));
}

TEST(LineChart, NamesSeveralSeriesAndEscapesText) {
  const std::string svg = line_chart_svg(
      {"a < b", "x & y", "y", {{"first", {0, 1}, {0, 1}}, {"second", {0, 1}, {1, 0}, true}}, false});
  EXPECT_THAT(svg, HasSubstr("a &lt; b"));
  EXPECT_THAT(svg, HasSubstr("x &amp; y"));
  EXPECT_THAT(svg, HasSubstr(">first</text>"));
  EXPECT_THAT(svg, HasSubstr("<circle class=\"c1\""));
  EXPECT_THAT(svg, Not(HasSubstr("<circle class=\"c0\"")));
}

TEST(LineChart, ErrorBarsEndWhereTheirNumbersSay) {
  LineChart chart{"t", "x", "y", {{"a", {0, 1}, {1, 2}, true, {0, 2}, {3, 2}}}, false};
  const std::string svg = line_chart_svg(chart);
  const std::regex bar(
      "<line class=\"l0 bar\" x1=\"([^\"]*)\" x2=\"([^\"]*)\" y1=\"([^\"]*)\" y2=\"([^\"]*)\"");
  std::smatch found;
  ASSERT_TRUE(std::regex_search(svg, found, bar));
  const auto points = points_of(svg, 0);
  EXPECT_EQ(found[1], found[2]);
  const double low = std::stod(found[3]), high = std::stod(found[4]),
               unit = points[0].second - points[1].second;
  EXPECT_NEAR(low - points[0].second, unit, 0.2);
  EXPECT_NEAR(points[0].second - high, 2 * unit, 0.2);
  EXPECT_FALSE(std::regex_search(found.suffix().str(), bar));  // none if both ends are equal
}

TEST(LineChart, NamesPlacesOnTheAxisInsteadOfNumbers) {
  LineChart chart{"t", "x", "y", {{"a", {0, 1}, {1, 2}}}, false};
  chart.x_names = {{0, "short"}, {1, "long"}};
  const std::string svg = line_chart_svg(chart);
  EXPECT_THAT(svg, HasSubstr(">short</text>"));
  EXPECT_THAT(svg, Not(HasSubstr(">0.5</text>")));
}

TEST(LineChart, TicksOfLogarithmicAxesAreRoundNumbers) {
  const auto ticks = [](double low, double high) {
    const std::string svg = line_chart_svg({"t", "x", "y", {{"a", {0, 1}, {low, high}}}, true});
    const std::regex label("text-anchor=\"end\">([^<]*)<");
    std::vector<std::string> labels;
    for (auto found = std::sregex_iterator(svg.begin(), svg.end(), label); found != std::sregex_iterator();
         ++found)
      labels.push_back((*found)[1]);
    return labels;
  };
  EXPECT_THAT(ticks(0.0009, 200), testing::ElementsAre("0.001", "0.01", "0.1", "1", "10", "100"));
  EXPECT_THAT(ticks(3, 80), testing::ElementsAre("5", "10", "20", "50"));
  EXPECT_THAT(ticks(6.1, 9.4), testing::ElementsAre("7", "8", "9"));
  EXPECT_THAT(ticks(1010, 1960), testing::ElementsAre("1200", "1400", "1600", "1800"));
  EXPECT_THAT(ticks(101, 103), testing::ElementsAre("101", "101.5", "102", "102.5", "103"));
}

TEST(RoundTicks, AreOneTwoOrFiveTimesAPowerOfTen) {
  const auto expect = [](double low, double high, int count, const std::vector<double>& expected) {
    const auto ticks = round_ticks(low, high, count);
    ASSERT_EQ(ticks.size(), expected.size());
    for (size_t i = 0; i < ticks.size(); ++i) EXPECT_NEAR(ticks[i], expected[i], 1e-12);
  };
  expect(0, 10, 5, {0, 2, 4, 6, 8, 10});
  expect(0.1, 0.32, 5, {0.1, 0.15, 0.2, 0.25, 0.3});
  expect(-3, 3, 3, {-2, 0, 2});
  EXPECT_LE(round_ticks(0, 12345, 6).size(), 8U);
}

}  // namespace
}  // namespace seq2seq
