#include "input_file.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "../support/paths.h"
#include "seq2seq/core/file.h"

namespace seq2seq::fuzz {
namespace fs = std::filesystem;
namespace {

class InputFolder {
 public:
  InputFolder() : path(fs::temp_directory_path() / ("seq2seq-fuzz-" + std::to_string(::getpid()))) {
    fs::create_directories(path);
    ::setenv("XDG_CACHE_HOME", path.c_str(), 1);
  }
  ~InputFolder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  InputFolder(const InputFolder&) = delete;
  InputFolder& operator=(const InputFolder&) = delete;
  const fs::path path;
};

}  // namespace

const fs::path& input_folder() {
  static const InputFolder folder;
  return folder.path;
}

std::string input_file(const std::string& name, std::string_view bytes) {
  const fs::path path = input_folder() / name;
  std::ofstream(path, std::ios::binary) << bytes;
  return path.string();
}

std::string source_file(const std::string& path) {
  constexpr size_t most = size_t{1} << 20;
  return read_file(fs::path(test::tests_folder) / ".." / path).substr(0, most);
}

}  // namespace seq2seq::fuzz
