#include "seq2seq/core/peak_memory.h"

#include <sys/resource.h>

namespace seq2seq {

double peak_memory_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
#ifdef __APPLE__
  constexpr double unit = 1024 * 1024;  // ru_maxrss is in bytes
#else
  constexpr double unit = 1024;
#endif
  return static_cast<double>(usage.ru_maxrss) / unit;
}

}  // namespace seq2seq
