#include "seq2seq/core/error.h"

#include <new>

namespace seq2seq {
namespace {

std::string join(const std::string& place, const std::string& problem, const std::string& remedy) {
  std::string text = place.empty() ? problem : place + ": " + problem;
  if (!remedy.empty()) text += "; " + remedy;
  return text;
}

bool speaks_of_memory(const std::string& text) {
  // "can't allocate memory: you tried to allocate ... (Cannot allocate memory)", "CUDA out of memory".
  return text.find("allocate memory") != std::string::npos || text.find("out of memory") != std::string::npos;
}

}  // namespace

void rethrow_unforeseen(const std::string& doing) {
  std::string text = "unknown";
  bool no_memory = false;
  try {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    no_memory = true;
  } catch (const std::exception& error) {
    text = error.what();
    no_memory = speaks_of_memory(text);
  } catch (...) {
  }
  if (no_memory) throw Error(doing, "not enough memory", "use smaller batches or a smaller model");
  throw Error(doing, "an error that was not foreseen: " + text.substr(0, text.find('\n')),
              "please report it");
}

Error::Error(const std::string& place, const std::string& problem, const std::string& remedy)
    : std::runtime_error(join(place, problem, remedy)), place_(place), problem_(problem), remedy_(remedy) {}

}  // namespace seq2seq
