#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace seq2seq {

/// The CPU time, in cores, that the container (cgroup v2 or v1) grants this process; infinity without a
/// limit. `root` is the folder that contains proc and sys.
double processor_quota(const std::filesystem::path& root = "/");

/// As /proc/cpuinfo has it, or "an unknown processor".
std::string processor_name(const std::filesystem::path& root = "/");

/// The number of cores this process may use: those of its affinity mask, at most its quota (rounded up), at
/// least 1. std::thread::hardware_concurrency() ignores quotas.
int64_t usable_processors(const std::filesystem::path& root = "/");

}  // namespace seq2seq
