#pragma once

// Not installed.

#include <filesystem>
#include <string>
#include <vector>

#include "seq2seq/core/json.h"

namespace seq2seq {

/// The lines of a run's train.jsonl; the last one may be half written and is left out then. `seconds` go on
/// where the run was resumed. Throws Error when there is no run.
std::vector<Json> read_run_log(const std::filesystem::path& run);

/// Not a number where `key` is missing or null, which stands for what is not finite.
double number_at(const Json& object, const std::string& key);
std::vector<double> numbers_at(const Json& object, const std::string& key);

}  // namespace seq2seq
