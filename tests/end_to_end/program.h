#pragma once

// Starts the built program.

#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <vector>

#include "../support/paths.h"

namespace seq2seq {

/// `prepare` is called in the child.
inline pid_t start_program(std::vector<std::string> arguments, const std::function<void()>& prepare = {}) {
  std::string program = test::program_file;
  std::vector<char*> words{program.data()};
  for (auto& argument : arguments) words.push_back(argument.data());
  words.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    if (prepare) prepare();
    execv(test::program_file.c_str(), words.data());
    _exit(127);
  }
  return child;
}

/// The status that waitpid returns.
inline int wait_for(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

}  // namespace seq2seq
