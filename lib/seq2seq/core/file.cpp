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

void need_created(const fs::path& path, const std::error_code& failure) {
  if (failure)
    throw Error(path.string(), "cannot be created (" + failure.message() + ")",
                "check the folder's permissions");
}

void rename_whole(const fs::path& from, const fs::path& to) {
  std::error_code failure;
  fs::rename(from, to, failure);
  need_created(to, failure);
  sync_path(parent_of(to));
}

/// Where a link leads, so that it stays one.
fs::path behind_link(const fs::path& path) {
  std::error_code failure;
  if (!fs::is_symlink(path, failure)) return path;
  fs::path target = fs::weakly_canonical(path, failure);
  need_created(path, failure);
  return target;
}

}  // namespace

std::string system_reason() {
  return std::strerror(errno);
}

std::string read_file(const fs::path& path) {
  std::error_code unknown;  // whatever it is, opening the file tells
  if (fs::is_directory(path, unknown)) throw Error(path.string(), "is a directory", "name a file");
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(path.string(), "cannot be opened (" + system_reason() + ")", "check the path");
  std::ostringstream out;
  out << in.rdbuf();
  if (in.bad()) throw Error(path.string(), "cannot be read (" + system_reason() + ")");
  return std::move(out).str();
}

void write_file(const fs::path& given, const std::function<void(const std::string&)>& write) {
  const fs::path path = behind_link(given);
  std::error_code unknown;
  if (fs::is_other(path, unknown)) {
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
    std::error_code failure;
    fs::remove_all(temporary, failure);
    if (!failure) fs::create_directories(temporary, failure);
    need_created(path, failure);
    fill(temporary);
    fs::directory_iterator made(temporary, failure);
    for (; !failure && made != fs::directory_iterator(); made.increment(failure)) sync_path(made->path());
    need_created(path, failure);
    sync_path(temporary);
    rename_whole(temporary, path);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(temporary, ignored);
    throw;
  }
}

void remove_folder(const fs::path& path) {
  std::error_code failure;
  fs::path place = path;
  if (!path.filename().string().starts_with('.')) {  // else it has no name that counts
    // A process that is killed meanwhile leaves no half of it under its name.
    fs::rename(path, temporary_name(path), failure);
    if (!failure) place = temporary_name(path);
  }
  fs::remove_all(place, failure);
  if (failure)
    throw Error(path.string(), "cannot be removed (" + failure.message() + ")",
                "check the folder's permissions");
}

void replace_symlink(const fs::path& link, const fs::path& target) {
  const fs::path temporary = temporary_name(link);
  std::error_code failure;
  fs::remove(temporary, failure);
  fs::create_symlink(target, temporary, failure);
  need_created(link, failure);
  rename_whole(temporary, link);
}

}  // namespace seq2seq
