#include "seq2seq/model/archive/zip_layout.h"

#include <cstdint>
#include <cstring>
#include <optional>

namespace seq2seq {
namespace {

constexpr uint64_t in_extra_field = 0xFFFFFFFF;  // the number did not fit into 32 bits

/// Little-endian numbers of untrusted bytes; 0 beyond their end.
class Numbers {
 public:
  explicit Numbers(StoredBytes bytes) : bytes_(bytes) {}

  uint64_t size() const { return bytes_.size(); }
  bool hold(uint64_t from, uint64_t count) const { return from <= size() && count <= size() - from; }
  uint64_t at(uint64_t from, uint64_t count) const {
    uint64_t value = 0;
    if (hold(from, count))
      for (uint64_t i = count; i > 0; --i)
        value = value << 8 | std::to_integer<uint64_t>(bytes_[static_cast<size_t>(from + i - 1)]);
    return value;
  }
  StoredBytes part(uint64_t from, uint64_t count) const {
    return bytes_.subspan(static_cast<size_t>(from), static_cast<size_t>(count));
  }
  std::string text(uint64_t from, uint64_t count) const {
    const StoredBytes found = part(from, count);
    return {reinterpret_cast<const char*>(found.data()), found.size()};
  }

 private:
  StoredBytes bytes_;
};

struct Directory {
  uint64_t begin, entries;
};

/// Its end record is the last in the file, with a larger one before it where numbers need 64 bits.
std::optional<Directory> directory_of(const Numbers& file) {
  constexpr uint64_t end_size = 22, locator_size = 20;
  if (file.size() < end_size) return std::nullopt;
  const uint64_t end = file.size() - end_size;
  if (file.at(end, 4) != 0x06054b50) return std::nullopt;
  if (end >= locator_size && file.at(end - locator_size, 4) == 0x07064b50) {
    const uint64_t large_end = file.at(end - locator_size + 8, 8);
    if (!file.hold(large_end, 56) || file.at(large_end, 4) != 0x06064b50) return std::nullopt;
    return Directory{file.at(large_end + 48, 8), file.at(large_end + 32, 8)};
  }
  return Directory{file.at(end + 16, 4), file.at(end + 10, 2)};
}

/// An entry of the directory.
struct DirectoryEntry {
  uint64_t method, packed_bytes, bytes, header;
  std::string name;
  uint64_t record_size;
};

std::optional<DirectoryEntry> entry_at(const Numbers& file, uint64_t from) {
  constexpr uint64_t fixed = 46;
  if (!file.hold(from, fixed) || file.at(from, 4) != 0x02014b50) return std::nullopt;
  const uint64_t name = file.at(from + 28, 2), extra = file.at(from + 30, 2), comment = file.at(from + 32, 2);
  if (!file.hold(from + fixed, name + extra + comment)) return std::nullopt;
  DirectoryEntry entry{file.at(from + 10, 2), file.at(from + 20, 4),         file.at(from + 24, 4),
                       file.at(from + 42, 4), file.text(from + fixed, name), fixed + name + extra + comment};
  // Fields of the extra part: number, size, content. Number 1 has those that did not fit, in this order.
  const uint64_t begin = from + fixed + name;
  for (uint64_t at = 0; at + 4 <= extra; at += 4 + file.at(begin + at + 2, 2)) {
    if (file.at(begin + at, 2) != 1) continue;
    uint64_t next = begin + at + 4;
    for (uint64_t* number : {&entry.bytes, &entry.packed_bytes, &entry.header})
      if (*number == in_extra_field) {
        *number = file.at(next, 8);
        next += 8;
      }
  }
  return entry;
}

/// The bytes behind the entry's own header.
std::optional<StoredBytes> bytes_of(const Numbers& file, const DirectoryEntry& entry) {
  constexpr uint64_t fixed = 30;
  if (entry.method != 0 || entry.packed_bytes != entry.bytes) return std::nullopt;
  if (!file.hold(entry.header, fixed) || file.at(entry.header, 4) != 0x04034b50) return std::nullopt;
  const uint64_t begin = entry.header + fixed + file.at(entry.header + 26, 2) + file.at(entry.header + 28, 2);
  if (!file.hold(begin, entry.bytes)) return std::nullopt;
  return file.part(begin, entry.bytes);
}

}  // namespace

std::unordered_map<std::string, StoredBytes> stored_entries(StoredBytes bytes) {
  const Numbers file(bytes);
  std::unordered_map<std::string, StoredBytes> found;
  const auto directory = directory_of(file);
  if (!directory) return found;
  uint64_t at = directory->begin;
  for (uint64_t i = 0; i < directory->entries; ++i) {
    const auto entry = entry_at(file, at);
    if (!entry) break;
    if (const auto data = bytes_of(file, *entry)) found.emplace(entry->name, *data);
    at += entry->record_size;
  }
  return found;
}

}  // namespace seq2seq
