#pragma once

namespace seq2seq {

/// From now on the first SIGINT or SIGTERM requests an orderly stop; a second one has its default effect.
void watch_stop_signals();
/// The signal received; 0 = none yet.
int stop_signal();
/// The exit code after that signal, 128 plus its number, as shells report it.
int stop_exit_code();

}  // namespace seq2seq
