// What the fuzzers begin with, and what they have found (corpus/TARGET/): nothing but an Error leaves a reader, none takes
// a second or more memory than it may.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "../support/paths.h"
#include "input_file.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/log.h"
#include "seq2seq/core/random.h"
#include "targets.h"

namespace seq2seq::fuzz {
namespace {

/// A value of /proc/self/status, in bytes.
size_t status_bytes(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(key + ":")) return std::stoull(line.substr(key.size() + 1)) * 1024;
  return 0;
}

/// Of this process, whatever else the machine does.
double processor_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

void replay(const Target& target, const std::string& bytes, const std::string& name) {
  SCOPED_TRACE(name);
  std::ofstream("/proc/self/clear_refs") << "5";  // resets the peak
  const size_t before = status_bytes("VmRSS");
  const double begin = processor_seconds();
  try {
    target.read(bytes);
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_EQ(std::count_if(message.begin(), message.end(), [](char c) { return c >= 0 && c < ' '; }), 0)
        << message;
    EXPECT_LT(message.size(), 10'000U);
  } catch (const std::exception& error) {
    ADD_FAILURE() << "not an Error: " << error.what();
  }
  EXPECT_LT(processor_seconds() - begin, 1);
  EXPECT_LT(status_bytes("VmHWM"), before + allowed_memory(bytes.size()));
}

class FuzzTargetTest : public testing::TestWithParam<Target> {
 protected:
  FuzzTargetTest() {
    set_log_level(LogLevel::quiet);
    try {  // what is made once
      GetParam().read(GetParam().seeds().front());
    } catch (const Error&) {
    }
  }
};

TEST_P(FuzzTargetTest, RefusesInOneLineOrReads) {
  const Target& target = GetParam();
  const std::vector<std::string> seeds = target.seeds();
  ASSERT_FALSE(seeds.empty());
  for (size_t i = 0; i < seeds.size(); ++i) {
    replay(target, seeds[i], "seed " + std::to_string(i));
    replay(target, seeds[i].substr(0, seeds[i].size() / 2), "half of seed " + std::to_string(i));
  }
  replay(target, "", "nothing");
  const std::filesystem::path found = test::tests_folder + "fuzz/corpus/" + target.name;
  if (!std::filesystem::exists(found)) return;
  for (const auto& entry : std::filesystem::directory_iterator(found))
    replay(target, read_file(entry.path()), entry.path().string());
}

/// `part` again and again, up to 1 MiB.
std::string repeated_to_a_mebibyte(const std::string& part) {
  std::string result;
  while (result.size() + part.size() <= size_t{1} << 20) result += part;
  return result;
}

TEST_P(FuzzTargetTest, ReadsAMebibyteInTime) {
  const Target& target = GetParam();
  if (target.large != nullptr)
    for (const std::string& bytes : target.large()) replay(target, bytes, bytes.substr(0, 100));
  for (const char* part : {"[", "{\"a\":", "[],", "\n", "a", "a b\n", "a\tb\n", "(", "}", "\xEF\xBB\xBF"})
    replay(target, repeated_to_a_mebibyte(part), std::string("repeated ") + part);
  replay(target, "[" + repeated_to_a_mebibyte("{},") + "{}]", "a list of objects");
  replay(target, std::string(size_t{1} << 20, '\0'), "zero bytes");
}

/// `bytes` with a few of them changed, left out, repeated or taken from elsewhere.
std::string changed(std::string bytes, const std::string& other, Random& random) {
  for (uint64_t changes = 1 + random.below(8); changes > 0 && !bytes.empty(); --changes) {
    const size_t at = random.below(bytes.size());
    const size_t length =
        std::min<size_t>(bytes.size() - at, 1 + random.below(random.below(4) == 0 ? 200 : 8));
    switch (random.below(6)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
        break;
      case 1:
        bytes[at] = static_cast<char>(random.below(256));
        break;
      case 2:
        bytes.erase(at, length);
        break;
      case 3:
        bytes.insert(random.below(bytes.size()), bytes.substr(at, length));
        break;
      case 4:
        bytes.replace(at, length, other.substr(random.below(other.size() + 1), length));
        break;
      default: {
        constexpr const char* likely[] = {"\n", "\"",    "{",  "]", "\xff", "9999999999999999999",
                                          "-1", "1e999", "nan"};
        bytes.replace(at, length, likely[random.below(std::size(likely))]);
      }
    }
  }
  return bytes;
}

// What the fuzzers do better, for as long as a test may take; SEQ2SEQ_FUZZ_CHANGES asks for more.
TEST_P(FuzzTargetTest, SurvivesChangedFiles) {
  const char* asked = std::getenv("SEQ2SEQ_FUZZ_CHANGES");
  const int count = asked == nullptr ? 100 : static_cast<int>(std::strtol(asked, nullptr, 10));
  const std::vector<std::string> seeds = GetParam().seeds();
  Random random(1);
  for (int i = 0; i < count && !HasFailure(); ++i) {
    const std::string bytes =
        changed(seeds[random.below(seeds.size())], seeds[random.below(seeds.size())], random);
    replay(GetParam(), bytes, "change " + std::to_string(i));
    if (HasFailure())
      std::ofstream(std::filesystem::path(testing::TempDir()) / (std::string("finding-") + GetParam().name))
          << bytes;
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, FuzzTargetTest, testing::ValuesIn(targets().begin(), targets().end()),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace seq2seq::fuzz
