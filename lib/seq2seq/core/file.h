#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace seq2seq {

/// Reads the whole file. Throws Error naming the path and the system's reason.
std::string read_file(const std::filesystem::path& path);

/// Writes atomically: under a temporary name in the same folder, synced, then renamed. Pipes and devices are
/// written to directly.
void write_file(const std::filesystem::path& path, std::string_view bytes);
/// The same for a writer that needs a path (torch, gzip).
void write_file(const std::filesystem::path& path,
                const std::function<void(const std::string& temporary)>& write);

/// Creates a directory atomically: `fill` writes into a temporary sibling, which is synced and renamed.
void write_directory(const std::filesystem::path& path,
                     const std::function<void(const std::filesystem::path& temporary)>& fill);

/// Removes a folder, or whatever is there, with all that it holds; at once, as far as its name shows. Throws Error naming
/// the path and the system's reason.
void remove_folder(const std::filesystem::path& path);

/// Points the relative symbolic link `link` at `target`, replacing it atomically.
void replace_symlink(const std::filesystem::path& link, const std::filesystem::path& target);

/// "No such file or directory", from errno.
std::string system_reason();

}  // namespace seq2seq
