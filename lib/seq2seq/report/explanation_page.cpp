#include "seq2seq/report/explanation_page.h"

#include <fmt/format.h>

#include <algorithm>

#include "seq2seq/report/html_page.h"
#include "seq2seq/text/token_escape.h"

namespace seq2seq {
namespace {

/// Without the joiner marks and escapes of the word and char tokenizers.
std::string readable(std::string_view token) {
  if (token.starts_with(joiner_mark)) token.remove_prefix(joiner_mark.size());
  if (token.ends_with(joiner_mark)) token.remove_suffix(joiner_mark.size());
  return unescape_token(token);
}

bool copies(const Explanation& explanation) {
  return std::any_of(explanation.tokens.begin(), explanation.tokens.end(),
                     [](const auto& token) { return token.generation < 1; });
}

// The map with rows and columns; `values_of` returns the values of a token's row.
template <class ValuesOf>
HeatMap map_of(const Explanation& explanation, const std::string& title, const ValuesOf& values_of) {
  HeatMap map;
  map.title = title;
  for (const auto& token : explanation.source) map.columns.push_back(readable(token));
  for (const auto& token : explanation.tokens)
    map.rows.push_back({readable(token.text), "", values_of(token), {}});
  return map;
}

std::string folded(const std::string& name, const HeatMap& map) {
  return "<details><summary>" + escape_html(name) + "</summary>\n<figure>\n" + heat_map_svg(map) +
         "</figure></details>\n";
}

}  // namespace

HeatMap attention_map_of(const Explanation& explanation, const std::string& title) {
  HeatMap map = map_of(explanation, title, [](const auto& token) { return token.attention; });
  const bool gated = copies(explanation);
  for (size_t i = 0; i < map.rows.size(); ++i) {
    const auto& token = explanation.tokens[i];
    if (gated) map.rows[i].note = fmt::format("p_gen {:.2f}", token.generation);
    if (token.copied) map.rows[i].marked = static_cast<size_t>(token.source_position);
  }
  return map;
}

HeatMap copy_map_of(const Explanation& explanation, const std::string& title) {
  return map_of(explanation, title, [](const auto& token) {
    std::vector<double> shares = token.attention;
    for (double& share : shares) share *= 1 - token.generation;
    return shares;
  });
}

HeatMap coverage_map_of(const Explanation& explanation, const std::string& title) {
  return map_of(explanation, title, [](const auto& token) { return token.coverage; });
}

std::string explanation_html(const Explanation& explanation, const std::string& title) {
  std::string html = "<figure>\n" + heat_map_svg(attention_map_of(explanation, title)) + "</figure>\n";
  if (copies(explanation)) html += folded("Copying", copy_map_of(explanation, title + ": copying"));
  return html + folded("Coverage", coverage_map_of(explanation, title + ": coverage"));
}

std::string explanation_legend() {
  return "Rows are output tokens, columns source tokens, </s> the end; the stronger a square, the more the "
         "model "
         "looked there. Framed squares and coloured words were copied; p_gen is the share of the vocabulary "
         "in "
         "that step. Copying: the probability of taking the source's word. Coverage: the attention that a "
         "word of "
         "the source had got before.";
}

std::string explanation_page_begin() {
  return html_page_begin("Attention and copying") + "<p>" + escape_html(explanation_legend()) + "</p>\n";
}

std::string explanation_page_section(const Explanation& explanation, const Translation::Output& output,
                                     int64_t line, int64_t rank) {
  const std::string name =
      "Line " + std::to_string(line + 1) + (rank > 0 ? ", output " + std::to_string(rank + 1) : "");
  const std::string title = name + ": " + output.text;
  return "<h3>" + escape_html(title) + "</h3>\n" + explanation_html(explanation, title);
}

}  // namespace seq2seq
