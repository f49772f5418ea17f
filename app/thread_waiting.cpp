#include "thread_waiting.h"

#include <unistd.h>

#include <cstdlib>

namespace seq2seq {

void let_threads_sleep(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  setenv("OMP_WAIT_POLICY", "passive", 1);
  execv("/proc/self/exe", argv);  // returns only where there is no /proc: then threads spin
}

}  // namespace seq2seq
