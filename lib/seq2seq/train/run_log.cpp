#include "seq2seq/train/run_log.h"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <type_traits>

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/json.h"

namespace seq2seq {
namespace fs = std::filesystem;
namespace {

/// A metric's name, which options have as well, spelled as the other keys are.
std::string underscored(std::string metric) {
  std::replace(metric.begin(), metric.end(), '-', '_');
  return metric;
}

/// Visits a line's fields and writes them.
struct LineWriter {
  Json json;
  void operator()(const char* key, const auto& value) { json[key] = value; }
  template <class T>
  void operator()(const char* key, const std::optional<T>& value) {
    if (value) json[key] = *value;
  }
  void scores(const std::map<std::string, double>& scores) {
    for (const auto& [metric, score] : scores) {
      json[metric] = score;
      json[underscored(metric)] = score;
    }
  }
};

/// Visits a line's fields and reads them from the JSON.
class LineReader {
 public:
  explicit LineReader(Json json) : json_(std::move(json)) { json_.erase("type"); }
  void operator()(const char* key, auto& value) {
    read(key, value);
    json_.erase(key);
  }
  void scores(std::map<std::string, double>& scores) { scores_ = &scores; }
  /// Call it after the last field: the remaining numbers are scores.
  void finish() {
    if (scores_ == nullptr) return;
    for (const auto& [key, value] : json_.items())
      if (value.is_number() || value.is_null())
        (*scores_)[key] = value.is_null() ? not_logged : value.get<double>();
    for (const auto& [metric, score] : std::map(*scores_))
      if (underscored(metric) != metric) scores_->erase(underscored(metric));
  }

 private:
  void read(const char* key, double& value) { value = number_at(json_, key); }
  void read(const char* key, std::vector<double>& value) { value = numbers_at(json_, key); }
  void read(const char* key, std::optional<double>& value) {
    if (json_.contains(key)) value = number_at(json_, key);
  }
  void read(const char* key, std::optional<std::string>& value) {
    if (json_.contains(key) && json_[key].is_string()) value = json_[key].get<std::string>();
  }
  void read(const char* key, int64_t& value) {
    constexpr double exact = 9e15;  // and beyond no count
    if (std::abs(number_at(json_, key)) < exact) value = json_[key].get<int64_t>();
  }
  void read(const char* key, bool& value) {
    if (json_.contains(key) && json_[key].is_boolean()) value = json_[key].get<bool>();
  }
  void read(const char* key, std::optional<bool>& value) {
    bool known = false;
    read(key, known);
    if (known) value = known;
  }
  void read(const char* key, std::string& value) {
    if (json_.contains(key) && json_[key].is_string()) value = json_[key].get<std::string>();
  }

  Json json_;
  std::map<std::string, double>* scores_ = nullptr;
};

/// Visits a line's fields and collects the finite numbers.
struct NumberCollector {
  std::vector<std::pair<std::string, double>> all;
  void operator()(const char* key, const auto& value) {
    using Value = std::decay_t<decltype(value)>;
    if constexpr (std::is_same_v<Value, double> || std::is_same_v<Value, int64_t>)
      add(key, static_cast<double>(value));
    else if constexpr (std::is_same_v<Value, std::optional<double>>)
      add(key, value.value_or(not_logged));
  }
  void scores(const std::map<std::string, double>& scores) {
    for (const auto& [metric, score] : scores) add(metric, score);
  }
  void add(const std::string& key, double value) {
    if (std::isfinite(value)) all.emplace_back(key, value);
  }
};

Json json_of(const RunLogLine& line) {
  return std::visit(
      [](const auto& one) {
        LineWriter writer;
        writer.json["type"] = one.type;
        one.fields(one, writer);
        return writer.json;
      },
      line);
}

template <class Line>
Line line_from(const Json& json) {
  Line line;
  LineReader reader(json);
  Line::fields(line, reader);
  reader.finish();
  return line;
}

template <class... Line>
std::optional<RunLogLine> line_of_type(const std::string& type, const Json& json,
                                       std::type_identity<std::variant<Line...>>) {
  std::optional<RunLogLine> result;
  ((type == Line::type ? void(result = line_from<Line>(json)) : void()), ...);
  return result;
}

/// A line as JSON; discarded if it is incomplete, or cannot have been written by `RunLog`.
Json json_from(const std::string& text) {
  constexpr auto most_brackets = 500;  // copying what nests deep would exhaust the stack
  const auto opens = [](char c) { return c == '[' || c == '{'; };
  if (text.find("\"update\"") == std::string::npos ||
      std::count_if(text.begin(), text.end(), opens) > most_brackets)
    return Json(Json::value_t::discarded);
  return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

/// nullopt for an incomplete line or an unknown type.
std::optional<RunLogLine> parse_line(const std::string& text) {
  const Json json = json_from(text);
  if (!json.is_object() || !std::isfinite(number_at(json, "update"))) return std::nullopt;
  const auto type = json.find("type");
  if (type == json.end() || !type->is_string()) return std::nullopt;
  return line_of_type(type->get<std::string>(), json, std::type_identity<RunLogLine>{});
}

}  // namespace

int64_t logged_update(const RunLogLine& line) {
  return std::visit([](const auto& one) { return one.update; }, line);
}

double logged_seconds(const RunLogLine& line) {
  return std::visit(
      [](const auto& one) {
        if constexpr (requires { one.seconds; })
          return one.seconds;
        else
          return not_logged;
      },
      line);
}

std::vector<std::pair<std::string, double>> logged_numbers(const RunLogLine& line) {
  return std::visit(
      [](const auto& one) {
        NumberCollector numbers;
        one.fields(one, numbers);
        return numbers.all;
      },
      line);
}

void RunLog::write(const RunLogLine& line) {
  if (!file_.is_open()) file_.open(path_, std::ios::app);
  file_ << dump_json(json_of(line)) << '\n' << std::flush;
  if (!file_) throw Error(path_.string(), "cannot be written (" + system_reason() + ")", "check free space");
}

void RunLog::cut(int64_t update) {
  if (!fs::exists(path_)) return;
  const std::string text = read_file(path_);
  std::istringstream lines(text);
  std::string kept, line;
  while (std::getline(lines, line)) {
    Json json = json_from(line);
    if (!json.is_object() || !(number_at(json, "update") <= static_cast<double>(update))) continue;
    if (json.value("whole_epoch", Json(true)) == Json(false)) continue;
    if (json.contains("extra") && json["extra"] == true && json["best"] == true) {
      json["best"] = false;
      line = dump_json(json);
    }
    kept += line + "\n";
  }
  if (kept == text) return;
  file_.close();
  write_file(path_, kept);
}

std::string RunLog::history() const {
  Json all = Json::array();
  std::istringstream lines(fs::exists(path_) ? read_file(path_) : "");
  for (std::string text; std::getline(lines, text);) {
    const auto line = parse_line(text);
    if (!line || !std::holds_alternative<ValidationLine>(*line)) continue;
    Json entry = json_of(*line);
    for (const char* key : {"type", "signatures", "best", "validation_seconds", "peak_memory_mib"})
      entry.erase(key);
    all.push_back(std::move(entry));
  }
  return dump_json(all);
}

std::vector<RunLogLine> RunLog::read(const fs::path& run) {
  const fs::path file = run / file_name;
  std::error_code unknown;
  if (!fs::exists(run / "config.json", unknown))
    throw Error(run.string(), "is not a run directory (no config.json)", "give one of seq2seq train");
  if (!fs::exists(file, unknown))
    throw Error(file.string(), "is missing", "give a run that has begun to train");
  std::vector<RunLogLine> result;
  std::istringstream lines(read_file(file));
  // Seconds of the earlier processes of this run, and of the previous line.
  double before = 0, last = 0;
  const auto go_on = [&](auto& line) {
    if constexpr (requires { line.seconds; }) {
      if (!std::isfinite(line.seconds)) return;
      if (line.seconds < last) before += last;
      last = line.seconds;
      line.seconds += before;
    }
  };
  for (std::string text; std::getline(lines, text);) {
    auto line = parse_line(text);
    if (!line) continue;
    std::visit(go_on, *line);
    result.push_back(std::move(*line));
  }
  return result;
}

}  // namespace seq2seq
