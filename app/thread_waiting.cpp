// Makes idle OpenMP threads sleep instead of spin, unless OMP_WAIT_POLICY or GOMP_SPINCOUNT is set. Beside another busy
// program, spinning threads take cores from the thread that they wait for: training can become fifty times slower. The
// OpenMP library reads the environment when it is loaded, so the program executes itself again.

#include <unistd.h>

#include <cstddef>
#include <iterator>

#include "environment.h"

namespace seq2seq {
namespace {

constexpr const char* ways_to_wait[] = {"OMP_WAIT_POLICY=passive", "GOMP_SPINCOUNT="};
// mimalloc reads its settings when it is loaded, too. These keep freed memory for reuse; delays are in milliseconds.
constexpr const char* kept_memory[] = {"MIMALLOC_PAGE_RESET=0",         // mimalloc 2.0
                                       "MIMALLOC_DECOMMIT_DELAY=1000",  // mimalloc 2.0
                                       "MIMALLOC_PURGE_DELAY=1000"};    // later versions
constexpr size_t most_variables = 4096;

/// Whether one of the variables, which end with nullptr, is the one that `setting` sets.
[[gnu::no_sanitize_address]] bool is_set(char* const* variables, const char* setting) {
  for (; *variables != nullptr; ++variables)
    for (const char *have = *variables, *want = setting; *have == *want; ++have, ++want)
      if (*want == '=') return true;
  return false;
}

/// Runs before the constructors of all libraries, because LibTorch's take most of the time of a start. Nothing that they
/// prepare may be used yet, not even `getenv` or memory; sanitizers may not have started either.
[[gnu::no_sanitize_address]] void let_threads_sleep(int, char** arguments, char** variables) {
  for (const char* way : ways_to_wait)
    if (is_set(variables, way)) return;
  size_t count = 0;
  while (variables[count] != nullptr) ++count;
  if (count > most_variables) return;
  char* changed[most_variables + std::size(kept_memory) + 2];
  for (size_t i = 0; i < count; ++i) changed[i] = variables[i];
  changed[count++] = const_cast<char*>(ways_to_wait[0]);
  changed[count] = nullptr;
  for (const char* setting : kept_memory) {
    if (is_set(variables, setting)) continue;
    changed[count++] = const_cast<char*>(setting);
    changed[count] = nullptr;
  }
  // By its own path, because process lists show it.
  char program[4096];
  const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  program[length > 0 ? length : 0] = '\0';
  execve(length > 0 ? program : own_program(), arguments, changed);  // if this fails, threads spin
}

[[gnu::section(".preinit_array"), gnu::used]]  // an array of ELF programs
void (*const before_libraries)(int, char**, char**) = let_threads_sleep;

}  // namespace
}  // namespace seq2seq
