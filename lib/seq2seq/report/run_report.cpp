#include "seq2seq/report/run_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/log.h"
#include "seq2seq/decode/explanation.h"
#include "seq2seq/decode/models.h"
#include "seq2seq/decode/translator.h"
#include "seq2seq/metrics/metrics.h"
#include "seq2seq/model/device.h"
#include "seq2seq/report/event_file.h"
#include "seq2seq/report/explanation_page.h"
#include "seq2seq/report/gradient_flow_chart.h"
#include "seq2seq/report/html_page.h"
#include "seq2seq/report/line_chart.h"
#include "seq2seq/train/run_directory.h"
#include "seq2seq/train/run_log.h"

namespace seq2seq {
namespace fs = std::filesystem;
namespace {

constexpr const char *event_file_prefix = "events.out.tfevents.", *event_file_suffix = ".seq2seq";

std::string figure(const LineChart& chart) {
  return html_figure(line_chart_svg(chart), chart.title);
}

std::string table_of(const ValidationLine& line) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [key, value] : logged_numbers(line))
    if (key != "validation_seconds" && key != "seconds") rows.push_back({key, fmt::format("{:.6g}", value)});
  return html_table({}, rows);
}

/// A curve over updates; `value` returns that of a line.
template <class Line, class Value>
LineChart::Series series_of(const std::string& name, const std::vector<Line>& lines, Value value) {
  LineChart::Series series{name, {}, {}};
  for (const Line& line : lines) {
    series.x.push_back(static_cast<double>(line.update));
    series.y.push_back(std::invoke(value, line));
  }
  return series;
}

LineChart::Series score_series(const std::string& name, const std::vector<ValidationLine>& lines,
                               const std::string& metric) {
  LineChart::Series series =
      series_of(name, lines, [&](const ValidationLine& line) { return line.score(metric); });
  series.points = true;
  return series;
}

/// Some lines of gradient flow, including the first and the last.
std::string flow_figure(const std::vector<GradientFlowLine>& lines) {
  constexpr size_t most = 6;
  std::vector<NamedFlow> flows;
  const size_t drawn = std::min(lines.size(), most);
  for (size_t i = 0; i < drawn; ++i) {
    const GradientFlowLine& line = lines[drawn == 1 ? 0 : i * (lines.size() - 1) / (drawn - 1)];
    flows.push_back({fmt::format("update {}", line.update), line.flow});
  }
  LineChart chart = gradient_flow_chart(flows);
  chart.title = "Gradient flow: how much of the last word's loss arrives how far back, on validation text";
  return figure(chart);
}

/// The validation scores of one scale; empty if there are none.
std::string scores_figure(const std::vector<ValidationLine>& validations, Scale scale, const char* range) {
  LineChart chart{"Validation scores: ", "updates", range, {}, false};
  for (const Metric& metric : metrics()) {
    const auto measured = [&](const ValidationLine& line) { return line.scores.contains(metric.name); };
    if (metric.scale != scale || std::none_of(validations.begin(), validations.end(), measured)) continue;
    chart.title += (chart.series.empty() ? "" : ", ") + std::string(metric.title);
    chart.series.push_back(score_series(metric.title, validations, metric.name));
  }
  if (chart.series.empty()) return "";
  if (chart.series.size() == 1) chart.y_label = chart.series.front().name;  // one series has no legend
  return figure(chart);
}

std::string charts_of(const std::vector<RunLogLine>& lines) {
  const auto updates = lines_of<UpdateLine>(lines);
  const auto validations = lines_of<ValidationLine>(lines);
  const auto flows = lines_of<GradientFlowLine>(lines);
  std::string body = figure({"Perplexity of the target tokens, in training and on the validation text",
                             "updates",
                             "perplexity",
                             {series_of("training", updates, &UpdateLine::perplexity),
                              score_series("validation", validations, "perplexity")},
                             true});
  for (const auto& [scale, range] : {std::pair(Scale::percent, "0 to 100"), std::pair(Scale::share, "0 to 1"),
                                     std::pair(Scale::ratio, "ratio")})
    body += scores_figure(validations, scale, range);
  const auto one = [&](auto value, const char* y_label, const char* title, bool logarithmic) {
    return figure({title, "updates", y_label, {series_of(y_label, updates, value)}, logarithmic});
  };
  body += one(&UpdateLine::gradient_norm, "gradient norm",
              "Norm of the gradients before clipping, mean between two log lines", true);
  if (!flows.empty()) body += flow_figure(flows);
  body += one(&UpdateLine::learning_rate, "learning rate", "Learning rate", false);
  const auto covers = [](const UpdateLine& line) { return line.coverage_loss.has_value(); };
  if (std::any_of(updates.begin(), updates.end(), covers))
    body += one([](const UpdateLine& line) { return line.coverage_loss.value_or(not_logged); },
                "coverage loss", "Coverage loss a target token", false);
  return body + one(&UpdateLine::target_tokens_per_second, "target tokens a second",
                    "Speed of training, validation left out", false);
}

/// Sources spread evenly over a file.
std::vector<SourceLine> example_lines(const CorpusFiles& files, int64_t wanted) {
  const std::string& path = files.combined.empty() ? files.source : files.combined;
  std::vector<SourceLine> all, chosen;
  SourceLines lines(path, {}, files.keys);
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
  if (files.keys.empty()) files.keys = model.keys;
  const DecodingModels models(model);
  DecodingPool pool(models.scorers(1));
  Translator translator(models, pool, {});
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
  const std::vector<RunLogLine> lines = RunLog::read(run);
  const ValidationLine* best = nullptr;
  double seconds = 0;
  int64_t updates = 0, tokens = 0;
  for (const RunLogLine& line : lines) {
    updates = std::max(updates, logged_update(line));
    seconds = std::fmax(seconds, logged_seconds(line));
    if (const auto* update = std::get_if<UpdateLine>(&line)) tokens += update->target_tokens;
    if (const auto* validation = std::get_if<ValidationLine>(&line); validation && validation->best)
      best = validation;
  }
  // With or without a trailing slash.
  const fs::path whole = fs::absolute(run / "").lexically_normal().parent_path();
  std::string html = html_page_begin(whole.filename().string());
  html += fmt::format("<p>{} updates, {} target tokens in {}.</p>\n", format_count(updates),
                      format_count(tokens), format_duration(seconds));
  if (best != nullptr) {
    html += "<h2>Best validation</h2>\n" + table_of(*best);
    if (best->signatures) html += "<p>Scores: " + escape_html(*best->signatures) + ".</p>\n";
  }
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
  const std::vector<RunLogLine> lines = RunLog::read(run);
  // The start of the run: its configuration was written then, and log lines count seconds from it.
  std::error_code failure;
  const auto written = fs::last_write_time(run / "config.json", failure);
  fs::create_directories(folder, failure);
  if (failure)
    throw Error(folder.string(), "cannot be created (" + failure.message() + ")",
                "check the folder's permissions");
  const auto begin =
      std::chrono::duration<double>(std::chrono::file_clock::to_sys(written).time_since_epoch()).count();
  std::string bytes = event_file_begin(begin);
  for (const RunLogLine& line : lines) {
    const char* group = std::holds_alternative<UpdateLine>(line)         ? "training/"
                        : std::holds_alternative<ValidationLine>(line)   ? "validation/"
                        : std::holds_alternative<GradientFlowLine>(line) ? "gradient flow/"
                        : std::holds_alternative<PairsLine>(line)        ? "pairs/"
                                                                         : nullptr;
    if (group == nullptr) continue;
    std::vector<std::pair<std::string, double>> values;
    for (const auto& [key, value] : logged_numbers(line))
      if (key != "update" && key != "seconds") values.emplace_back(group + key, value);
    if (const auto* measured = std::get_if<GradientFlowLine>(&line))
      for (const size_t distance : {0, 1, 2, 5, 10, 20, 50, 100})
        if (distance < measured->flow.norms.size())
          values.emplace_back(fmt::format("{}distance {}", group, distance), measured->flow.norms[distance]);
    if (!values.empty())
      bytes += event_of_scalars(begin + std::fmax(0, logged_seconds(line)),
                                std::max<int64_t>(0, logged_update(line)), values);
  }
  const fs::path file =
      folder / fmt::format("{}{}{}", event_file_prefix, static_cast<int64_t>(begin), event_file_suffix);
  write_file(file, bytes);
  // TensorBoard would also show the files of earlier calls.
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
