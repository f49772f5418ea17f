#include "thread_waiting.h"

#include <unistd.h>

#include <cstdlib>

#include "environment.h"

namespace seq2seq {

void let_threads_sleep(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  setenv("OMP_WAIT_POLICY", "passive", 1);
  // mimalloc reads its settings before main: memory that will be wanted again soon is kept.
  setenv("MIMALLOC_PAGE_RESET", "0", 0);         // version 2.0
  setenv("MIMALLOC_DECOMMIT_DELAY", "1000", 0);  // the same
  setenv("MIMALLOC_PURGE_DELAY", "1000", 0);     // later ones; both in milliseconds
  // By its own path, which is also the name that process lists show.
  char program[4096];
  const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  program[length > 0 ? length : 0] = '\0';
  execv(length > 0 ? program : own_program(), argv);  // in vain, threads spin
}

}  // namespace seq2seq
