#pragma once

#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace seq2seq {

/// A temporary folder, removed on destruction. Decompressed copies of .gz files are kept in it as well.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "seq2seq-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = name;
    ::setenv("XDG_CACHE_HOME", cache().c_str(), 1);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::filesystem::path cache() const { return folder_ / "cache"; }

  std::string write(const std::string& name, std::string_view bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }
  std::string write_gz(const std::string& name, std::string_view bytes) const {
    gzFile file = ::gzopen(path(name).c_str(), "wb");
    ::gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
    ::gzclose(file);
    return path(name);
  }

 private:
  std::filesystem::path folder_;
};

/// The message of the exception that `run` throws; empty if it throws none.
template <class Run>
std::string error_of(Run&& run) {
  try {
    run();
  } catch (const std::exception& failure) {
    return failure.what();
  }
  return {};
}

}  // namespace seq2seq
