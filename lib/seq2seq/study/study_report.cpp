#include "seq2seq/study/study_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>

#include "seq2seq/core/log.h"
#include "seq2seq/report/explanation_page.h"
#include "seq2seq/report/gradient_flow_chart.h"
#include "seq2seq/report/html_page.h"
#include "seq2seq/report/line_chart.h"
#include "seq2seq/study/study_metrics.h"

namespace seq2seq {
namespace {

std::string seeds_of(size_t count) {
  return count == 1 ? "1 seed" : fmt::format("{} seeds", count);
}

Scale scale_of(const std::string& metric) {
  return study_metric(metric).metric->scale;
}

double factor_of(const std::string& metric) {
  return scale_of(metric) == Scale::share ? 100 : 1;
}

/// "ROUGE-L, %"
std::string title_with_unit(const std::string& metric) {
  return study_metric(metric).title + (scale_of(metric) == Scale::share ? ", %" : "");
}

/// "27.3" or "27.3 ± 0.4"; shares in percent, ratios with two decimals.
std::string with_deviation(const Spread& spread, const std::string& metric) {
  if (spread.count == 0) return "-";
  const double factor = factor_of(metric);
  const int decimals = scale_of(metric) == Scale::ratio ? 2 : 1;
  std::string text = fmt::format("{:.{}f}", factor * spread.mean, decimals);
  if (spread.count > 1) text += fmt::format(" \u00b1 {:.{}f}", factor * spread.deviation, decimals);
  return text;
}

/// The spread of `value` over the results of the seeds.
template <class Value>
Spread spread_over(const std::vector<Json>& results, const Value& value) {
  std::vector<double> values;
  for (const Json& result : results)
    if (const std::optional<double> one = value(result)) values.push_back(*one);
  return spread_of(values);
}

Spread spread_of_metric(const std::vector<Json>& results, const std::string& metric,
                        const std::string& where) {
  return spread_over(results, [&](const Json& result) { return value_of(result, metric, where); });
}

Spread spread_of_figure(const std::vector<Json>& results, const std::string& key) {
  return spread_over(results,
                     [&](const Json& result) { return std::optional(result.at(key).get<double>()); });
}

/// "21-40" or "over 80": source lengths in words.
std::string group_name(const Json& group) {
  if (group.at("to").is_null()) return fmt::format("over {}", whole_number(group.at("from")) - 1);
  return fmt::format("{}-{}", whole_number(group.at("from")), whole_number(group.at("to")));
}

std::string file_name(const std::string& comparison, const std::string& figure) {
  std::string name;
  for (const char c : comparison + " " + figure)
    if (std::isalnum(static_cast<unsigned char>(c)))
      name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    else if (!name.empty() && name.back() != '-')
      name += '-';
  return name + ".svg";
}

class Writer {
 public:
  Writer(const Study& study, const StudyResults& results) : study_(study), results_(results) {}

  std::string claims() const;
  std::string comparison(const Study::Comparison& comparison);
  std::string table() const;
  std::string examples() const;
  std::map<std::string, std::string> figures;

 private:
  const std::vector<Json>& of(const std::string& run) const { return results_.at(run); }
  std::string by_length(const Study::Comparison& comparison, const std::string& metric,
                        LineChart& chart) const;
  std::string learning(const Study::Comparison& comparison, LineChart& chart) const;
  std::string gradient_flow(const Study::Comparison& comparison, LineChart& chart) const;
  std::string bars(const Study::Comparison& comparison, const std::string& metric) const;
  std::string error_bars() const;

  const Study& study_;
  const StudyResults& results_;
};

std::string Writer::error_bars() const {
  const size_t seeds = results_.begin()->second.size();
  return seeds > 1 ? fmt::format(" Bars: one standard deviation over {} seeds.", seeds) : "";
}

std::string Writer::claims() const {
  static const std::map<std::string, std::string> places = {
      {"all", "on all sources"},
      {"shortest", "on the shortest sources"},
      {"longest", "on the longest sources"},
      {"drop", "lost from the shortest to the longest sources"},
      {"kept", "on the longest sources as a share of that on the shortest"}};
  std::string html = "<ul>\n";
  for (const auto& claim : study_.claims) {
    const Verdict verdict = judge(claim, of(claim.higher), of(claim.lower));
    const auto value = [&](const std::string& run) {
      return study_.run(run).title + " " +
             with_deviation(spread_of_metric(of(run), claim.metric, claim.where), claim.metric);
    };
    html += fmt::format(
        "<li>{} <span class=\"verdict\">{}</span><br><small>{} {}: {}; {}; difference {} over "
        "{}.</small></li>\n",
        escape_html(claim.text), verdict.text, title_with_unit(claim.metric), places.at(claim.where),
        escape_html(value(claim.higher)), escape_html(value(claim.lower)),
        with_deviation(verdict.spread, claim.metric), seeds_of(verdict.differences.size()));
  }
  return html + "</ul>\n";
}

std::string Writer::by_length(const Study::Comparison& comparison, const std::string& metric,
                              LineChart& chart) const {
  chart = {study_metric(metric).title + " by source length",
           "words in the source",
           title_with_unit(metric),
           {},
           false};
  const double factor = factor_of(metric);
  for (const auto& run : comparison.runs) {
    LineChart::Series series{study_.run(run).title, {}, {}, true};
    const Json& groups = of(run).front().at("by-length");
    for (size_t group = 0; group < groups.size(); ++group) {
      const Spread spread =
          spread_over(of(run), [&](const Json& result) { return value_of_group(result, metric, group); });
      if (spread.count == 0) continue;
      series.x.push_back(static_cast<double>(group));
      series.y.push_back(factor * spread.mean);
      series.low.push_back(factor * (spread.mean - spread.deviation));
      series.high.push_back(factor * (spread.mean + spread.deviation));
    }
    if (chart.x_names.empty())
      for (size_t group = 0; group < groups.size(); ++group)
        chart.x_names.emplace_back(static_cast<double>(group), group_name(groups[group]));
    chart.series.push_back(std::move(series));
  }
  return chart.title + ", on the test text." + error_bars();
}

std::string Writer::learning(const Study::Comparison& comparison, LineChart& chart) const {
  chart = {"Perplexity on the validation text while training", "target tokens read", "perplexity", {}, true};
  for (const auto& run : comparison.runs) {
    LineChart::Series series{study_.run(run).title, {}, {}};
    for (const Json& point : of(run).front().at("validation")) {
      series.x.push_back(number_at(point, "target-tokens"));
      series.y.push_back(number_at(point, "perplexity"));
    }
    chart.series.push_back(std::move(series));
  }
  return chart.title + " (first seed).";
}

std::string Writer::gradient_flow(const Study::Comparison& comparison, LineChart& chart) const {
  std::vector<NamedFlow> flows;
  for (const auto& run : comparison.runs) {
    const Json& flow = of(run).front().at("gradient-flow");
    flows.push_back(
        {study_.run(run).title,
         {numbers_at(flow, "norms"), number_at(flow, "target-steps"), number_at(flow, "parameter-norm")}});
  }
  chart = gradient_flow_chart(flows);
  return "Gradient flow in the trained models (first seed): how much of the last word's loss arrives at the "
         "state so many steps back, through the target and then from the end of the source, on long test "
         "texts.";
}

std::string Writer::bars(const Study::Comparison& comparison, const std::string& metric) const {
  std::vector<Bar> all;
  const double factor = factor_of(metric);
  for (const auto& run : comparison.runs) {
    const Spread spread = spread_of_metric(of(run), metric, "all");
    if (spread.count == 0) continue;
    all.push_back({study_.run(run).title, factor * spread.mean, with_deviation(spread, metric),
                   factor * (spread.mean - spread.deviation), factor * (spread.mean + spread.deviation)});
  }
  if (all.empty()) return "";
  return "<figure>\n" + html_bars(all) + "<figcaption>" +
         escape_html(title_with_unit(metric) + "." + error_bars()) + "</figcaption>\n</figure>\n";
}

std::string Writer::comparison(const Study::Comparison& comparison) {
  std::string html = "<h2>" + escape_html(comparison.title) + "</h2>\n";
  if (!comparison.text.empty()) html += "<p>" + escape_html(comparison.text) + "</p>\n";
  for (const std::string& figure : comparison.figures) {
    const std::string kind = figure.substr(0, figure.find(' '));
    const std::string metric = kind == figure ? "" : figure.substr(kind.size() + 1);
    if (kind == "bars") {
      html += bars(comparison, metric);
      continue;
    }
    LineChart chart;
    const std::string caption = kind == "by-length"  ? by_length(comparison, metric, chart)
                                : kind == "learning" ? learning(comparison, chart)
                                                     : gradient_flow(comparison, chart);
    const std::string svg = line_chart_svg(chart);
    figures[file_name(comparison.title, figure)] = svg;
    html += html_figure(svg, caption);
  }
  return html;
}

std::string Writer::table() const {
  std::vector<std::string> metrics{study_.score};
  for (const char* metric : {"exact", "first_word", "repetition", "recovered_words", "length_ratio"})
    if (metric != study_.score) metrics.emplace_back(metric);
  std::vector<std::string> header{"architecture"};
  for (const auto& metric : metrics) header.push_back(title_with_unit(metric));
  for (const char* name :
       {"parameters", "training, tokens/s", "decoding, tokens/s", "memory, MiB", "tokens read"})
    header.emplace_back(name);
  std::vector<std::vector<std::string>> rows;
  for (const auto& run : study_.runs) {
    const auto& results = of(run.name);
    std::vector<std::string> row{run.title};
    for (const auto& metric : metrics)
      row.push_back(with_deviation(spread_of_metric(results, metric, "all"), metric));
    for (const char* key : {"parameters", "training-tokens-per-second", "decoding-tokens-per-second",
                            "peak-memory-mib", "target-tokens"})
      row.push_back(format_count(std::llround(spread_of_figure(results, key).mean)));
    rows.push_back(std::move(row));
  }
  return html_table(header, rows);
}

std::string Writer::examples() const {
  std::string html = "<p>" + escape_html(explanation_legend()) + "</p>\n";
  const size_t count = of(study_.runs.front().name).front().at("examples").size();
  for (size_t k = 0; k < count; ++k) {
    const Json& text = of(study_.runs.front().name).front().at("examples").at(k);
    html += fmt::format("<h3>Line {} of the test text</h3>\n<p>{}</p>\n<p>Right: {}</p>\n",
                        whole_number(text.at("line")), escape_html(text.at("source").get<std::string>()),
                        escape_html(text.at("reference").get<std::string>()));
    for (const auto& run : study_.runs) {
      const Json& example = of(run.name).front().at("examples").at(k);
      html += "<details><summary><b>" + escape_html(run.title) +
              "</b>: " + escape_html(example.at("output").get<std::string>()) + "</summary>\n" +
              example.at("html").get<std::string>() + "</details>\n";
    }
  }
  return html;
}

/// File names without folders, which are meaningless on other machines.
std::string names_of(CorpusFiles files) {
  for (std::string* path : {&files.source, &files.target, &files.combined})
    *path = std::filesystem::path(*path).filename().string();
  return files.describe();
}

/// What was compared, and on which machines and days.
std::vector<std::string> conditions_of(const Study& study, const StudyResults& results) {
  std::vector<std::string> all{fmt::format(
      "Trained on {}, tested on {}; {} architectures, {} each; outputs by beam search with {} hypotheses.",
      names_of(study.runs.front().options.data.train_files()), names_of(study.test), study.runs.size(),
      seeds_of(results.begin()->second.size()), study.beam_size)};
  const auto add = [&](const std::string& one) {
    if (std::find(all.begin(), all.end(), one) == all.end()) all.push_back(one);
  };
  for (const auto& [name, seeds] : results)
    for (const Json& result : seeds) {
      if (result.contains("signatures"))  // older versions have written none
        add("Scores: " + result["signatures"].get<std::string>() + ".");
      add(result.at("conditions").get<std::string>());
    }
  return all;
}

Json json_of(const Study& study, const StudyResults& results, const std::vector<std::string>& conditions) {
  Json json;
  json["title"] = study.title;
  json["conditions"] = conditions;
  json["runs"] = Json::array();
  for (const auto& run : study.runs) {
    Json seeds = Json::array();
    for (Json result : results.at(run.name)) {
      if (result.contains("examples"))
        for (Json& example : result["examples"]) example.erase("html");
      seeds.push_back(std::move(result));
    }
    json["runs"].push_back(
        {{"name", run.name}, {"title", run.title}, {"from", run.from}, {"seeds", std::move(seeds)}});
  }
  json["claims"] = Json::array();
  for (const auto& claim : study.claims) {
    const Verdict verdict = judge(claim, results.at(claim.higher), results.at(claim.lower));
    json["claims"].push_back({{"text", claim.text},
                              {"metric", claim.metric},
                              {"where", claim.where},
                              {"higher", claim.higher},
                              {"lower", claim.lower},
                              {"differences", verdict.differences},
                              {"verdict", verdict.text}});
  }
  return json;
}

}  // namespace

StudyReport study_report(const Study& study, const StudyResults& results) {
  Writer writer(study, results);
  std::string html = html_page_begin(study.title);
  if (!study.description.empty()) html += "<p>" + escape_html(study.description) + "</p>\n";
  if (!study.claims.empty()) html += "<h2>What it shows</h2>\n" + writer.claims();
  for (const auto& comparison : study.comparisons) html += writer.comparison(comparison);
  html += "<h2>All architectures</h2>\n" + writer.table();
  if (study.examples > 0) html += "<h2>Examples</h2>\n" + writer.examples();
  html += "<h2>How it was made</h2>\n";
  const auto conditions = conditions_of(study, results);
  for (const auto& condition : conditions) html += "<p>" + escape_html(condition) + "</p>\n";
  html += html_page_end();
  return {std::move(html), json_of(study, results, conditions), std::move(writer.figures)};
}

}  // namespace seq2seq
