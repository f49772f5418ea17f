#include "seq2seq/report/run_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/json.h"
#include "seq2seq/core/log.h"
#include "seq2seq/decode/explanation.h"
#include "seq2seq/model/device.h"
#include "seq2seq/report/event_file.h"
#include "seq2seq/report/explanation_page.h"
#include "seq2seq/report/gradient_flow_chart.h"
#include "seq2seq/report/html_page.h"
#include "seq2seq/report/line_chart.h"
#include "seq2seq/study/run_log.h"
#include "seq2seq/train/run_directory.h"

namespace seq2seq {
namespace fs = std::filesystem;
namespace {

constexpr const char *event_file_prefix = "events.out.tfevents.", *event_file_suffix = ".seq2seq";

/// Numbers of one kind of log line by update.
struct Log {
  std::vector<double> updates;
  std::map<std::string, std::vector<double>> values;  // not a number where a line lacks it

  void add(const Json& line) {
    for (const auto& [key, value] : line.items())
      if (value.is_number() || value.is_null()) values.try_emplace(key, updates.size(), missing);
    updates.push_back(number_at(line, "update"));
    for (auto& [key, list] : values) list.push_back(number_at(line, key));
  }
  static constexpr double missing = std::numeric_limits<double>::quiet_NaN();
};

std::string figure(const LineChart& chart) {
  return html_figure(line_chart_svg(chart), chart.title);
}

std::string table_of(const Json& line) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [key, value] : line.items())
    if (value.is_number() && key != "validation_seconds" && key != "seconds")
      rows.push_back({key, fmt::format("{:.6g}", value.get<double>())});
  return html_table({}, rows);
}

LineChart::Series series_of(const Log& log, const std::string& key, const std::string& name,
                            bool points = false) {
  const auto found = log.values.find(key);
  return {name, log.updates,
          found == log.values.end() ? std::vector<double>(log.updates.size(), Log::missing) : found->second,
          points};
}

/// Some lines of gradient flow, the first and the last among them.
std::string flow_figure(const std::vector<Json>& lines) {
  constexpr size_t most = 6;
  std::vector<NamedFlow> flows;
  const size_t drawn = std::min(lines.size(), most);
  for (size_t i = 0; i < drawn; ++i) {
    const Json& line = lines[drawn == 1 ? 0 : i * (lines.size() - 1) / (drawn - 1)];
    flows.push_back(
        {fmt::format("update {:.0f}", number_at(line, "update")),
         {numbers_at(line, "norms"), number_at(line, "target_steps"), number_at(line, "parameter_norm")}});
  }
  LineChart chart = gradient_flow_chart(flows);
  chart.title = "Gradient flow: how much of the last word's loss arrives how far back, on validation text";
  return figure(chart);
}

std::string charts_of(const std::vector<Json>& lines) {
  Log updates, validations;
  std::vector<Json> flows;
  for (const Json& line : lines) {
    const std::string type = line.value("type", "");
    if (type == "update") updates.add(line);
    if (type == "validation") validations.add(line);
    if (type == "gradient_flow") flows.push_back(line);
  }
  std::string body = figure({"Perplexity of the target tokens, in training and on the validation text",
                             "updates",
                             "perplexity",
                             {series_of(updates, "perplexity", "training"),
                              series_of(validations, "perplexity", "validation", true)},
                             true});
  LineChart scores{"Validation scores", "updates", "score", {}, false};
  for (const auto& [key, values] : validations.values) {
    static const std::string others[] = {"update",          "epoch",        "loss",
                                         "perplexity",      "seconds",      "validation_seconds",
                                         "peak_memory_mib", "target_tokens"};
    if (std::find(std::begin(others), std::end(others), key) == std::end(others))
      scores.series.push_back(series_of(validations, key, key, true));
  }
  if (!scores.series.empty()) body += figure(scores);
  const auto one = [&](const char* key, const char* y_label, const char* title, bool logarithmic) {
    return figure({title, "updates", y_label, {series_of(updates, key, y_label)}, logarithmic});
  };
  body += one("gradient_norm", "gradient norm",
              "Norm of the gradients before clipping, mean between two log lines", true);
  if (!flows.empty()) body += flow_figure(flows);
  body += one("learning_rate", "learning rate", "Learning rate", false);
  if (updates.values.contains("coverage_loss"))
    body += one("coverage_loss", "coverage loss", "Coverage loss a target token", false);
  return body + one("target_tokens_per_second", "target tokens a second",
                    "Speed of training, validation left out", false);
}

/// Sources spread over the whole of a file.
std::vector<SourceLine> example_lines(const CorpusFiles& files, int64_t wanted) {
  const std::string& path = files.combined.empty() ? files.source : files.combined;
  std::vector<SourceLine> all, chosen;
  SourceLines lines(path);
  for (auto window = lines.read_window(1024); !window.empty(); window = lines.read_window(1024))
    for (SourceLine& line : window)
      if (line.problem.empty() && !line.text.empty()) all.push_back(std::move(line));
  if (all.empty()) throw Error(path, "has no line to translate", "name a file with text");
  const auto count = std::min(static_cast<size_t>(wanted), all.size());
  for (size_t i = 0; i < count; ++i) chosen.push_back(std::move(all[i * all.size() / count]));
  return chosen;
}

std::string examples_of(const fs::path& run, const RunReportOptions& options) {
  CorpusFiles files{options.input, "", ""};
  if (options.input.empty()) files = RunDirectory::options_of(run).data.valid_files();
  if (files.empty()) return "<p>The run has no validation files; --input names text for examples.</p>\n";
  const TranslationModel model = load_model(run, open_device(options.device));
  Translator translator = make_translator(model, TranslatorOptions{}, 1);
  const auto lines = example_lines(files, options.examples);
  const auto translations = translator.translate(lines);
  std::string html;
  if (model.model->has_attention()) html += "<p>" + escape_html(explanation_legend()) + "</p>\n";
  for (size_t i = 0; i < lines.size(); ++i) {
    const Translation& translation = translations[i];
    html += "<h3>" + escape_html(translation.outputs[0].text) + "</h3>\n<p>" + escape_html(lines[i].text) +
            "</p>\n";
    if (model.model->has_attention() && !translation.source.ids.empty())
      html += explanation_html(explain(model, translation.source, translation.outputs[0]), lines[i].place);
  }
  return html;
}

}  // namespace

std::string run_report_html(const fs::path& run, const RunReportOptions& options) {
  const std::vector<Json> lines = read_run_log(run);
  Json best;
  double seconds = 0, tokens = 0;
  int64_t updates = 0;
  for (const Json& line : lines) {
    if (line.value("type", "") == "update") tokens += number_at(line, "target_tokens");
    if (const double update = number_at(line, "update"); update > 0)
      updates = std::max(updates, static_cast<int64_t>(update));
    if (line.value("best", false)) best = line;
    seconds = std::fmax(seconds, number_at(line, "seconds"));
  }
  const fs::path whole =
      fs::absolute(run / "").lexically_normal().parent_path();  // with or without a / at its end
  std::string html = html_page_begin(whole.filename().string());
  html += fmt::format("<p>{} updates, {} target tokens in {}.</p>\n", format_count(updates),
                      format_count(static_cast<int64_t>(tokens)), format_duration(seconds));
  if (!best.is_null()) html += "<h2>Best validation</h2>\n" + table_of(best);
  html += "<h2>Curves</h2>\n" + charts_of(lines);
  if (options.examples > 0) {
    html += "<h2>Examples</h2>\n";
    try {
      html += examples_of(run, options);
    } catch (const Error& error) {
      if (!options.input.empty()) throw;
      log_warning(std::string("no examples: ") + error.what());
      html += "<p>" + escape_html(error.what()) + "</p>\n";
    }
  }
  html += "<h2>Configuration</h2>\n<details><summary>config.json</summary><pre>" +
          escape_html(read_file(run / "config.json")) + "</pre></details>\n";
  return html + html_page_end();
}

fs::path write_tensorboard(const fs::path& run, const fs::path& folder) {
  const std::vector<Json> lines = read_run_log(run);
  // When the run began: its configuration was written then, and lines have seconds since.
  std::error_code failure;
  const auto written = fs::last_write_time(run / "config.json", failure);
  fs::create_directories(folder, failure);
  if (failure)
    throw Error(folder.string(), "cannot be created (" + failure.message() + ")",
                "check the folder's permissions");
  const auto begin =
      std::chrono::duration<double>(std::chrono::file_clock::to_sys(written).time_since_epoch()).count();
  std::string bytes = event_file_begin(begin);
  for (const Json& line : lines) {
    const std::string type = line.value("type", "");
    const char* group = type == "update"       ? "training/"
                        : type == "validation" ? "validation/"
                                               : "gradient flow/";
    std::vector<std::pair<std::string, double>> values;
    for (const auto& [key, value] : line.items())
      if (value.is_number() && key != "update" && key != "seconds")
        values.emplace_back(group + key, value.get<double>());
    const auto norms = numbers_at(line, "norms");
    for (const size_t distance : {0, 1, 2, 5, 10, 20, 50, 100})
      if (distance < norms.size())
        values.emplace_back(fmt::format("{}distance {}", group, distance), norms[distance]);
    if (!values.empty())
      bytes += event_of_scalars(begin + std::fmax(0, number_at(line, "seconds")),
                                static_cast<int64_t>(std::fmax(0, number_at(line, "update"))), values);
  }
  const fs::path file =
      folder / fmt::format("{}{}{}", event_file_prefix, static_cast<int64_t>(begin), event_file_suffix);
  write_file(file, bytes);
  // TensorBoard would draw what earlier calls left there as well.
  std::vector<fs::path> earlier;
  for (const auto& entry : fs::directory_iterator(folder, failure)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(event_file_prefix) && name.ends_with(event_file_suffix) && entry.path() != file)
      earlier.push_back(entry.path());
  }
  for (const auto& path : earlier) fs::remove(path, failure);
  return file;
}

}  // namespace seq2seq
