#include "environment.h"

#include <ATen/Version.h>
#include <fcntl.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/auxv.h>
#endif

namespace seq2seq {

void open_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(stream, F_GETFD) >= 0) continue;
    // The lowest free number is taken, which is this one.
    if (open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0) return;
  }
}

void identify_processor() {
  if (access("/proc/cpuinfo", R_OK) == 0) return;
  const int error = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0),
            nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (error >= 0 && nothing >= 0) {
    dup2(nothing, STDERR_FILENO);
    at::get_cpu_capability();
    dup2(error, STDERR_FILENO);
  }
  if (error >= 0) close(error);
  if (nothing >= 0) close(nothing);
}

const char* own_program() {
  constexpr const char* link = "/proc/self/exe";
#ifdef __linux__
  // Set when a program starts, so that it can be asked for between fork and exec.
  if (access(link, X_OK) != 0)
    if (const auto name = getauxval(AT_EXECFN)) return reinterpret_cast<const char*>(name);
#endif
  return link;
}

}  // namespace seq2seq
