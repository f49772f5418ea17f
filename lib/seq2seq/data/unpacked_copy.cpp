#include "seq2seq/data/unpacked_copy.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <vector>

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/log.h"
#include "seq2seq/data/byte_source.h"
#include "seq2seq/data/hash.h"

namespace seq2seq {
namespace fs = std::filesystem;
namespace {

bool make_private_folder(const fs::path& folder) {
  std::error_code failure;
  fs::create_directories(folder.parent_path(), failure);
  ::mkdir(folder.c_str(), 0700);
  // A folder of another user could contain any text as the decompressed copy.
  struct stat status {};
  return ::lstat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == ::geteuid() &&
         ::access(folder.c_str(), W_OK) == 0;
}

fs::path cache_folder(const std::string& path) {
  std::vector<fs::path> candidates;
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache == '/')
    candidates.push_back(fs::path(cache) / "seq2seq");
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/')
    candidates.push_back(fs::path(home) / ".cache" / "seq2seq");
  std::error_code missing;
  if (const fs::path temporary = fs::temp_directory_path(missing); !missing)
    candidates.push_back(temporary / ("seq2seq-" + std::to_string(::geteuid())));
  for (const auto& folder : candidates)
    if (make_private_folder(folder)) return folder;
  throw Error(path,
              "no folder can be written for its unpacked copy" +
                  (candidates.empty() ? "" : " (" + candidates.back().string() + ")"),
              "set XDG_CACHE_HOME to a folder with free space, or unpack the file yourself");
}

/// Returns the fingerprint of the packed file, so that it is read once.
FileFingerprint unpack(const std::string& path, const std::string& target) {
  FileFingerprint packed{fs::path(path).filename().string()};
  ByteSource in(path, &packed);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(std::fopen(target.c_str(), "wbe"), std::fclose);
  if (!out) throw Error(target, "cannot be written (" + system_reason() + ")", "set XDG_CACHE_HOME");
  std::vector<char> block(size_t{1} << 17);
  bool written = true;
  while (const size_t count = written ? in.read(block.data(), block.size()) : 0)
    written = std::fwrite(block.data(), 1, count, out.get()) == count;
  if (!written || std::fflush(out.get()) != 0)
    throw Error(target, "cannot be written (" + system_reason() + ")",
                "set XDG_CACHE_HOME to a folder with free space");
  return packed;
}

}  // namespace

UnpackedCopy unpacked_copy(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0)
    throw Error(path, "cannot be opened (" + system_reason() + ")", "check the path");
  const fs::path folder = cache_folder(path);
  char prefix[32], name[96];
  std::snprintf(prefix, sizeof prefix, "%016llx-",
                static_cast<unsigned long long>(hash_bytes(fs::absolute(path).lexically_normal().string())));
  std::snprintf(
      name, sizeof name, "%s%llx-%llx%09lx.txt", prefix, static_cast<unsigned long long>(status.st_size),
      static_cast<unsigned long long>(status.st_mtim.tv_sec), static_cast<long>(status.st_mtim.tv_nsec));
  const fs::path copy = folder / name;
  if (fs::is_regular_file(copy)) return {copy.string(), fingerprint_of(path)};
  FileFingerprint packed;
  write_file(copy, [&](const std::string& temporary) { packed = unpack(path, temporary); });
  log_info(path + ": unpacked into " + copy.string());
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    if (entry.path() != copy && entry.path().filename().string().starts_with(prefix))
      fs::remove(entry.path(), ignored);
  return {copy.string(), packed};
}

}  // namespace seq2seq
