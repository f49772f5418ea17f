#include "seq2seq/data/indexed_lines.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <filesystem>

#include "seq2seq/core/error.h"
#include "seq2seq/core/plain_text.h"
#include "seq2seq/data/corpus.h"
#include "seq2seq/data/unpacked_copy.h"
#include "seq2seq/text/utf8.h"

namespace seq2seq {
namespace {

constexpr size_t index_block_bytes = size_t{1} << 18, lines_block_bytes = size_t{1} << 16;

uint64_t next_number() {
  static std::atomic<uint64_t> last = 0;
  return ++last;
}

}  // namespace

/// What a thread has read last, for it may go on with the next line.
struct IndexedLines::Recent {
  uint64_t number = 0;  // of the lines' object
  uint64_t next = 0;    // the line that comes next
  uint64_t begin = 0;   // where the bytes stand in the file
  std::string bytes;
  bool holds(uint64_t from, uint64_t to) const { return from >= begin && to <= begin + bytes.size(); }
};

IndexedLines::Recent& IndexedLines::recent_of_thread(uint64_t number) {
  // The two sides of a corpus are read in turn.
  thread_local std::array<Recent, 2> recents;
  return recents[number % recents.size()];
}

IndexedLines::IndexedLines(const std::string& path) : number_(next_number()), path_(path) {
  open();
  const FileStamp stamp = file_->stamp();
  if (stamp.bytes == 0) throw Error(path_, "is empty", "give a file with at least one line");
  file_->expect_sequential_reads();
  const FileFingerprint content = index_lines();
  file_->expect_random_reads();
  opened_.emplace(*file_, stamp, content);
  if (!named_) named_.emplace(path_, stamp, content);
  require_same();  // it may have been written while it was read
}

void IndexedLines::open() {
  file_.emplace(path_, path_);
  if (!file_->is_regular()) throw Error(path_, "is not a regular file", "store the text in a file first");
  if (!path_.ends_with(".gz")) return;
  const FileStamp stamp = file_->stamp();
  const UnpackedCopy copy = unpacked_copy(path_);
  named_.emplace(path_, stamp, copy.packed);
  file_.emplace(copy.path, copy.path);
}

uint64_t IndexedLines::count_lines() const {
  std::vector<char> block(index_block_bytes);
  uint64_t lines = 0, offset = 0;
  char last = '\n';
  while (const size_t count = file_->read(block, offset)) {
    if (offset == 0) require_plain_text({block.data(), count}, path_);
    lines += static_cast<uint64_t>(
        std::count(block.begin(), block.begin() + static_cast<std::ptrdiff_t>(count), '\n'));
    last = block[count - 1];
    offset += count;
  }
  return lines + (last == '\n' ? 0 : 1);
}

FileFingerprint IndexedLines::index_lines() {
  // Counted first, to allocate the index once and exactly; a growing vector would leave its old blocks behind.
  begins_.reserve(count_lines() + 1);
  FileFingerprint content{std::filesystem::path(path_).filename().string()};
  std::vector<char> block;
  uint64_t offset = 0;  // of the block
  size_t kept = 0;      // bytes of a line whose end is still to be read
  for (;;) {
    block.resize(std::max(block.size(), kept + index_block_bytes));
    const size_t count = file_->read({block.data() + kept, index_block_bytes}, offset + kept);
    content.add({block.data() + kept, count});
    const std::string_view bytes(block.data(), kept + count);
    size_t begin = 0;
    for (size_t end; (end = bytes.find('\n', begin)) != std::string_view::npos; begin = end + 1)
      add_line(offset + begin, bytes.substr(begin, end - begin));
    kept = bytes.size() - begin;
    offset += begin;
    if (count == 0) break;
    // A byte order mark and a carriage return are no part of the line.
    if (kept > maximum_line_bytes + 4) refuse_long_line(offset, bytes.substr(begin));
    std::memmove(block.data(), bytes.data() + begin, kept);
  }
  bytes_ = content.bytes;
  if (kept > 0) add_line(offset, {block.data(), kept});
  begins_.push_back(bytes_ + (kept > 0 ? 1 : 0));
  if (size() == 1 && first_has_return_) throw carriage_returns_alone(path_);
  return content;
}

void IndexedLines::add_line(uint64_t offset, std::string_view line) {
  const uint64_t index = begins_.size();
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (index == 0) {
    if (line.starts_with("\xEF\xBB\xBF")) {
      line.remove_prefix(3);
      offset += 3;
    }
    first_has_return_ = line.find('\r') != std::string_view::npos;
  }
  if (line.size() > maximum_line_bytes) refuse_long_line(offset, line);
  if (const auto fault = find_invalid_utf8(line))
    throw Error(place(index), "not valid UTF-8 at byte " + std::to_string(*fault + 1) + " of the line",
                utf8_remedy);
  begins_.push_back(offset);
}

void IndexedLines::refuse_long_line(uint64_t offset, std::string_view beginning) const {
  if (begins_.empty() && beginning.find('\r') != std::string_view::npos && count_lines() == 1)
    throw carriage_returns_alone(path_);
  std::vector<char> block(index_block_bytes);
  uint64_t end = offset;
  char last = 0;
  while (const size_t count = file_->read(block, end)) {
    const std::string_view bytes(block.data(), count);
    const size_t found = std::min(bytes.find('\n'), count);
    if (found > 0) last = bytes[found - 1];
    end += found;
    if (found < count) break;
  }
  throw Error(place(begins_.size()),
              "the line has " + std::to_string(end - offset - (last == '\r' ? 1 : 0)) +
                  " bytes, more than the limit of 1 MiB",
              "split or remove it");
}

void IndexedLines::require_same() const {
  opened_->require_same();
  named_->require_same();
}

std::string IndexedLines::operator[](uint64_t index) const {
  const uint64_t begin = begins_[index], end = begins_[index + 1] - 1;
  Recent& recent = recent_of_thread(number_);
  const bool in_order = recent.number == number_ && recent.next == index;
  const uint64_t block_end = in_order ? std::min(begin + lines_block_bytes, bytes_) : 0;
  while (recent.number != number_ || !recent.holds(begin, end)) read(recent, begin, std::max(end, block_end));
  recent.next = index + 1;
  std::string line(recent.bytes, begin - recent.begin, end - begin);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

/// Reads nothing where the file has been touched, but has the same content.
void IndexedLines::read(Recent& recent, uint64_t begin, uint64_t end) const {
  recent.number = 0;
  recent.begin = begin;
  recent.bytes.resize(end - begin);
  const size_t count = file_->read(recent.bytes, begin);
  if (!opened_->is_untouched()) return opened_->require_same();
  if (count < recent.bytes.size())
    throw ChangedText(file_->name(), "can no longer be read to its end", "check the disk");
  recent.number = number_;
}

}  // namespace seq2seq
