#include "thread_waiting.h"

#include <unistd.h>

#include <cstdlib>

#include "environment.h"

namespace seq2seq {

void let_threads_sleep(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  setenv("OMP_WAIT_POLICY", "passive", 1);
  // mimalloc reads its settings before main. These keep freed memory for reuse; delays are in milliseconds.
  setenv("MIMALLOC_PAGE_RESET", "0", 0);         // mimalloc 2.0
  setenv("MIMALLOC_DECOMMIT_DELAY", "1000", 0);  // mimalloc 2.0
  setenv("MIMALLOC_PURGE_DELAY", "1000", 0);     // later versions
  // By its own path, because process lists show it.
  char program[4096];
  const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  program[length > 0 ? length : 0] = '\0';
  execv(length > 0 ? program : own_program(), argv);  // if this fails, threads spin
}

}  // namespace seq2seq
