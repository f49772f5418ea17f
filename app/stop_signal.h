#pragma once

#include <string>

namespace seq2seq {

/// From now on the first SIGINT or SIGTERM requests an orderly stop, and writes the line `acknowledgement`,
/// if it is not empty, to stderr; a second one has its default effect.
void watch_stop_signals(const std::string& acknowledgement);
/// The signal received; 0 = none yet.
int stop_signal();
/// The exit code after that signal, 128 plus its number, as shells report it.
int stop_exit_code();

}  // namespace seq2seq
