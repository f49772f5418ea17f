#include "seq2seq/data/byte_source.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/plain_text.h"
#include "seq2seq/data/fingerprint.h"

namespace seq2seq {
namespace {

constexpr size_t packed_block_bytes = size_t{1} << 16;
constexpr unsigned char gzip_begin = 0x1F;

}  // namespace

ByteSource::ByteSource(const std::string& path, FileFingerprint* fingerprint)
    : name_(path == "-" ? "standard input" : path),
      fingerprint_(fingerprint),
      stream_(std::make_unique<z_stream_s>()) {
  descriptor_ = path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) throw Error(name_, "cannot be opened (" + system_reason() + ")", "check the path");
  if (!path.ends_with(".gz")) return;
  packed_.resize(packed_block_bytes);
  // + 32: zlib detects the headers of both gzip and zlib.
  if (::inflateInit2(stream_.get(), MAX_WBITS + 32) != Z_OK) throw Error(name_, "cannot be unpacked");
}

ByteSource::~ByteSource() {
  if (!packed_.empty()) ::inflateEnd(stream_.get());
  if (descriptor_ > STDIN_FILENO) ::close(descriptor_);
}

size_t ByteSource::read(char* bytes, size_t size) {
  return packed_.empty() ? read_raw(bytes, size) : inflate_into(bytes, size);
}

bool ByteSource::ready(Clock::time_point end) const {
  if (stream_->avail_in > 0) return true;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd request{descriptor_, POLLIN, 0};
    const int found = ::poll(&request, 1, static_cast<int>(std::clamp<int64_t>(left, 0, INT_MAX)));
    if (found >= 0) return found > 0;
    if (errno != EINTR) throw Error(name_, "cannot be read (" + system_reason() + ")", "check the path");
  }
}

size_t ByteSource::read_raw(char* bytes, size_t size) {
  for (;;) {
    const ssize_t count = ::read(descriptor_, bytes, size);
    if (count >= 0) {
      if (fingerprint_ != nullptr) fingerprint_->add({bytes, static_cast<size_t>(count)});
      return static_cast<size_t>(count);
    }
    if (errno != EINTR) throw Error(name_, "cannot be read (" + system_reason() + ")", "check the path");
  }
}

/// False at the end of the packed data, which must be complete there.
bool ByteSource::read_packed() {
  const bool first = stream_->total_in == 0 && !member_complete_;
  const size_t count = read_raw(packed_.data(), packed_.size());
  stream_->next_in = reinterpret_cast<Bytef*>(packed_.data());
  stream_->avail_in = static_cast<uInt>(count);
  if (count == 0 && first) throw Error(name_, "is empty, as gzip data never is", "copy it again");
  if (count == 0 && !member_complete_)
    throw Error(name_, "ends in the middle of its compressed data", "copy it again");
  if (first && count > 0 && *stream_->next_in != gzip_begin)
    require_plain_text({packed_.data(), count}, name_);
  return count > 0;
}

/// Behind a member may come another, or zeros, which fill up the last block of a tape.
void ByteSource::begin_next_member() {
  while (stream_->avail_in > 0 && *stream_->next_in == 0) {
    padded_ = true;
    ++stream_->next_in;
    --stream_->avail_in;
  }
  if (stream_->avail_in == 0) return;
  if (padded_ || *stream_->next_in != gzip_begin)
    throw Error(name_, "holds other bytes behind its gzip data",
                "if they are no text, leave them out: gzip -dc FILE | gzip > NEW.gz");
  ::inflateReset(stream_.get());
  member_complete_ = false;
}

size_t ByteSource::inflate_into(char* bytes, size_t size) {
  stream_->next_out = reinterpret_cast<Bytef*>(bytes);
  stream_->avail_out = static_cast<uInt>(size);
  while (stream_->avail_out == size) {
    if (stream_->avail_in == 0 && !read_packed()) return 0;
    if (member_complete_) begin_next_member();
    if (stream_->avail_in == 0) continue;
    const int status = ::inflate(stream_.get(), Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END)
      throw Error(name_, "holds damaged or no gzip data", "copy it again, or take .gz off its name");
    member_complete_ = status == Z_STREAM_END;
  }
  return size - stream_->avail_out;
}

}  // namespace seq2seq
