#include "seq2seq/data/line_reader.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstring>
#include <string_view>
#include <vector>

#include "seq2seq/core/clock.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/data/corpus.h"

namespace seq2seq {
namespace {

constexpr size_t block_bytes = size_t{1} << 16;

/// The bytes of a file descriptor; a read returns what is available instead of waiting for a full buffer.
class ByteSource {
 public:
  explicit ByteSource(const std::string& path) : name_(path == "-" ? "standard input" : path) {
    descriptor_ = path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor_ < 0) throw Error(name_, "cannot be opened (" + system_reason() + ")", "check the path");
    if (!path.ends_with(".gz")) return;
    packed_.resize(block_bytes);
    // + 32: zlib detects the headers of both gzip and zlib.
    if (::inflateInit2(&stream_, MAX_WBITS + 32) != Z_OK) throw Error(name_, "cannot be unpacked");
  }
  ~ByteSource() {
    if (!packed_.empty()) ::inflateEnd(&stream_);
    if (descriptor_ > STDIN_FILENO) ::close(descriptor_);
  }
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  const std::string& name() const { return name_; }
  size_t read(char* bytes, size_t size) {
    return packed_.empty() ? read_raw(bytes, size) : inflate_into(bytes, size);
  }
  /// Whether there are bytes, or their end, until then.
  bool ready(Clock::time_point end) const {
    if (stream_.avail_in > 0) return true;
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
      pollfd request{descriptor_, POLLIN, 0};
      const int found = ::poll(&request, 1, static_cast<int>(std::clamp<int64_t>(left, 0, INT_MAX)));
      if (found >= 0) return found > 0;
      if (errno != EINTR) throw Error(name_, "cannot be read (" + system_reason() + ")", "check the path");
    }
  }

 private:
  size_t read_raw(void* bytes, size_t size) {
    for (;;) {
      const ssize_t count = ::read(descriptor_, bytes, size);
      if (count >= 0) return static_cast<size_t>(count);
      if (errno != EINTR) throw Error(name_, "cannot be read (" + system_reason() + ")", "check the path");
    }
  }

  size_t inflate_into(char* bytes, size_t size) {
    stream_.next_out = reinterpret_cast<Bytef*>(bytes);
    stream_.avail_out = static_cast<uInt>(size);
    while (stream_.avail_out == size) {
      if (stream_.avail_in == 0) {
        stream_.next_in = reinterpret_cast<Bytef*>(packed_.data());
        stream_.avail_in = static_cast<uInt>(read_raw(packed_.data(), packed_.size()));
        if (stream_.avail_in == 0) {
          if (!member_complete_)
            throw Error(name_, "ends in the middle of its compressed data", "copy it again");
          return 0;
        }
      }
      if (member_complete_) ::inflateReset(&stream_);  // gzip members may be concatenated
      const int status = ::inflate(&stream_, Z_NO_FLUSH);
      if (status != Z_OK && status != Z_STREAM_END)
        throw Error(name_, "holds damaged or no gzip data", "copy it again, or take .gz off its name");
      member_complete_ = status == Z_STREAM_END;
    }
    return size - stream_.avail_out;
  }

  std::string name_;
  int descriptor_ = -1;
  std::vector<char> packed_;
  z_stream stream_{};
  bool member_complete_ = false;
};

}  // namespace

struct LineReader::Implementation {
  explicit Implementation(const std::string& path) : bytes(path), buffer(block_bytes) {}
  ByteSource bytes;
  std::vector<char> buffer;
  size_t begin = 0, end = 0;
  uint64_t number = 0;
  bool too_long = false;
  bool finished = false;  // no more bytes to read

  bool refill() {
    if (finished) return false;
    begin = 0;
    end = bytes.read(buffer.data(), buffer.size());
    finished = end == 0;
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
    if (buffer.size() - end < block_bytes) buffer.resize(end + block_bytes);
    const size_t count = bytes.read(buffer.data() + end, buffer.size() - end);
    finished = count == 0;
    end += count;
  }

  void append(std::string& line, std::string_view part) {
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
