#include "seq2seq/report/html_page.h"

#include <fmt/format.h>

#include <algorithm>

namespace seq2seq {

std::string escape_html(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '&')
      escaped += "&amp;";
    else if (c == '<')
      escaped += "&lt;";
    else if (c == '>')
      escaped += "&gt;";
    else if (c == '"')
      escaped += "&quot;";
    else
      escaped += c;
  }
  return escaped;
}

std::string html_page_begin(const std::string& title) {
  return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
         escape_html(title) + R"(</title>
<style>
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; margin: 1rem auto; max-width: 48rem; padding: 0 1rem }
h2 { margin-top: 2.5rem } h3 { font-size: 1rem; margin-top: 2rem }
figure { margin: 1.5rem 0; overflow-x: auto } figcaption { font-size: 0.9rem; opacity: 0.85 }
.scroll { overflow-x: auto } table { border-collapse: collapse; font-size: 0.9rem }
th { text-align: left; font-weight: normal; padding: 0.15rem 1.2rem 0.15rem 0 }
thead th { vertical-align: bottom; font-weight: 600 } td { text-align: right; padding: 0.15rem 0.5rem; white-space: nowrap }
tbody tr { border-top: 1px solid #8884 }
pre { overflow-x: auto; font-size: 0.85rem }
.bars { display: grid; grid-template-columns: minmax(5rem, 40%) minmax(4rem, 1fr) max-content; gap: 0.3rem 0.6rem; align-items: center; font-size: 0.9rem }
.bars .line { position: relative; height: 1rem } .bars .line div { position: absolute }
.bars .value { left: 0; top: 0; bottom: 0; background: #0060a8 }
.bars .error { top: 0.4rem; height: 0.2rem; background: #8888 }
@media (prefers-color-scheme: dark) { .bars .value { background: #58a6ff } }
.verdict { font-weight: 600 }
</style></head><body>
<h1>)" + escape_html(title) +
         "</h1>\n";
}

std::string html_page_end() {
  return "</body></html>\n";
}

std::string html_figure(const std::string& svg, const std::string& caption) {
  return "<figure>\n" + svg + "<figcaption>" + escape_html(caption) + "</figcaption>\n</figure>\n";
}

std::string html_table(const std::vector<std::string>& header,
                       const std::vector<std::vector<std::string>>& rows) {
  std::string html = "<div class=\"scroll\"><table>\n";
  if (!header.empty()) {
    html += "<thead><tr>";
    for (const auto& name : header) html += "<th>" + escape_html(name) + "</th>";
    html += "</tr></thead>\n";
  }
  html += "<tbody>\n";
  for (const auto& row : rows) {
    html += "<tr>";
    for (size_t i = 0; i < row.size(); ++i) {
      const char* cell = i == 0 ? "th" : "td";
      html += fmt::format("<{}>{}</{}>", cell, escape_html(row[i]), cell);
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string html_bars(const std::vector<Bar>& bars) {
  double full = 0;
  for (const Bar& bar : bars) full = std::max({full, bar.value, bar.high.value_or(0)});
  const auto share = [&](double value) { return full > 0 ? 100 * std::max(0.0, value) / full : 0.0; };
  std::string html = "<div class=\"bars\">\n";
  for (const Bar& bar : bars) {
    std::string error;
    if (bar.low && bar.high && *bar.high > *bar.low)
      error = fmt::format("<div class=\"error\" style=\"left:{:.1f}%;width:{:.1f}%\"></div>", share(*bar.low),
                          share(*bar.high) - share(*bar.low));
    html += fmt::format(
        "<div>{}</div><div class=\"line\"><div class=\"value\" "
        "style=\"width:{:.1f}%\"></div>{}</div><div>{}</div>\n",
        escape_html(bar.name), share(bar.value), error, escape_html(bar.label));
  }
  return html + "</div>\n";
}

}  // namespace seq2seq
