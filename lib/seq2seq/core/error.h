#pragma once

#include <stdexcept>
#include <string>

namespace seq2seq {

/// A failure the user can fix: bad input, a bad option, a missing file. `main` prints it as one line and
/// exits 1. Programmers' errors use TORCH_CHECK instead.
class Error : public std::runtime_error {
 public:
  /// `place` is where the user can go to ("train.en:17", "--beam-size", "config.json: encoder.layers");
  /// `problem` names the offending value; `remedy` says what to do about it.
  Error(const std::string& place, const std::string& problem, const std::string& remedy = {});
  const std::string& place() const { return parts_.place; }
  const std::string& problem() const { return parts_.problem; }
  const std::string& remedy() const { return parts_.remedy; }
  /// "problem; remedy", for where the place is told otherwise.
  std::string without_place() const;

 private:
  struct Parts {
    std::string place, problem, remedy;
  };
  explicit Error(Parts parts);

  Parts parts_;
};

/// In a catch block: rethrows an Error unchanged; any other exception becomes an Error with what was being
/// done ("update 17") and that memory ran out, or the first line of the exception's message.
[[noreturn]] void rethrow_unforeseen(const std::string& doing);

/// Invalid options: exit code 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

}  // namespace seq2seq
