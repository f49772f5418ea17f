#pragma once

#include <cstdint>
#include <filesystem>

namespace seq2seq {

/// How many cores' worth of processor time the container (cgroup v2 or v1) grants this process; infinity when
/// there is no limit. `root` is the folder that holds /proc and /sys.
double processor_quota(const std::filesystem::path& root = "/");

/// The cores this process may use: those of its affinity mask, but no more than its quota, rounded up; at
/// least 1. std::thread::hardware_concurrency() knows nothing of quotas.
int64_t usable_processors(const std::filesystem::path& root = "/");

}  // namespace seq2seq
