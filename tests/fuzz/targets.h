#pragma once

#include <cstddef>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace seq2seq::fuzz {

/// A reader of untrusted bytes, with files of the repository to begin with.
struct Target {
  const char* name;
  /// Reads a file of these bytes as far as people's files are read. Only an Error may leave it.
  void (*read)(std::string_view bytes);
  std::vector<std::string> (*seeds)();
  /// Files of up to 1 MiB that would take long or much memory if read carelessly, or nothing.
  std::vector<std::string> (*large)() = nullptr;
};

/// For messages of tests.
inline void PrintTo(const Target& target, std::ostream* out) {  // NOLINT(readability-identifier-naming)
  *out << target.name;
}

/// All targets. Each file of targets adds its own.
std::span<const Target> targets();
/// Throws std::invalid_argument naming all targets if there is none of that name.
const Target& target_named(std::string_view name);

/// What reading may take, in bytes beyond what was in use before: of a .gz file no more, as its lines are no longer
/// than its buffers.
inline size_t allowed_memory(size_t input) {
  return 16 * input + (size_t{64} << 20);
}

}  // namespace seq2seq::fuzz
