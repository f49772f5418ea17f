#pragma once

#include <string>

namespace seq2seq::test {

/// tests/ and data/ of the source tree, or of the folder that SEQ2SEQ_TEST_SOURCE names.
extern const std::string tests_folder, data_folder;
/// The built program.
extern const std::string program_file;

}  // namespace seq2seq::test
