#include "seq2seq/core/processors.h"

#include <gtest/gtest.h>
#include <unistd.h>
#ifdef __linux__
#include <sched.h>
#endif

#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>
#include <thread>

namespace seq2seq {
namespace {

namespace fs = std::filesystem;
constexpr double unlimited = std::numeric_limits<double>::infinity();

/// Stands in for `/` with its /proc/self/cgroup and /sys/fs/cgroup.
class ProcessorsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "processors_test.XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { fs::remove_all(root_); }
  void write(const fs::path& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }

  fs::path root_;
};

TEST_F(ProcessorsTest, TheProcessorHasANameWhereTheSystemTellsIt) {
  EXPECT_EQ(processor_name(root_), "an unknown processor");
  write("proc/cpuinfo", "processor\t: 0\nmodel name\t: Fast One\n\nmodel name\t: Other One\n");
  EXPECT_EQ(processor_name(root_), "Fast One");
}

TEST_F(ProcessorsTest, WithoutProcAndSysThereIsNoQuota) {
  EXPECT_EQ(processor_quota(root_), unlimited);
  EXPECT_GE(usable_processors(root_), 1);
}

TEST_F(ProcessorsTest, TheLeastQuotaOfAGroupAndItsAncestorsCounts) {
  write("proc/self/cgroup", "0::/a/b\n");
  write("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  EXPECT_EQ(processor_quota(root_), unlimited);
  write("sys/fs/cgroup/a/b/cpu.max", "350000 100000\n");
  EXPECT_EQ(processor_quota(root_), 3.5);
  write("sys/fs/cgroup/a/cpu.max", "100000 50000\n");
  EXPECT_EQ(processor_quota(root_), 2);
  write("sys/fs/cgroup/other/cpu.max", "1000 100000\n");
  EXPECT_EQ(processor_quota(root_), 2);
}

TEST_F(ProcessorsTest, AContainerThatSeesOnlyItsOwnGroupAtTheTop) {
  write("sys/fs/cgroup/cpu.max", "75000 50000\n");
  for (const char* group : {"0::/\n", "0::/docker/1234\n", "0::/../..\n", ""}) {
    write("proc/self/cgroup", group);
    EXPECT_EQ(processor_quota(root_), 1.5) << group;
  }
}

TEST_F(ProcessorsTest, VersionOne) {
  write("proc/self/cgroup", "5:memory:/a\n4:cpuacct,cpu:/a\n3:cpuset:/b\n0::/c\n");
  write("sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "-1\n");
  write("sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(processor_quota(root_), unlimited);
  write("sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "250000\n");
  EXPECT_EQ(processor_quota(root_), 2.5);
  write("sys/fs/cgroup/cpu/b/cpu.cfs_quota_us", "1000\n");
  write("sys/fs/cgroup/cpu/b/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(processor_quota(root_), 2.5);
}

TEST_F(ProcessorsTest, FilesWithoutSenseAreNoQuota) {
  write("proc/self/cgroup", "\n:\n0::\n0:cpu\n");
  for (const char* text : {"", "\n", "x y\n", "100000\n", "100000 0\n", "-5 100000\n"}) {
    write("sys/fs/cgroup/cpu.max", text);
    EXPECT_EQ(processor_quota(root_), unlimited) << text;
  }
}

TEST_F(ProcessorsTest, QuotasAreRoundedUpAndNeverRaiseTheNumber) {
  const int64_t all = usable_processors(root_);
  write("sys/fs/cgroup/cpu.max", "1000 100000\n");
  EXPECT_EQ(usable_processors(root_), 1);
  write("sys/fs/cgroup/cpu.max", "110000 100000\n");
  EXPECT_EQ(usable_processors(root_), std::min<int64_t>(2, all));
  write("sys/fs/cgroup/cpu.max", "9900000000 100000\n");
  EXPECT_EQ(usable_processors(root_), all);
}

#ifdef __linux__
TEST_F(ProcessorsTest, OnlyTheCoresOfTheMaskCount) {
  // The affinity mask is per thread: no other thread of this process is bound.
  std::thread([&] {
    cpu_set_t mask;
    ASSERT_EQ(sched_getaffinity(0, sizeof mask, &mask), 0);
    int first = 0;
    while (!CPU_ISSET(first, &mask)) ++first;
    CPU_ZERO(&mask);
    CPU_SET(first, &mask);
    ASSERT_EQ(sched_setaffinity(0, sizeof mask, &mask), 0);
    EXPECT_EQ(usable_processors(root_), 1);
  }).join();
}
#endif

}  // namespace
}  // namespace seq2seq
