#pragma once

namespace seq2seq {

/// From now on the first SIGINT or SIGTERM asks for an orderly end; a second one has its usual effect.
void watch_stop_signals();
/// The signal that asked for it; 0 = none yet.
int stop_signal();
/// The exit code after it: as a shell reports a program that a signal ended.
int stop_exit_code();

}  // namespace seq2seq
