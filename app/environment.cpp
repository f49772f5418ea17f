#include "environment.h"

#include <ATen/Version.h>
#include <c10/util/Flags.h>
#include <fcntl.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/auxv.h>
#endif

#include <cstdlib>

C10_DECLARE_int(caffe2_log_level);

namespace seq2seq {

void open_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(stream, F_GETFD) >= 0) continue;
    // open() takes the lowest free descriptor, which is this one.
    if (open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0) return;
  }
}

void silence_library_warnings() {
  constexpr int errors_only = 2;
  if (std::getenv("TORCH_CPP_LOG_LEVEL") == nullptr) FLAGS_caffe2_log_level = errors_only;
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
  // Set at program start, so that it may be read between fork and exec.
  if (access(link, X_OK) != 0)
    if (const auto name = getauxval(AT_EXECFN))
      return reinterpret_cast<const char*>(name);  // NOLINT(performance-no-int-to-ptr): that is what it is
#endif
  return link;
}

}  // namespace seq2seq
