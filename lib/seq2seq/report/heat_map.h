#pragma once

#include <optional>
#include <string>
#include <vector>

namespace seq2seq {

/// Weights from 0 as a picture, 1 and more at full strength: a row an output token, a column a source token.
struct HeatMap {
  struct Row {
    std::string label, note;       ///< the note stands at the right end
    std::vector<double> values;    ///< one a column
    std::optional<size_t> marked;  ///< this cell is framed and the label stands out
  };
  std::string title;  ///< read by screen readers
  std::vector<std::string> columns;
  std::vector<Row> rows;
};

/// An <svg> element that stands alone or inside a page and is legible on light and dark ground. Of more than
/// `most_columns` columns those with the largest weights are drawn, and an ellipsis stands for the others.
std::string heat_map_svg(const HeatMap& map, size_t most_columns = 40);

}  // namespace seq2seq
