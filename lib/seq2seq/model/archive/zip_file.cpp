#include "seq2seq/model/archive/zip_file.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <string_view>

#include "seq2seq/core/error.h"
#include "seq2seq/core/log.h"

namespace seq2seq {
namespace fs = std::filesystem;
namespace {

constexpr int64_t most_entries = 100'000;
constexpr size_t alignment = 64;  // of LibTorch's memory, and of the tensors in an archive of LibTorch
constexpr uint64_t compression_allowance = uint64_t{16} << 20;  // only code is compressed

[[noreturn]] void refuse(const fs::path& path, const std::string& problem) {
  throw Error(path.string(), problem, "give a whole archive, as it was written");
}

// Whether an entry's name stays inside the folder that the archive is unpacked to.
bool is_plain(std::string_view name) {
  if (name.empty() || name.front() == '/' || name.find_first_of("\\:") != std::string_view::npos)
    return false;
  for (const char c : name)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  for (size_t begin = 0; begin <= name.size();) {
    const size_t end = std::min(name.find('/', begin), name.size());
    if (name.substr(begin, end - begin) == "..") return false;
    begin = end + 1;
  }
  return true;
}

// True for shorter files as well, if they match so far: they may be truncated zip files.
bool begins_as_zip(const fs::path& path) {
  constexpr std::string_view magic = "PK";
  char begin[magic.size()];
  std::ifstream file(path, std::ios::binary);
  file.read(begin, sizeof begin);
  return magic.starts_with(std::string_view(begin, static_cast<size_t>(file.gcount())));
}

}  // namespace

bool may_hold_entry(const fs::path& path, const std::string& name) {
  std::error_code unknown;
  if (!fs::is_regular_file(path, unknown) || !begins_as_zip(path)) return false;
  int error = 0;
  const std::unique_ptr<zip_t, decltype(&zip_discard)> archive(
      zip_open(path.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &error), &zip_discard);
  if (!archive || zip_get_num_entries(archive.get(), 0) == 0) return true;
  return zip_name_locate(archive.get(), name.c_str(), ZIP_FL_NODIR) >= 0;
}

ZipFile::ZipFile(const fs::path& path)
    : path_(path), identity_(FileIdentity::of(path)), archive_(nullptr, &zip_discard) {
  std::error_code unknown;
  if (!fs::is_regular_file(path, unknown)) refuse(path, "is not a file");
  file_bytes_ = fs::file_size(path, unknown);
  if (file_bytes_ == 0) refuse(path, "is empty");
  int error = 0;
  archive_.reset(zip_open(path.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &error));
  if (!archive_) refuse(path, "is not a TorchScript archive, or is damaged");
  // A comment may contain a second directory, which other readers would take for the first.
  int comment = 0;
  zip_get_archive_comment(archive_.get(), &comment, ZIP_FL_ENC_RAW);
  if (comment != 0) refuse(path, "has a comment, which no TorchScript archive has");
  const zip_int64_t count = zip_get_num_entries(archive_.get(), 0);
  if (count > most_entries) refuse(path, "has " + format_count(count) + " entries, which no model has");
  const uint64_t allowed = file_bytes_ + compression_allowance;
  uint64_t total = 0;
  for (zip_int64_t i = 0; i < count; ++i) {
    zip_stat_t entry;
    zip_stat_init(&entry);
    constexpr zip_uint64_t needed = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
    if (zip_stat_index(archive_.get(), static_cast<zip_uint64_t>(i), 0, &entry) != 0 ||
        (entry.valid & needed) != needed)
      refuse(path, "is not a TorchScript archive, or is damaged");
    const std::string name = entry.name;
    if (!is_plain(name)) refuse(path, "has an entry whose name leads out of the archive");
    if (entry.comp_method != ZIP_CM_STORE && entry.comp_method != ZIP_CM_DEFLATE)
      refuse(path, "has an entry in a compression that TorchScript does not use");
    if (entry.size > allowed || (total += entry.size) > allowed)
      refuse(path, "declares more data than a file of its size can hold");
    const size_t slash = name.find('/');
    if (slash == std::string::npos || (i > 0 && name.substr(0, slash) != folder_))
      refuse(path, "is a zip file, but not a TorchScript archive: its entries are not in one folder");
    folder_ = name.substr(0, slash);
    if (entry.comp_method != ZIP_CM_STORE && !std::string_view(name).substr(slash).starts_with("/code/"))
      refuse(path, "has a compressed entry '" + name + "', where TorchScript compresses code alone");
    if (!entries_.emplace(name.substr(slash + 1), Entry{entry.index, entry.size}).second)
      refuse(path, "has two entries of one name");
  }
}

std::vector<std::string> ZipFile::names() const {
  std::vector<std::string> result;
  for (const auto& [name, entry] : entries_) result.push_back(name);
  std::sort(result.begin(), result.end());
  return result;
}

void ZipFile::read(const std::string& name, const Entry& entry,
                   const std::function<void(const char*, size_t)>& use) const {
  const std::unique_ptr<zip_file_t, decltype(&zip_fclose)> file(
      zip_fopen_index(archive_.get(), entry.index, 0), &zip_fclose);
  if (!file) refuse(path_, "its entry '" + name + "' cannot be read");
  std::vector<char> buffer(size_t{1} << 16);
  uint64_t size = 0;
  zip_int64_t read = 0;
  while ((read = zip_fread(file.get(), buffer.data(), buffer.size())) > 0) {
    size += static_cast<uint64_t>(read);
    if (size > entry.size) break;
    use(buffer.data(), static_cast<size_t>(read));
  }
  if (read < 0 || size != entry.size)
    refuse(path_, "its entry '" + name + "' is damaged");  // libzip verifies checksums
}

void ZipFile::read(const std::string& name, void* to) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) refuse(path_, "has no entry '" + name + "'");
  char* at = static_cast<char*>(to);
  read(name, found->second, [&](const char* bytes, size_t count) {
    std::memcpy(at, bytes, count);
    at += count;
  });
}

std::string ZipFile::text(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) refuse(path_, "has no entry '" + name + "'");
  std::string result(found->second.size, '\0');
  read(name, result.data());
  return result;
}

void ZipFile::map() {
  mapping_ = MappedFile::open(path_, identity_);
  if (mapping_) stored_ = stored_entries(mapping_->bytes());
}

ZipFile::Mapped ZipFile::mapped(const std::string& name) const {
  const auto found = stored_.find(folder_ + "/" + name);
  const auto entry = entries_.find(name);
  if (found == stored_.end() || entry == entries_.end() || found->second.size() != entry->second.size)
    return {};
  const std::byte* data = found->second.data();
  if (reinterpret_cast<uintptr_t>(data) % alignment != 0) return {};
  return {mapping_, data};
}

void ZipFile::check_data() const {
  for (const auto& [name, entry] : entries_) read(name, entry, [](const char*, size_t) {});
}

}  // namespace seq2seq
