#include "seq2seq/core/log.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <mutex>

namespace seq2seq {
namespace {

std::mutex mutex;
LogLevel current_level = LogLevel::normal;
bool progress_shown = false;

void erase_progress() {
  if (progress_shown) std::fputs("\r\033[K", stderr);
  progress_shown = false;
}

void write_line(const std::string& line) {
  const std::lock_guard lock(mutex);
  erase_progress();
  std::fprintf(stderr, "%s\n", line.c_str());
}

size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

void set_log_level(LogLevel level) {
  current_level = level;
}

void log_info(const std::string& line) {
  if (current_level == LogLevel::normal) write_line(line);
}

void log_warning(const std::string& line) {
  write_line("warning: " + line);
}

bool stderr_is_terminal() {
  static const bool terminal = ::isatty(STDERR_FILENO) != 0;
  return terminal;
}

void show_progress(const std::string& line) {
  if (!stderr_is_terminal() || current_level == LogLevel::quiet) return;
  const std::lock_guard lock(mutex);
  const std::string shown = line.substr(0, terminal_width() - 1);
  std::fprintf(stderr, "\r\033[K%s", shown.c_str());
  std::fflush(stderr);
  progress_shown = true;
}

void clear_progress() {
  const std::lock_guard lock(mutex);
  erase_progress();
}

std::string format_duration(double seconds) {
  const auto total = static_cast<long long>(seconds < 0 ? 0 : seconds);
  char text[32];
  if (total >= 3600)
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", total / 3600, total / 60 % 60, total % 60);
  else
    std::snprintf(text, sizeof text, "%lld:%02lld", total / 60, total % 60);
  return text;
}

std::string format_count(int64_t count) {
  std::string digits = std::to_string(count < 0 ? -count : count);
  for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<size_t>(at), ",");
  return count < 0 ? "-" + digits : digits;
}

}  // namespace seq2seq
