// Checks that the environment (tests/CMakeLists.txt) limits this machine to a lower instruction set: prints
// the levels in use; exit code 0 if they are as requested.
//   level INSTRUCTION_SET LIBTORCH_CAPABILITY

#include <ATen/Version.h>

#include <exception>
#include <iostream>
#include <string>

#include "seq2seq/nn/engine/capabilities.h"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string ours = argv[1], torch = argv[2];
  try {
    const std::string set = seq2seq::name_of(seq2seq::instruction_set());
    const bool half = seq2seq::has_onednn_bfloat16_products();
    std::cout << "loops " << set << ", LibTorch " << at::get_cpu_capability() << ", bfloat16 products "
              << (half ? "yes" : "no") << "\n";
    if (set == ours && at::get_cpu_capability() == torch && !half) return 0;
    std::cerr << "level: the environment did not bring about loops " << ours << ", LibTorch " << torch
              << ", no bfloat16 products\n";
  } catch (const std::exception& error) {
    std::cerr << "level: " << error.what() << "\n";
  }
  return 1;
}
