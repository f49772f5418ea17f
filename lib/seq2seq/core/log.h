#pragma once

#include <cstdint>
#include <string>

namespace seq2seq {

enum class LogLevel { quiet, normal };
void set_log_level(LogLevel level);

/// One line to stderr; a progress line on the terminal is erased first; its owner shows it again.
void log_info(const std::string& line);
void log_warning(const std::string& line);

/// Whether stderr is a terminal, so that progress may be shown.
bool stderr_is_terminal();

/// Shows `line` in place of the last progress line, cut to the terminal's width; nothing if piped or quiet.
void show_progress(const std::string& line);
void clear_progress();

/// "1:02:03", "4:05".
std::string format_duration(double seconds);
/// "12,345".
std::string format_count(int64_t count);

}  // namespace seq2seq
