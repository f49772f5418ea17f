#pragma once

#include <string>

#include "seq2seq/decode/explanation.h"
#include "seq2seq/report/heat_map.h"

namespace seq2seq {

/// Attention as a heat map: copied words are marked where they came from, notes give p_gen.
HeatMap attention_map_of(const Explanation& explanation, const std::string& title);
/// The probability that each word of the source had of being copied: (1 - p_gen) times attention.
HeatMap copy_map_of(const Explanation& explanation, const std::string& title);
/// The attention that each word of the source had got before each word of the output.
HeatMap coverage_map_of(const Explanation& explanation, const std::string& title);

/// The heat maps of one output as HTML: that of attention open, those of copying (of a model that copies) and
/// coverage folded.
std::string explanation_html(const Explanation& explanation, const std::string& title);
/// What they show, as text.
std::string explanation_legend();

// A self-contained HTML page of explanations: its beginning, one output, its end.
std::string explanation_page_begin();
std::string explanation_page_section(const Explanation& explanation, const Translation::Output& output,
                                     int64_t line, int64_t rank);

}  // namespace seq2seq
