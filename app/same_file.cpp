#include "same_file.h"

#include <algorithm>
#include <filesystem>

#include "seq2seq/core/error.h"

namespace seq2seq {

bool same_file(const std::string& a, const std::string& b) {
  namespace fs = std::filesystem;
  std::error_code missing;
  if (fs::exists(a, missing) && fs::exists(b, missing))
    return fs::equivalent(a, b, missing) && fs::is_regular_file(a, missing);
  return fs::weakly_canonical(a, missing) == fs::weakly_canonical(b, missing);
}

void check_files(std::vector<NamedFile> read, std::vector<NamedFile> written) {
  const auto prepare = [](std::vector<NamedFile>& files, const char* standard) {
    std::erase_if(files, [](const NamedFile& file) { return file.name.empty(); });
    for (NamedFile& file : files)
      if (file.name == "-") file.name = standard;
  };
  prepare(read, "/dev/stdin");
  prepare(written, "/dev/stdout");
  const NamedFile* input = nullptr;
  for (const NamedFile& file : read) {
    if (file.name != "/dev/stdin") continue;
    if (input != nullptr)
      throw UsageError(file.flag, "is standard input, as " + input->flag + " is", "name a file");
    input = &file;
  }
  for (size_t i = 0; i < written.size(); ++i) {
    const NamedFile& file = written[i];
    if (file.name.ends_with(".gz"))
      throw UsageError(file.flag, "'" + file.name + "' would not be packed", "name a file without .gz");
    for (const NamedFile& source : read)
      if (same_file(file.name, source.name))
        throw UsageError(file.flag, "is the file of " + source.flag + ", which would be overwritten",
                         "name another file");
    for (size_t j = 0; j < i; ++j)
      if (file.name == written[j].name || same_file(file.name, written[j].name))
        throw UsageError(file.flag, "is where " + written[j].flag + " goes", "name another file");
  }
}

}  // namespace seq2seq
