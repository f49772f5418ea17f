#pragma once

#include <optional>
#include <string>
#include <vector>

namespace seq2seq {

/// A picture of weights from 0 to 1 (more = 1): one row per output token, one column per source token.
struct HeatMap {
  struct Row {
    std::string label, note;       ///< the note is at the right end
    std::vector<double> values;    ///< one per column
    std::optional<size_t> marked;  ///< the column whose cell is framed; the label is highlighted
  };
  std::string title;  ///< for screen readers
  std::vector<std::string> columns;
  std::vector<Row> rows;
};

/// An <svg> element for use alone or in a page, legible on light and dark backgrounds. Of more than
/// `most_columns` columns, those with the largest weights are drawn; an ellipsis stands for the others.
std::string heat_map_svg(const HeatMap& map, size_t most_columns = 40);

}  // namespace seq2seq
