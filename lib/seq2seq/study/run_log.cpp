#include "seq2seq/study/run_log.h"

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
  for (std::string text; std::getline(lines, text);)
    if (Json line = Json::parse(text, nullptr, /*allow_exceptions=*/false); line.is_object())
      result.push_back(std::move(line));
  return result;
}

}  // namespace seq2seq
