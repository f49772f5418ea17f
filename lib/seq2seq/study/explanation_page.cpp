#include "seq2seq/study/explanation_page.h"

#include <algorithm>
#include <cstdio>

#include "seq2seq/text/token_escape.h"

namespace seq2seq {
namespace {

/// Without the marks of the word and char tokenizers.
std::string readable(std::string_view token) {
  if (token.starts_with(joiner_mark)) token.remove_prefix(joiner_mark.size());
  if (token.ends_with(joiner_mark)) token.remove_suffix(joiner_mark.size());
  return unescape_token(token);
}

}  // namespace

HeatMap heat_map_of(const Explanation& explanation, const std::string& title) {
  HeatMap map;
  map.title = title;
  for (const auto& token : explanation.source) map.columns.push_back(readable(token));
  const bool copies = std::any_of(explanation.tokens.begin(), explanation.tokens.end(),
                                  [](const auto& token) { return token.generation < 1; });
  for (const auto& token : explanation.tokens) {
    char note[32] = "";
    if (copies) std::snprintf(note, sizeof note, "p_gen %.2f", token.generation);
    HeatMap::Row row{readable(token.text), note, token.attention, {}};
    if (token.copied) row.marked = static_cast<size_t>(token.source_position);
    map.rows.push_back(std::move(row));
  }
  return map;
}

std::string explanation_page_begin() {
  return R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Attention and copying</title>
<style>
:root { color-scheme: light dark }
body { font: 16px system-ui, sans-serif; margin: 1rem auto; max-width: 75rem; padding: 0 1rem }
figure { margin: 0; overflow-x: auto }
h2 { font-size: 1rem; margin-top: 2.5rem }
</style></head><body>
<h1>Attention and copying</h1>
<p>Rows are output tokens, columns source tokens, &lt;/s&gt; the end; the stronger a square, the more the model looked
there. Framed squares and coloured words were copied; p_gen is the share of the vocabulary in that step.</p>
)";
}

std::string explanation_page_section(const Explanation& explanation, const Translation::Output& output,
                                     int64_t line, int64_t rank) {
  const std::string name =
      "Line " + std::to_string(line + 1) + (rank > 0 ? ", output " + std::to_string(rank + 1) : "");
  return "<h2>" + name + ": " + escape_html(output.text) + "</h2>\n<figure>\n" +
         heat_map_svg(heat_map_of(explanation, name + ": " + output.text)) + "</figure>\n";
}

std::string explanation_page_end() {
  return "</body></html>\n";
}

}  // namespace seq2seq
