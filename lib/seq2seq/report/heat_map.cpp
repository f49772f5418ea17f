#include "seq2seq/report/heat_map.h"

#include <algorithm>
#include <cstdio>
#include <numeric>

#include "seq2seq/report/html_page.h"

namespace seq2seq {
namespace {

// Pixels.
constexpr double cell = 22, gap = 12, character = 7.3, note_width = 76, margin = 6;
constexpr size_t longest_label = 22;  // characters
constexpr double least_visible = 0.005;

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}

size_t characters(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & '\xC0') != '\x80'; }));
}

std::string shortened(const std::string& text) {
  if (characters(text) <= longest_label) return text;
  size_t end = 0;
  for (size_t seen = 0; end < text.size(); ++end)
    if ((text[end] & '\xC0') != '\x80' && seen++ == longest_label - 1) break;
  return text.substr(0, end) + "\u2026";
}

double width_of(const std::string& label) {
  return static_cast<double>(characters(shortened(label))) * character;
}

/// The indices of the columns to draw, in order.
std::vector<size_t> drawn_columns(const HeatMap& map, size_t most) {
  std::vector<size_t> order(map.columns.size());
  std::iota(order.begin(), order.end(), 0);
  if (order.size() <= most) return order;
  std::vector<double> largest(order.size(), 0.0);
  for (const auto& row : map.rows) {
    for (size_t i = 0; i < order.size(); ++i) largest[i] = std::max(largest[i], row.values.at(i));
    if (row.marked) largest.at(*row.marked) = 2;  // before all others
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return largest[a] > largest[b]; });
  order.resize(most);
  std::sort(order.begin(), order.end());
  return order;
}

std::string text_element(const std::string& attributes, const std::string& text) {
  return "<text " + attributes + ">" + escape_html(shortened(text)) + "</text>\n";
}

}  // namespace

std::string heat_map_svg(const HeatMap& map, size_t most_columns) {
  const std::vector<size_t> columns = drawn_columns(map, most_columns);
  double left = 0, top = 0;
  for (const auto& row : map.rows) left = std::max(left, width_of(row.label));
  for (const size_t column : columns) top = std::max(top, width_of(map.columns[column]));
  left += 2 * margin;
  const double slant = top * 0.5;  // labels rise at 60 degrees
  top = top * 0.87 + 3 * margin;
  std::vector<double> places;
  std::string body;
  double x = left;
  const auto ellipsis = [&](size_t from, size_t to) {
    if (from == to) return;
    body += text_element(
        "x=\"" + number(x + gap / 2) + "\" y=\"" + number(top - margin) + "\" text-anchor=\"middle\"",
        "\u2026");
    x += gap;
  };
  for (size_t i = 0; i < columns.size(); ++i) {
    ellipsis(i == 0 ? 0 : columns[i - 1] + 1, columns[i]);
    places.push_back(x);
    const std::string at = number(x + cell / 2 + 4) + " " + number(top - margin);
    body += text_element("transform=\"translate(" + at + ") rotate(-60)\"", map.columns[columns[i]]);
    x += cell;
  }
  if (!columns.empty()) ellipsis(columns.back() + 1, map.columns.size());
  const double right = x;
  double y = top;
  for (const auto& row : map.rows) {
    body += text_element("x=\"" + number(left - margin) + "\" y=\"" + number(y + cell * 0.68) +
                             "\" text-anchor=\"end\"" + (row.marked ? " class=\"marked\"" : ""),
                         row.label);
    for (size_t i = 0; i < columns.size(); ++i) {
      const double value = row.values.at(columns[i]);
      const bool marked = row.marked == columns[i];
      if (value < least_visible && !marked) continue;
      body += "<rect x=\"" + number(places[i] + 1) + "\" y=\"" + number(y + 1) + "\" width=\"" +
              number(cell - 2) + "\" height=\"" + number(cell - 2) + "\" fill-opacity=\"" +
              number(std::min(value, 1.0)) + "\"" + (marked ? " class=\"marked\"" : "") + "><title>" +
              escape_html(row.label) + " \u2190 " + escape_html(map.columns[columns[i]]) + ": " +
              number(value) + "</title></rect>\n";
    }
    body +=
        text_element("x=\"" + number(right + margin) + "\" y=\"" + number(y + cell * 0.68) + "\"", row.note);
    y += cell;
  }
  const std::string width = number(right + std::max(note_width, slant) + margin), height = number(y + margin);
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" class=\"heat-map\" width=\"" + width +
         "\" height=\"" + height + "\" viewBox=\"0 0 " + width + " " + height + "\">\n<title>" +
         escape_html(map.title) +
         "</title>\n<style>\n"
         ".heat-map text { font: 12px ui-monospace, Menlo, Consolas, monospace; fill: #24292f }\n"
         ".heat-map rect { fill: #0969da } .heat-map rect.marked { stroke: #bc4c00; stroke-width: 2 }\n"
         ".heat-map text.marked { fill: #bc4c00; font-weight: bold }\n"
         "@media (prefers-color-scheme: dark) {\n"
         ".heat-map text { fill: #d1d7e0 } .heat-map rect { fill: #4493f8 }\n"
         ".heat-map rect.marked { stroke: #f0883e } .heat-map text.marked { fill: #f0883e } }\n</style>\n" +
         body + "</svg>\n";
}

}  // namespace seq2seq
