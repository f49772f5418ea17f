#include "stop_signal.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "seq2seq/core/log.h"

namespace seq2seq {
namespace {

volatile std::sig_atomic_t received = 0;
std::string acknowledgement_line;  // not changed while signals are watched

// Calls nothing but what a signal handler may.
void on_signal(int signal) {
  const int error = errno;
  received = signal;
  std::signal(signal, SIG_DFL);
  [[maybe_unused]] const ssize_t written =
      ::write(STDERR_FILENO, acknowledgement_line.data(), acknowledgement_line.size());
  errno = error;
}

}  // namespace

void watch_stop_signals(const std::string& acknowledgement) {
  // On a terminal, the progress line and "^C" give way.
  if (!acknowledgement.empty())
    acknowledgement_line = (stderr_is_terminal() ? "\r\033[K" : "") + acknowledgement + "\n";
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
}

int stop_signal() {
  return received;
}

int stop_exit_code() {
  return 128 + received;
}

}  // namespace seq2seq
