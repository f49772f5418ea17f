#include "paths.h"

// Only this file is compiled anew where the clone lies elsewhere.
namespace seq2seq::test {

const std::string tests_folder = SEQ2SEQ_SOURCE "/tests/", data_folder = SEQ2SEQ_SOURCE "/data/";
const std::string program_file = SEQ2SEQ_PROGRAM;

}  // namespace seq2seq::test
