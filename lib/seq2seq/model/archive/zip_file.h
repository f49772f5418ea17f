#pragma once

// Private to model: reads untrusted zip files with libzip.

#include <zip.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "seq2seq/core/mapped_file.h"
#include "seq2seq/model/archive/zip_layout.h"

namespace seq2seq {

/// Whether a file is a zip file with an entry `name` in some folder, or a damaged one that may have had it.
bool may_hold_entry(const std::filesystem::path& path, const std::string& name);

class ZipFile {
 public:
  /// Throws Error if the file is not a zip file, is inconsistent, or fails a check of `check_archive` other
  /// than those of the data, which `read` and `check_data` make.
  explicit ZipFile(const std::filesystem::path& path);

  uint64_t file_bytes() const { return file_bytes_; }
  /// The names of the entries without their top folder, sorted.
  std::vector<std::string> names() const;
  bool has(const std::string& name) const { return entries_.contains(name); }
  uint64_t size(const std::string& name) const { return entries_.at(name).size; }
  /// Writes `size(name)` bytes to `to`. Throws Error if size or checksum differ from the declared ones.
  void read(const std::string& name, void* to) const;
  std::string text(const std::string& name) const;
  /// Reads every entry and keeps nothing. Throws like `read`.
  void check_data() const;

  /// The bytes of an entry where they are in a mapping of the file.
  struct Mapped {
    std::shared_ptr<const MappedFile> file;  ///< null = the entry must be read
    const std::byte* data = nullptr;         ///< aligned for any type
  };
  /// Lets `mapped` answer, if the file can be mapped (core/mapped_file.h) and is still the one that was opened.
  void map();
  Mapped mapped(const std::string& name) const;

 private:
  struct Entry {
    uint64_t index, size;
  };
  void read(const std::string& name, const Entry& entry,
            const std::function<void(const char*, size_t)>& use) const;

  std::filesystem::path path_;
  FileIdentity identity_;  // before it was opened
  uint64_t file_bytes_ = 0;
  std::string folder_;  // the top folder
  std::unique_ptr<zip_t, decltype(&zip_discard)> archive_;
  std::unordered_map<std::string, Entry> entries_;
  std::shared_ptr<const MappedFile> mapping_;
  std::unordered_map<std::string, StoredBytes> stored_;  // by names with the top folder
};

}  // namespace seq2seq
