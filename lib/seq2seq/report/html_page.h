#pragma once

#include <optional>
#include <string>
#include <vector>

namespace seq2seq {

/// Text for use between tags and in attributes.
std::string escape_html(const std::string& text);

// Parts of self-contained HTML pages that need no scripts and are legible on light and dark ground and on
// narrow screens. `title`, `caption` and names are text; bodies are HTML.
std::string html_page_begin(const std::string& title);
std::string html_page_end();
std::string html_figure(const std::string& svg, const std::string& caption);

/// Rows of cells as HTML; the first cell of each row is its name. Wide tables scroll.
std::string html_table(const std::vector<std::string>& header,
                       const std::vector<std::vector<std::string>>& rows);

struct Bar {
  std::string name;
  double value = 0;                 ///< at least 0
  std::string label;                ///< the value as text
  std::optional<double> low, high;  ///< of an error bar
};
/// Bars from 0 to the largest value.
std::string html_bars(const std::vector<Bar>& bars);

}  // namespace seq2seq
