#pragma once

#include <string>
#include <utility>
#include <vector>

namespace seq2seq {

/// Curves over one x axis as a picture.
struct LineChart {
  struct Series {
    std::string name;
    std::vector<double> x, y;                 ///< equally many; curves break where one is not finite
    bool points = false;                      ///< mark each point (for few)
    std::vector<double> low = {}, high = {};  ///< ends of error bars, as many as points; empty = none
  };
  std::string title, x_label, y_label;
  std::vector<Series> series;
  bool logarithmic = false;  ///< y, which is then positive; others are left out
  std::vector<std::pair<double, std::string>> x_names = {};  ///< in place of numbers below the x axis
};

/// An <svg> element that stands alone or inside a page, is legible on light and dark ground, and shrinks to
/// the width of its page. At most eight series have colours of their own.
std::string line_chart_svg(const LineChart& chart);

/// "#0060a8" and so on: CSS that gives the classes l0 to l7 (strokes) and c0 to c7 (fills) colours that
/// people with colour blindness tell apart (after Okabe and Ito 2008), on light and dark ground.
std::string chart_colours_css();

/// About `count` round numbers from `low` to `high`: 1, 2 or 5 times a power of ten apart.
std::vector<double> round_ticks(double low, double high, int count);

}  // namespace seq2seq
