#pragma once

#include <string>

#include "seq2seq/decode/explanation.h"
#include "seq2seq/report/heat_map.h"

namespace seq2seq {

/// Attention as a heat map: copied tokens are marked at their source positions, notes show p_gen.
HeatMap attention_map_of(const Explanation& explanation, const std::string& title);
/// The probability of copying each source token: (1 - p_gen) times attention.
HeatMap copy_map_of(const Explanation& explanation, const std::string& title);
/// The attention on each source token, summed over the output tokens before.
HeatMap coverage_map_of(const Explanation& explanation, const std::string& title);

/// The heat maps of one output as HTML: attention open, copying (if the model copies) and coverage folded.
std::string explanation_html(const Explanation& explanation, const std::string& title);
/// The text that explains these heat maps.
std::string explanation_legend();

// A self-contained HTML page of explanations: its beginning and the section of one output, whose `line` and
// `rank` count from 0. It ends with html_page_end().
std::string explanation_page_begin();
std::string explanation_page_section(const Explanation& explanation, const Translation::Output& output,
                                     int64_t line, int64_t rank);

}  // namespace seq2seq
