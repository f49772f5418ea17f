#include "seq2seq/core/error.h"

#include <new>
#include <utility>

namespace seq2seq {
namespace {

std::string join(const std::string& place, const std::string& problem, const std::string& remedy) {
  std::string text = place.empty() ? problem : place + ": " + problem;
  if (!remedy.empty()) text += "; " + remedy;
  return text;
}

/// `text`, some of which may come from a file of any content, as it may stand in a line: control characters are
/// written out, and of a text that is too long for a message the middle is left out.
std::string presentable(const std::string& text) {
  constexpr size_t longest = 4000;
  const auto is_inside = [&](size_t at) { return (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80; };
  size_t left_out = text.size(), after = text.size();
  if (text.size() > longest) {
    left_out = longest / 2;
    after = text.size() - longest / 2;
    while (left_out > 0 && is_inside(left_out)) --left_out;
    while (after < text.size() && is_inside(after)) ++after;
  }
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i == left_out) {
      result += "\u2026";
      i = after;
    }
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != 0x7f) {
      result += text[i];
    } else {
      constexpr const char* digits = "0123456789abcdef";
      result += c == '\n'   ? "\\n"
                : c == '\t' ? "\\t"
                            : std::string{'\\', 'x', digits[c >> 4], digits[c & 15]};
    }
  }
  return result;
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
    : Error(Parts{presentable(place), presentable(problem), presentable(remedy)}) {}

Error::Error(Parts parts)
    : std::runtime_error(join(parts.place, parts.problem, parts.remedy)), parts_(std::move(parts)) {}

std::string Error::without_place() const {
  return join({}, parts_.problem, parts_.remedy);
}

}  // namespace seq2seq
