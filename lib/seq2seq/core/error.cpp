#include "seq2seq/core/error.h"

namespace seq2seq {
namespace {

std::string join(const std::string& where, const std::string& problem, const std::string& remedy) {
  std::string text = where.empty() ? problem : where + ": " + problem;
  if (!remedy.empty()) text += "; " + remedy;
  return text;
}

}  // namespace

Error::Error(const std::string& where, const std::string& problem, const std::string& remedy)
    : std::runtime_error(join(where, problem, remedy)) {}

}  // namespace seq2seq
