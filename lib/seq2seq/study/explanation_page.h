#pragma once

#include <string>

#include "seq2seq/decode/explanation.h"
#include "seq2seq/study/heat_map.h"

namespace seq2seq {

/// Attention as a heat map: copied words are marked where they came from, notes give p_gen.
HeatMap heat_map_of(const Explanation& explanation, const std::string& title);

// A self-contained HTML page of explanations: its beginning, one output, its end.
std::string explanation_page_begin();
std::string explanation_page_section(const Explanation& explanation, const Translation::Output& output,
                                     int64_t line, int64_t rank);
std::string explanation_page_end();

}  // namespace seq2seq
