#pragma once

#include <string>
#include <vector>

namespace seq2seq {

/// Whether two names lead to one regular file, existing or not.
bool same_file(const std::string& a, const std::string& b);

/// A file and the flag that named it; an empty name is none, "-" standard input or output.
struct NamedFile {
  std::string flag, name;
};
/// Throws UsageError when something would be written that is read, written twice, or whose name ends in .gz,
/// and when standard input would be read twice.
void check_files(std::vector<NamedFile> read, std::vector<NamedFile> written);

}  // namespace seq2seq
