// LibTorch's parallel loops are inlined into our files: they run on one thread, silently, unless our files
// are compiled for OpenMP and run on the OpenMP library that LibTorch itself loads.

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <fstream>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace {

TEST(OpenMp, ParallelForUsesEveryThread) {
  const int before = at::get_num_threads();
  at::set_num_threads(2);
  std::mutex mutex;
  std::set<std::thread::id> threads;
  int64_t covered = 0;
  at::parallel_for(0, 100, 1, [&](int64_t begin, int64_t end) {
    const std::lock_guard lock(mutex);
    threads.insert(std::this_thread::get_id());
    covered += end - begin;
  });
  at::set_num_threads(before);
  EXPECT_EQ(threads.size(), 2U);
  EXPECT_EQ(covered, 100);
}

TEST(OpenMp, OneRuntimeIsLoaded) {
  std::set<std::string> runtimes;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    if (line.find("libgomp") != std::string::npos || line.find("libomp") != std::string::npos)
      runtimes.insert(line.substr(line.find('/')));
  EXPECT_EQ(runtimes.size(), 1U);
}

}  // namespace
