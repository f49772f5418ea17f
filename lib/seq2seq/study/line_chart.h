#pragma once

#include <string>
#include <vector>

namespace seq2seq {

/// Curves over one x axis as a picture.
struct LineChart {
  struct Series {
    std::string name;
    std::vector<double> x, y;  ///< equally many; what is not finite is left out
    bool points = false;       ///< mark each point (for few)
  };
  std::string title, x_label, y_label;
  std::vector<Series> series;
  bool logarithmic = false;  ///< y, which is then positive; others are left out
};

/// An <svg> element that stands alone or inside a page, is legible on light and dark ground, and shrinks to
/// the width of its page. At most eight series have colours of their own.
std::string line_chart_svg(const LineChart& chart);

/// About `count` round numbers from `low` to `high`: 1, 2 or 5 times a power of ten apart.
std::vector<double> round_ticks(double low, double high, int count);

}  // namespace seq2seq
