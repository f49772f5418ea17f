#include "seq2seq/data/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/data/corpus.h"
#include "seq2seq/text/utf8.h"

namespace seq2seq {

MappedLines::MappedLines(const std::string& path) : path_(path) {
  map(path.ends_with(".gz") ? unpacked_copy(path) : path);
  try {
    index_lines();
    check_lines();
  } catch (...) {
    ::munmap(const_cast<char*>(bytes_), length_);
    throw;
  }
  // From now on lines are read in random order: read-ahead would only evict other pages.
  ::madvise(const_cast<char*>(bytes_), length_, MADV_RANDOM);
}

MappedLines::~MappedLines() {
  ::munmap(const_cast<char*>(bytes_), length_);
}

void MappedLines::map(const std::string& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw Error(path_, "cannot be opened (" + system_reason() + ")", "check the path");
  struct stat status {};
  const bool known = ::fstat(descriptor, &status) == 0;
  std::string problem, remedy;
  if (!known || !S_ISREG(status.st_mode)) {
    problem = "is not a regular file";
    remedy = "store the text in a file first";
  } else if (status.st_size == 0) {
    problem = "is empty";
    remedy = "give a file with at least one line";
  } else {
    length_ = static_cast<size_t>(status.st_size);
    void* address = ::mmap(nullptr, length_, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (address == MAP_FAILED)
      problem = "cannot be mapped into memory (" + system_reason() + ")";
    else
      bytes_ = static_cast<const char*>(address);
  }
  ::close(descriptor);
  if (!problem.empty()) throw Error(path_, problem, remedy);
  ::madvise(const_cast<char*>(bytes_), length_, MADV_SEQUENTIAL);
}

void MappedLines::index_lines() {
  // Count first, to allocate the index once and exactly; a growing vector would leave its old blocks behind.
  const char* end = bytes_ + length_;
  auto lines = static_cast<uint64_t>(std::count(bytes_, end, '\n'));
  if (end[-1] != '\n') ++lines;
  begins_.reserve(lines + 1);
  const bool marked = std::string_view(bytes_, length_).starts_with("\xEF\xBB\xBF");
  begins_.push_back(marked ? 3 : 0);
  const char* at = bytes_;
  while (begins_.size() < lines) {
    at = static_cast<const char*>(std::memchr(at, '\n', static_cast<size_t>(end - at))) + 1;
    begins_.push_back(static_cast<uint64_t>(at - bytes_));
  }
  begins_.push_back(length_ + (end[-1] == '\n' ? 0 : 1));
}

std::string_view MappedLines::operator[](uint64_t index) const {
  std::string_view line(bytes_ + begins_[index], begins_[index + 1] - 1 - begins_[index]);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

void MappedLines::check_lines() const {
  for (uint64_t index = 0; index < size(); ++index) {
    const std::string_view line = (*this)[index];
    if (line.size() > maximum_line_bytes)
      throw Error(place(index),
                  "the line has " + std::to_string(line.size()) + " bytes, more than the limit of 1 MiB",
                  "split or remove it");
    if (const auto fault = find_invalid_utf8(line))
      throw Error(place(index), "not valid UTF-8 at byte " + std::to_string(*fault + 1) + " of the line",
                  "convert the file, for example with iconv -t UTF-8");
  }
}

}  // namespace seq2seq
