#include "seq2seq/core/processors.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <string>
#include <thread>
#ifdef __linux__
#include <sched.h>

#include <cerrno>
#endif

namespace seq2seq {
namespace fs = std::filesystem;
namespace {

constexpr double unlimited = std::numeric_limits<double>::infinity();

double ratio(double quota, double period) {
  return quota > 0 && period > 0 ? quota / period : unlimited;
}

/// From "150000 100000", or "max 100000".
double quota_of_version_2(const fs::path& group) {
  std::ifstream file(group / "cpu.max");
  double quota = 0, period = 0;
  return file >> quota >> period ? ratio(quota, period) : unlimited;
}

/// Without a limit the quota is -1.
double quota_of_version_1(const fs::path& group) {
  std::ifstream quota_file(group / "cpu.cfs_quota_us"), period_file(group / "cpu.cfs_period_us");
  double quota = 0, period = 0;
  return quota_file >> quota && period_file >> period ? ratio(quota, period) : unlimited;
}

/// The least quota of the group and its ancestors. In a container the group's path is often the host's: then
/// only the mounted root exists, and it is the container's own group.
template <class QuotaOf>
double least_quota(const fs::path& mounted, const std::string& group, QuotaOf quota_of) {
  fs::path path = fs::path("/" + group).lexically_normal();
  double least = quota_of(mounted);
  for (; path.has_relative_path(); path = path.parent_path())
    least = std::min(least, quota_of(mounted / path.relative_path()));
  return least;
}

int64_t processors_of_the_mask() {
#ifdef __linux__
  for (int most = 1024; most <= 1 << 20; most *= 2) {
    cpu_set_t* mask = CPU_ALLOC(most);
    if (mask == nullptr) break;
    const size_t bytes = CPU_ALLOC_SIZE(most);
    const bool known = sched_getaffinity(0, bytes, mask) == 0;
    const bool too_small = !known && errno == EINVAL;
    const int count = known ? CPU_COUNT_S(bytes, mask) : 0;
    CPU_FREE(mask);
    if (known) return std::max(1, count);
    if (!too_small) break;
  }
#endif
  return std::max<int64_t>(1, std::thread::hardware_concurrency());
}

}  // namespace

std::string processor_name(const fs::path& root) {
  const std::string key = "model name\t: ";
  std::ifstream file(root / "proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(key)) return line.substr(key.size());
  return "an unknown processor";
}

double processor_quota(const fs::path& root) {
  const fs::path mounted = root / "sys/fs/cgroup";
  // Lines are "0::/group" for version 2 and "4:cpu,cpuacct:/group" for version 1; there may be both.
  std::string version_2, version_1;
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    if (controllers == ",,") version_2 = line.substr(second + 1);
    if (controllers.find(",cpu,") != std::string::npos) version_1 = line.substr(second + 1);
  }
  return std::min(least_quota(mounted, version_2, quota_of_version_2),
                  least_quota(mounted / "cpu", version_1, quota_of_version_1));
}

int64_t usable_processors(const fs::path& root) {
  const int64_t processors = processors_of_the_mask();
  const double quota = std::ceil(processor_quota(root));
  return quota < static_cast<double>(processors) ? std::max<int64_t>(1, static_cast<int64_t>(quota))
                                                 : processors;
}

}  // namespace seq2seq
