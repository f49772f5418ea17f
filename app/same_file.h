#pragma once

#include <string>
#include <vector>

namespace seq2seq {

/// Whether two paths lead to the same regular file, existing or not.
bool same_file(const std::string& a, const std::string& b);

/// A file and its flag; an empty name is no file, "-" is standard input or output.
struct NamedFile {
  std::string flag, name;
};
/// Throws UsageError if a file to be written is read, written twice or ends in .gz, and if standard input
/// would be read twice.
void check_files(std::vector<NamedFile> read, std::vector<NamedFile> written);

}  // namespace seq2seq
