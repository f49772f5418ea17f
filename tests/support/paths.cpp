#include "paths.h"

#include <cstdlib>

// Only this file is recompiled if the source tree is at another path.
namespace seq2seq::test {
namespace {

std::string source() {
  const char* named = std::getenv("SEQ2SEQ_TEST_SOURCE");
  return named == nullptr ? SEQ2SEQ_SOURCE : named;
}

}  // namespace

const std::string tests_folder = source() + "/tests/", data_folder = source() + "/data/";
const std::string program_file = SEQ2SEQ_PROGRAM;

}  // namespace seq2seq::test
