#include "seq2seq/study/run_log.h"

#include <cmath>
#include <limits>
#include <sstream>

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"

namespace seq2seq {
namespace fs = std::filesystem;

std::vector<Json> read_run_log(const fs::path& run) {
  const fs::path file = run / "train.jsonl";
  if (!fs::exists(run / "config.json"))
    throw Error(run.string(), "is not a run directory (no config.json)", "give one of seq2seq train");
  if (!fs::exists(file)) throw Error(file.string(), "is missing", "give a run that has begun to train");
  std::vector<Json> result;
  std::istringstream lines(read_file(file));
  double before = 0, last = 0;  // of the processes that trained before this one; of the line before
  for (std::string text; std::getline(lines, text);) {
    Json line = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!line.is_object() || !line.contains("type") || !line.at("type").is_string()) continue;
    if (!std::isfinite(number_at(line, "update"))) continue;
    if (const double seconds = number_at(line, "seconds"); std::isfinite(seconds)) {
      if (seconds < last) before += last;
      last = seconds;
      line["seconds"] = before + seconds;
    }
    result.push_back(std::move(line));
  }
  return result;
}

double number_at(const Json& object, const std::string& key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>()
                                                     : std::numeric_limits<double>::quiet_NaN();
}

std::vector<double> numbers_at(const Json& object, const std::string& key) {
  std::vector<double> result;
  if (const auto found = object.find(key); found != object.end() && found->is_array())
    for (const Json& value : *found)
      result.push_back(value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN());
  return result;
}

}  // namespace seq2seq
