#pragma once

// Private to model: a zip file of unknown origin, as libzip sees it.

#include <zip.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace seq2seq {

/// Whether a file is a zip file with an entry called `name` in some folder. One that is damaged may have had
/// it.
bool may_hold_entry(const std::filesystem::path& path, const std::string& name);

class ZipFile {
 public:
  /// Throws Error when the file is no zip file, is inconsistent, or holds what `check_archive` refuses but
  /// for damaged data, which `read` and `check_data` find.
  explicit ZipFile(const std::filesystem::path& path);

  /// Names without the one folder that they all share.
  std::vector<std::string> names() const;
  bool has(const std::string& name) const { return entries_.contains(name); }
  uint64_t size(const std::string& name) const { return entries_.at(name).size; }
  /// Writes `size(name)` bytes to `to`. Throws Error when they are not what the archive declares.
  void read(const std::string& name, void* to) const;
  std::string text(const std::string& name) const;
  /// Reads every entry and keeps nothing. Throws Error as `read` does.
  void check_data() const;

 private:
  struct Entry {
    uint64_t index, size;
  };
  void read(const std::string& name, const Entry& entry,
            const std::function<void(const char*, size_t)>& use) const;

  std::filesystem::path path_;
  std::unique_ptr<zip_t, decltype(&zip_discard)> archive_;
  std::unordered_map<std::string, Entry> entries_;
};

}  // namespace seq2seq
