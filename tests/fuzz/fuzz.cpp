// fuzz OPTIONS-OF-LIBFUZZER...: fuzzes the target that SEQ2SEQ_FUZZ_TARGET names (scripts/fuzz.sh).
// seeds: with SEQ2SEQ_FUZZ_SEEDS, writes the target's seeds into that folder and ends.
#include <ATen/Parallel.h>
#include <sanitizer/allocator_interface.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "input_file.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/log.h"
#include "targets.h"

namespace seq2seq::fuzz {
namespace {

// Bytes in use, and the most that were since the input was given.
std::atomic<int64_t> in_use{0}, peak{0};

void count_allocation(const volatile void*, size_t size) {
  const int64_t now = in_use.fetch_add(static_cast<int64_t>(size)) + static_cast<int64_t>(size);
  int64_t most = peak.load();
  while (now > most && !peak.compare_exchange_weak(most, now)) continue;
}
void count_release(const volatile void* address) {
  in_use.fetch_sub(static_cast<int64_t>(__sanitizer_get_allocated_size(address)));
}

const Target& selected() {
  static const Target& target = target_named([] {
    const char* name = std::getenv("SEQ2SEQ_FUZZ_TARGET");
    return std::string(name == nullptr ? "" : name);
  }());
  return target;
}

void write_seeds(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  int number = 0;
  for (const std::string& seed : selected().seeds())
    std::ofstream(folder / ("seed-" + std::to_string(number++)), std::ios::binary) << seed;
}

/// Ends the process as a finding unless a message is one line.
void check_message(const std::string& message) {
  for (const char c : message)
    if (c >= 0 && c < ' ') {
      std::fprintf(stderr, "a message of several lines: %s\n", message.c_str());
      std::abort();
    }
}

void check_memory(int64_t before, size_t input) {
  const int64_t taken = peak.load() - before;
  if (taken <= static_cast<int64_t>(allowed_memory(input))) return;
  std::fprintf(stderr, "an input of %zu bytes took %lld bytes\n", input, static_cast<long long>(taken));
  std::abort();
}

}  // namespace
}  // namespace seq2seq::fuzz

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  using namespace seq2seq::fuzz;
  seq2seq::set_log_level(seq2seq::LogLevel::quiet);
  at::set_num_threads(1);
  if (const char* folder = std::getenv("SEQ2SEQ_FUZZ_SEEDS")) {
    write_seeds(folder);
    std::exit(0);
  }
  try {  // what is made once
    selected().read(selected().seeds().front());
  } catch (const seq2seq::Error& error) {
    check_message(error.what());
  }
  __sanitizer_install_malloc_and_free_hooks(count_allocation, count_release);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace seq2seq::fuzz;
  const int64_t before = in_use.load();
  peak.store(before);
  try {
    selected().read({reinterpret_cast<const char*>(data), size});
  } catch (const seq2seq::Error& error) {
    check_message(error.what());
  }
  check_memory(before, size);
  return 0;
}
