#include "seq2seq/report/line_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "seq2seq/report/html_page.h"

namespace seq2seq {
namespace {

// Pixels.
constexpr double width = 440, height = 280, left = 54, right_margin = 26, top = 30, bottom = 44,
                 legend_line = 18;
constexpr double widest = 600;  // on wide pages
constexpr double dash_length = 20, legend_character = 6.8;

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
  void include(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  void widen() {
    if (low > high) low = 0, high = 1;
    if (low == high && low == 0) high = 1;  // shares, for example, are not negative
    if (low == high) low -= 0.5, high += 0.5;
  }
  double share(double value) const { return (value - low) / (high - low); }
};

bool drawn(const LineChart& chart, double x, double y) {
  return std::isfinite(x) && std::isfinite(y) && (!chart.logarithmic || y > 0);
}

std::string name_of_place(const LineChart& chart, double x) {
  for (const auto& [place, name] : chart.x_names)
    if (place == x) return name;
  return fmt::format("{:.6g}", x);
}

bool has_bar(const LineChart& chart, const LineChart::Series& series, size_t point) {
  return !series.low.empty() && series.high[point] > series.low[point] &&
         drawn(chart, series.x[point], series.low[point]) &&
         drawn(chart, series.x[point], series.high[point]);
}

// Logarithms of powers of ten, also of 2 and 5 times these if there are few, or of other round numbers.
std::vector<double> logarithmic_ticks(double low, double high) {
  std::vector<double> ticks;
  const double step = std::max(1.0, std::ceil((high - low) / 6));
  const auto powers = static_cast<int64_t>(std::floor((high - std::floor(low)) / step));
  for (int64_t i = 0; i <= powers; ++i)
    for (const double factor : {1.0, 2.0, 5.0})
      if (const double tick = std::floor(low) + static_cast<double>(i) * step + std::log10(factor);
          tick >= low && tick <= high && (factor == 1 || high - low < 2))
        ticks.push_back(tick);
  if (ticks.size() > 1) return ticks;
  ticks = round_ticks(std::pow(10, low), std::pow(10, high), 5);
  for (double& tick : ticks) tick = std::log10(tick);
  return ticks;
}

std::string tick_label(double value) {
  const double size = std::abs(value);
  return size >= 1e6 && size < 1e7 ? fmt::format("{:.0f}", value) : fmt::format("{:.6g}", value);
}

std::string text(double x, double y, const char* anchor, const std::string& content,
                 const std::string& more = "") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>\n", x, y, anchor, more,
                     escape_html(content));
}

}  // namespace

std::string chart_colours_css() {
  static const char* const light[] = {"#0060a8", "#c44900", "#007a5a", "#b0488c",
                                      "#7a6a00", "#2a7fb8", "#6b3fa0", "#444c56"};
  static const char* const dark[] = {"#58a6ff", "#f0883e", "#3fb98f", "#e58bc0",
                                     "#d6c24a", "#7cc7f0", "#b392f0", "#adbac7"};
  std::string style;
  for (const auto& [colours, begin, end] :
       {std::tuple(light, "", ""), std::tuple(dark, "@media (prefers-color-scheme: dark) {\n", "}\n")}) {
    style += begin;
    for (int k = 0; k < 8; ++k)
      style += fmt::format(".l{} {{ stroke: {} }} .c{} {{ fill: {} }}\n", k, colours[k], k, colours[k]);
    style += end;
  }
  return style;
}

std::vector<double> round_ticks(double low, double high, int count) {
  const double rough = (high - low) / count, power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {5.0, 2.0, 1.0})
    if (factor * power >= rough) step = factor * power;
  std::vector<double> ticks;
  for (auto i = static_cast<int64_t>(std::ceil(low / step - 1e-9));
       static_cast<double>(i) * step <= high + 1e-9 * step; ++i)
    ticks.push_back(static_cast<double>(i) * step);
  return ticks;
}

std::string line_chart_svg(const LineChart& chart) {
  const auto scaled = [&](double y) { return chart.logarithmic ? std::log10(y) : y; };
  Range xs, ys;
  for (const auto& series : chart.series)
    for (size_t i = 0; i < series.x.size(); ++i)
      if (drawn(chart, series.x[i], series.y[i])) {
        xs.include(series.x[i]);
        ys.include(scaled(series.y[i]));
        if (has_bar(chart, series, i)) {
          ys.include(scaled(series.low[i]));
          ys.include(scaled(series.high[i]));
        }
      }
  for (const auto& [place, name] : chart.x_names) xs.include(place);
  xs.widen();
  ys.widen();
  const auto place_x = [&](double x) { return left + xs.share(x) * (width - left - right_margin); };
  const auto place_y = [&](double y) { return height - bottom - ys.share(y) * (height - top - bottom); };
  std::string body;
  const std::vector<double> y_ticks =
      chart.logarithmic ? logarithmic_ticks(ys.low, ys.high) : round_ticks(ys.low, ys.high, 6);
  for (const double tick : y_ticks) {
    const double y = place_y(tick);
    body += fmt::format("<line class=\"grid\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>\n",
                        left, width - right_margin, y, y);
    body += text(left - 6, y + 4, "end", tick_label(chart.logarithmic ? std::pow(10, tick) : tick));
  }
  for (const auto& [place, name] : chart.x_names)
    body += text(place_x(place), height - bottom + 17, "middle", name);
  if (chart.x_names.empty())
    for (const double tick : round_ticks(xs.low, xs.high, 6))
      body += text(place_x(tick), height - bottom + 17, "middle", fmt::format("{:.6g}", tick));
  body += text((left + width - right_margin) / 2, height - 8, "middle", chart.x_label);
  body += text(left, top - 12, "start", chart.y_label, " class=\"name\"");
  std::string legend;
  double legend_x = left, legend_y = height + 10;
  for (size_t k = 0; k < chart.series.size(); ++k) {
    const auto& series = chart.series[k];
    std::string points, marks;
    size_t count = 0;
    // A curve ends where a point cannot be drawn; a curve of one point is a dot.
    const auto end_curve = [&] {
      if (count == 1) points += points;
      if (count > 0) body += fmt::format("<polyline class=\"l{}\" points=\"{}\"/>\n", k % 8, points);
      points.clear();
      count = 0;
    };
    for (size_t i = 0; i < series.x.size(); ++i) {
      if (!drawn(chart, series.x[i], series.y[i])) {
        end_curve();
        continue;
      }
      const double x = place_x(series.x[i]), y = place_y(scaled(series.y[i]));
      points += fmt::format("{:.1f},{:.1f} ", x, y);
      ++count;
      if (has_bar(chart, series, i))
        marks +=
            fmt::format("<line class=\"l{} bar\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>\n",
                        k % 8, x, x, place_y(scaled(series.low[i])), place_y(scaled(series.high[i])));
      if (series.points)
        marks += fmt::format(
            "<circle class=\"c{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\"><title>{}: {}, "
            "{:.6g}</title></circle>\n",
            k % 8, x, y, escape_html(series.name), escape_html(name_of_place(chart, series.x[i])),
            series.y[i]);
    }
    end_curve();
    body += marks;
    const double needed = dash_length + 8 + legend_character * static_cast<double>(series.name.size()) + 16;
    if (legend_x > left && legend_x + needed > width) {
      legend_x = left;
      legend_y += legend_line;
    }
    legend += fmt::format("<line class=\"l{}\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>\n",
                          k % 8, legend_x, legend_x + dash_length, legend_y, legend_y);
    legend += text(legend_x + dash_length + 6, legend_y + 4, "start", series.name);
    legend_x += needed;
  }
  const bool named = chart.series.size() > 1;
  const double full = named ? legend_y + legend_line : height;
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" class=\"chart\" viewBox=\"0 0 {:.0f} {:.0f}\" "
      "style=\"width:100%;max-width:{:.0f}px;height:auto\">\n"
      "<title>{}</title>\n<style>\n"
      ".chart text {{ font: 12px system-ui, sans-serif; fill: #24292f }} .chart text.name {{ font-weight: "
      "600 }}\n"
      ".chart polyline, .chart line {{ fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: "
      "round }}\n"
      ".chart line.bar {{ stroke-opacity: 0.6 }} .chart line.grid {{ stroke: #d0d7de; stroke-width: 1 }}\n"
      "@media (prefers-color-scheme: dark) {{ .chart text {{ fill: #d1d7e0 }} .chart line.grid {{ stroke: "
      "#3d444d }} "
      "}}\n{}</style>\n{}{}</svg>\n",
      width, full, widest, escape_html(chart.title), chart_colours_css(), body, named ? legend : "");
}

}  // namespace seq2seq
