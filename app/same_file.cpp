#include "same_file.h"

#include <filesystem>

namespace seq2seq {

bool same_file(const std::string& a, const std::string& b) {
  namespace fs = std::filesystem;
  std::error_code missing;
  if (fs::exists(a, missing) && fs::exists(b, missing))
    return fs::equivalent(a, b, missing) && fs::is_regular_file(a, missing);
  return fs::weakly_canonical(a, missing) == fs::weakly_canonical(b, missing);
}

}  // namespace seq2seq
