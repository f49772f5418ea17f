#pragma once

#include <optional>
#include <string>
#include <vector>

namespace seq2seq {

/// Escapes text for use between tags and in attributes.
std::string escape_html(const std::string& text);

// Parts of self-contained HTML pages without scripts, legible on light and dark backgrounds and on narrow
// screens. `title` and `caption` are plain text.
std::string html_page_begin(const std::string& title);
std::string html_page_end();
std::string html_figure(const std::string& svg, const std::string& caption);

/// A table of plain texts; the first cell of each row is its name. Wide tables scroll.
std::string html_table(const std::vector<std::string>& header,
                       const std::vector<std::vector<std::string>>& rows);

struct Bar {
  std::string name;
  double value = 0;                 ///< at least 0
  std::string label;                ///< the value as text
  std::optional<double> low, high;  ///< ends of an error bar
};
/// A bar chart with a scale from 0 to the largest value.
std::string html_bars(const std::vector<Bar>& bars);

}  // namespace seq2seq
