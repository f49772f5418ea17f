#pragma once

#include <string>
#include <utility>
#include <vector>

namespace seq2seq {

/// A picture of curves over a common x axis.
struct LineChart {
  struct Series {
    std::string name;
    std::vector<double> x, y;                 ///< of equal size; curves break where one is not finite
    bool points = false;                      ///< marks each point
    std::vector<double> low = {}, high = {};  ///< ends of error bars, one per point; empty = none
  };
  std::string title, x_label, y_label;
  std::vector<Series> series;
  bool logarithmic = false;  ///< scale of y; values that are not positive are left out
  std::vector<std::pair<double, std::string>> x_names = {};  ///< labels of the x axis instead of numbers
};

/// An <svg> element for use alone or in a page, legible on light and dark backgrounds; it shrinks to the
/// width of its page. At most eight series have colours of their own.
std::string line_chart_svg(const LineChart& chart);

/// CSS for the classes l0 to l7 (strokes) and c0 to c7 (fills): colours that can be distinguished with colour
/// blindness (after Okabe and Ito 2008), for light and dark backgrounds.
std::string chart_colours_css();

/// About `count` round numbers from `low` to `high`: 1, 2 or 5 times a power of ten apart.
std::vector<double> round_ticks(double low, double high, int count);

}  // namespace seq2seq
