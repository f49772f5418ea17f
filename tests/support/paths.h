#pragma once

#include <string>

namespace seq2seq::test {

/// Of the source tree, or of the folder that SEQ2SEQ_TEST_SOURCE names where there is none: tests/, data/.
extern const std::string tests_folder, data_folder;
/// The built program.
extern const std::string program_file;

}  // namespace seq2seq::test
