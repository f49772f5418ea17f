#include "seq2seq/data/line_reader.h"

#include <chrono>
#include <cstring>
#include <string_view>
#include <vector>

#include "seq2seq/core/clock.h"
#include "seq2seq/core/plain_text.h"
#include "seq2seq/data/byte_source.h"
#include "seq2seq/data/corpus.h"

namespace seq2seq {
namespace {

constexpr size_t line_block_bytes = size_t{1} << 16;

}  // namespace

struct LineReader::Implementation {
  explicit Implementation(const std::string& path) : bytes(path), buffer(line_block_bytes) {}
  ByteSource bytes;
  std::vector<char> buffer;
  size_t begin = 0, end = 0;
  uint64_t number = 0;
  bool too_long = false;
  bool carriage_returns = false;         // in the first line
  bool begun = false, finished = false;  // whether bytes were read, and there are no more

  size_t read(char* to, size_t size) {
    const size_t count = bytes.read(to, size);
    if (!begun) require_plain_text({to, count}, bytes.name());
    begun = true;
    finished = count == 0;
    return count;
  }

  bool refill() {
    if (finished) return false;
    begin = 0;
    end = read(buffer.data(), buffer.size());
    return end > 0;
  }

  /// Whether `next` returns a line without waiting; a line that is too long counts as soon as that is known.
  bool has_line() const {
    return end - begin > maximum_line_bytes ||
           (begin < end && std::memchr(buffer.data() + begin, '\n', end - begin) != nullptr);
  }

  /// Appends the available bytes to the buffer.
  void read_more() {
    std::memmove(buffer.data(), buffer.data() + begin, end - begin);
    end -= begin;
    begin = 0;
    if (buffer.size() - end < line_block_bytes) buffer.resize(end + line_block_bytes);
    end += read(buffer.data() + end, buffer.size() - end);
  }

  void append(std::string& line, std::string_view part) {
    if (number == 0 && part.find('\r') != std::string_view::npos) carriage_returns = true;
    // One byte more is allowed: the carriage return of a CRLF line end, which is not part of the line.
    if (too_long || line.size() + part.size() > maximum_line_bytes + 1) {
      too_long = true;
      line.clear();
    } else {
      line.append(part);
    }
  }
};

LineReader::LineReader(const std::string& path) : implementation_(std::make_unique<Implementation>(path)) {}
LineReader::~LineReader() = default;

bool LineReader::next(std::string& line) {
  auto& state = *implementation_;
  line.clear();
  state.too_long = false;
  bool any = false, complete = false;
  while (!complete && (state.begin < state.end || state.refill())) {
    any = true;
    const char* from = state.buffer.data() + state.begin;
    const size_t available = state.end - state.begin;
    const void* found = std::memchr(from, '\n', available);
    complete = found != nullptr;
    const size_t length = complete ? static_cast<size_t>(static_cast<const char*>(found) - from) : available;
    state.append(line, {from, length});
    state.begin += length + (complete ? 1 : 0);
  }
  if (!any) return false;
  ++state.number;
  if (line.ends_with('\r')) line.pop_back();
  if (state.number == 1 && !complete &&
      (state.too_long ? state.carriage_returns : line.find('\r') != std::string::npos))
    throw carriage_returns_alone(state.bytes.name());
  if (state.number == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
  if (line.size() > maximum_line_bytes) {
    state.too_long = true;
    line.clear();
  }
  return true;
}

std::string_view LineReader::peek(size_t size) {
  auto& state = *implementation_;
  while (state.end - state.begin < size && !state.finished) state.read_more();
  return {state.buffer.data() + state.begin, std::min(size, state.end - state.begin)};
}

void LineReader::skip(size_t size) {
  implementation_->begin += size;
}

bool LineReader::ready(int64_t milliseconds) const {
  auto& state = *implementation_;
  const auto end = Clock::now() + std::chrono::milliseconds(milliseconds);
  while (!state.has_line()) {
    if (state.finished) return true;
    if (!state.bytes.ready(end)) return false;
    state.read_more();
  }
  return true;
}

bool LineReader::too_long() const {
  return implementation_->too_long;
}
std::string LineReader::place() const {
  return implementation_->bytes.name() + ":" + std::to_string(implementation_->number);
}

}  // namespace seq2seq
