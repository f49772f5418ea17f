#pragma once

#include <string>

namespace seq2seq::test {

/// Of the source tree: tests/, data/.
extern const std::string tests_folder, data_folder;
/// The built program.
extern const std::string program_file;

}  // namespace seq2seq::test
