#pragma once

#include <filesystem>
#include <fstream>
#include <string>

namespace seq2seq::test {

/// Bytes of a file that this process has mapped and that are in memory; 0 where the system does not tell.
inline size_t resident_bytes(const std::filesystem::path& path) {
  const std::string name = " " + std::filesystem::canonical(path).string();
  std::ifstream areas("/proc/self/smaps");
  bool ours = false;
  size_t kibibytes = 0;
  for (std::string line; std::getline(areas, line);) {
    if (line.find('-') < line.find(' ')) ours = line.ends_with(name);
    if (ours && line.starts_with("Rss:")) kibibytes += std::stoull(line.substr(4));
  }
  return kibibytes * 1024;
}

}  // namespace seq2seq::test
