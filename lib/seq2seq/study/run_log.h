#pragma once

// Private to the study.

#include <filesystem>
#include <vector>

#include "seq2seq/core/json.h"

namespace seq2seq {

/// The lines of a run's train.jsonl; the last one may be half written and is left out then. Throws Error when
/// there is no run.
std::vector<Json> read_run_log(const std::filesystem::path& run);

}  // namespace seq2seq
