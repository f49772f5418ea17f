#include "stop_signal.h"

#include <csignal>

namespace seq2seq {
namespace {

volatile std::sig_atomic_t received = 0;

void on_signal(int signal) {
  received = signal;
  std::signal(signal, SIG_DFL);
}

}  // namespace

void watch_stop_signals() {
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
