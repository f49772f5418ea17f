#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace seq2seq::fuzz {

/// The folder of this process for files to read, which is removed at its end. Unpacked copies are kept in it, too.
const std::filesystem::path& input_folder();
/// Writes such a file anew; its path.
std::string input_file(const std::string& name, std::string_view bytes);

/// The bytes of some files below the repository's root, each cut to 1 MiB.
std::string source_file(const std::string& path);

}  // namespace seq2seq::fuzz
