// The parallel loops of seq2seq use the OpenMP library that LibTorch loads, with every compiler.

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <fstream>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "seq2seq/nn/cpu/parallel.h"

namespace seq2seq {
namespace {

class ParallelFor : public ::testing::Test {
 protected:
  ~ParallelFor() override { at::set_num_threads(before_); }

 private:
  int before_ = at::get_num_threads();
};

TEST_F(ParallelFor, UsesEveryThreadAndCoversEverythingOnce) {
  for (const int wanted : {1, 2, 3}) {
    at::set_num_threads(wanted);
    for (const int64_t count : {1, 2, 7, 100}) {
      std::mutex mutex;
      std::set<std::thread::id> threads;
      std::vector<int> covered(static_cast<size_t>(count));
      parallel_for(count, 1, [&](int64_t begin, int64_t end) {
        const std::lock_guard lock(mutex);
        threads.insert(std::this_thread::get_id());
        for (int64_t i = begin; i < end; ++i) ++covered[static_cast<size_t>(i)];
      });
      EXPECT_EQ(covered, std::vector<int>(static_cast<size_t>(count), 1));
      EXPECT_EQ(static_cast<int64_t>(threads.size()), std::min<int64_t>(wanted, count));
    }
  }
}

TEST_F(ParallelFor, LeavesLittleWorkToOneThread) {
  at::set_num_threads(2);
  int calls = 0;
  parallel_for(50, 50, [&](int64_t begin, int64_t end) {
    ++calls;
    EXPECT_EQ(begin, 0);
    EXPECT_EQ(end, 50);
  });
  parallel_for(0, 1, [&](int64_t, int64_t) { ++calls; });
  EXPECT_EQ(calls, 1);
}

TEST_F(ParallelFor, WithinOneAnotherTheInnerOneStaysWhereItIs) {
  at::set_num_threads(2);
  std::mutex mutex;
  int inner = 0;
  parallel_for(2, 1, [&](int64_t, int64_t) {
    const auto thread = std::this_thread::get_id();
    parallel_for(10, 1, [&](int64_t begin, int64_t end) {
      const std::lock_guard lock(mutex);
      EXPECT_EQ(std::this_thread::get_id(), thread);
      inner += static_cast<int>(end - begin);
    });
  });
  EXPECT_EQ(inner, 20);
}

TEST_F(ParallelFor, ThrowsWhatAThreadThrew) {
  at::set_num_threads(2);
  EXPECT_THROW(parallel_for(10, 1,
                            [](int64_t begin, int64_t) {
                              if (begin > 0) throw std::runtime_error("the second half");
                            }),
               std::runtime_error);
}

TEST(OpenMp, OneRuntimeIsLoaded) {
  std::set<std::string> runtimes;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    if (line.find("libgomp") != std::string::npos || line.find("libomp") != std::string::npos ||
        line.find("libiomp") != std::string::npos)
      runtimes.insert(line.substr(line.find('/')));
  EXPECT_EQ(runtimes.size(), 1U);
}

}  // namespace
}  // namespace seq2seq
