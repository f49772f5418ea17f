#include "seq2seq/core/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "seq2seq/core/error.h"

namespace seq2seq {
namespace fs = std::filesystem;
namespace {

void sync_path(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0 || ::fsync(descriptor) != 0) {
    const std::string reason = system_reason();
    if (descriptor >= 0) ::close(descriptor);
    throw Error(path.string(), "cannot be written to disk (" + reason + ")",
                "check free space and permissions");
  }
  ::close(descriptor);
}

fs::path parent_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

fs::path temporary_name(const fs::path& path) {
  return parent_of(path) / ("." + path.filename().string() + ".tmp-" + std::to_string(::getpid()));
}

void rename_whole(const fs::path& from, const fs::path& to) {
  std::error_code failure;
  fs::rename(from, to, failure);
  if (failure)
    throw Error(to.string(), "cannot be created (" + failure.message() + ")",
                "check the folder's permissions");
  sync_path(parent_of(to));
}

}  // namespace

std::string system_reason() {
  return std::strerror(errno);
}

std::string read_file(const fs::path& path) {
  if (fs::is_directory(path)) throw Error(path.string(), "is a directory", "name a file");
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(path.string(), "cannot be opened (" + system_reason() + ")", "check the path");
  std::ostringstream out;
  out << in.rdbuf();
  if (in.bad()) throw Error(path.string(), "cannot be read (" + system_reason() + ")");
  return std::move(out).str();
}

void write_file(const fs::path& given, const std::function<void(const std::string&)>& write) {
  std::error_code missing;
  const fs::path path = fs::is_symlink(given) ? fs::weakly_canonical(given) : given;
  if (fs::exists(path, missing) && !fs::is_regular_file(path) && !fs::is_directory(path)) {
    write(path.string());  // a device or a pipe must not be replaced
    return;
  }
  const fs::path temporary = temporary_name(path);
  try {
    write(temporary.string());
    sync_path(temporary);
    rename_whole(temporary, path);
  } catch (...) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw;
  }
}

void write_file(const fs::path& path, std::string_view bytes) {
  write_file(path, [&](const std::string& temporary) {
    std::ofstream out(temporary, std::ios::binary);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out.close();
    if (!out)
      throw Error(path.string(), "cannot be written (" + system_reason() + ")",
                  "check free space and permissions");
  });
}

void write_directory(const fs::path& path, const std::function<void(const fs::path&)>& fill) {
  const fs::path temporary = temporary_name(path);
  try {
    fs::remove_all(temporary);
    fs::create_directories(temporary);
    fill(temporary);
    for (const auto& entry : fs::directory_iterator(temporary)) sync_path(entry.path());
    sync_path(temporary);
    rename_whole(temporary, path);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(temporary, ignored);
    throw;
  }
}

void replace_symlink(const fs::path& link, const fs::path& target) {
  const fs::path temporary = temporary_name(link);
  std::error_code ignored;
  fs::remove(temporary, ignored);
  fs::create_symlink(target, temporary);
  rename_whole(temporary, link);
}

}  // namespace seq2seq
