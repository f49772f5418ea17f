#include "seq2seq/study/run_report.h"

#include <fmt/format.h>

#include <algorithm>

#include <limits>
#include <map>
#include <sstream>

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/json.h"
#include "seq2seq/core/log.h"
#include "seq2seq/study/heat_map.h"
#include "seq2seq/study/line_chart.h"

namespace seq2seq {
namespace fs = std::filesystem;
namespace {

/// Numbers of one kind of log line by update.
struct Log {
  std::vector<double> updates;
  std::map<std::string, std::vector<double>> values;  // not a number where a line lacks it

  void add(const Json& line) {
    for (const auto& [key, value] : line.items())
      if (value.is_number() || value.is_null()) values.try_emplace(key, updates.size(), missing);
    updates.push_back(line.value("update", missing));
    for (auto& [key, list] : values)
      list.push_back(line.contains(key) && line.at(key).is_number() ? line.at(key).get<double>() : missing);
  }
  static constexpr double missing = std::numeric_limits<double>::quiet_NaN();
};

std::string figure(const LineChart& chart) {
  return "<figure>\n" + line_chart_svg(chart) + "<figcaption>" + escape_html(chart.title) +
         "</figcaption>\n</figure>\n";
}

std::string table_of(const Json& line) {
  std::string rows;
  for (const auto& [key, value] : line.items())
    if (value.is_number() && key != "validation_seconds" && key != "seconds")
      rows += fmt::format("<tr><th>{}</th><td>{:.6g}</td></tr>\n", escape_html(key), value.get<double>());
  return "<table>\n" + rows + "</table>\n";
}

}  // namespace

std::string run_report_html(const fs::path& run) {
  const fs::path log_file = run / "train.jsonl", config_file = run / "config.json";
  if (!fs::exists(config_file))
    throw Error(run.string(), "is not a run directory (no config.json)", "give one of seq2seq train");
  if (!fs::exists(log_file))
    throw Error(log_file.string(), "is missing", "give a run that has begun to train");
  Log updates, validations;
  Json best;
  double seconds = 0, tokens = 0;
  std::istringstream lines(read_file(log_file));
  for (std::string text; std::getline(lines, text);) {
    const Json line = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!line.is_object()) continue;  // the last one may be half written
    const std::string type = line.value("type", "");
    if (type == "update") {
      updates.add(line);
      tokens += line.value("target_tokens", 0.0);
    }
    if (type == "validation") {
      validations.add(line);
      if (line.value("best", false)) best = line;
    }
    seconds = std::max(seconds, line.value("seconds", 0.0));
  }
  std::string body;
  const auto series = [](const Log& log, const std::string& key, const std::string& name,
                         bool points = false) {
    const auto found = log.values.find(key);
    return LineChart::Series{
        name, log.updates,
        found == log.values.end() ? std::vector<double>(log.updates.size(), Log::missing) : found->second,
        points};
  };
  body += figure(
      {"Perplexity of the target tokens, in training and on the validation text",
       "updates",
       "perplexity",
       {series(updates, "perplexity", "training"), series(validations, "perplexity", "validation", true)},
       true});
  LineChart scores{"Validation scores", "updates", "score", {}, false};
  for (const auto& [key, values] : validations.values) {
    static const std::string others[] = {"update",     "epoch",   "loss",
                                         "perplexity", "seconds", "validation_seconds"};
    if (std::find(std::begin(others), std::end(others), key) == std::end(others))
      scores.series.push_back(series(validations, key, key, true));
  }
  if (!scores.series.empty()) body += figure(scores);
  body += figure({"Norm of the gradients before clipping, mean between two log lines",
                  "updates",
                  "gradient norm",
                  {series(updates, "gradient_norm", "gradient norm")},
                  true});
  body += figure({"Learning rate",
                  "updates",
                  "learning rate",
                  {series(updates, "learning_rate", "learning rate")},
                  false});
  if (updates.values.contains("coverage_loss"))
    body += figure({"Coverage loss a target token",
                    "updates",
                    "coverage loss",
                    {series(updates, "coverage_loss", "coverage loss")},
                    false});
  body += figure({"Speed of training, validation left out",
                  "updates",
                  "target tokens a second",
                  {series(updates, "target_tokens_per_second", "tokens/s")},
                  false});

  const std::string name = fs::absolute(run).lexically_normal().filename().string();
  std::string html = fmt::format(R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{0}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 1rem auto; max-width: 44rem; padding: 0 1rem }}
figure {{ margin: 2rem 0 }} figcaption {{ font-size: 0.9rem; opacity: 0.8 }}
th {{ text-align: left; font-weight: normal; padding-right: 2rem }} td {{ text-align: right }}
pre {{ overflow-x: auto; font-size: 0.85rem }}
</style></head><body>
<h1>{0}</h1>
<p>{1} updates, {2} target tokens in {3}.</p>
)",
                                 escape_html(name),
                                 updates.updates.empty() ? 0 : static_cast<int64_t>(updates.updates.back()),
                                 format_count(static_cast<int64_t>(tokens)), format_duration(seconds));
  if (!best.is_null()) html += "<h2>Best validation</h2>\n" + table_of(best);
  html += "<h2>Curves</h2>\n" + body;
  html += "<h2>Configuration</h2>\n<details><summary>config.json</summary><pre>" +
          escape_html(read_file(config_file)) + "</pre></details>\n</body></html>\n";
  return html;
}

}  // namespace seq2seq
