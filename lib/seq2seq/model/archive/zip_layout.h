#pragma once

// Private to model: libzip does not tell where in a zip file the bytes of an entry are.

#include <cstddef>
#include <span>
#include <string>
#include <unordered_map>

namespace seq2seq {

/// The entries of a zip file without a comment that are not compressed: their bytes, all within the file, by their names.
/// Entries of damaged directories may be missing.
using StoredBytes = std::span<const std::byte>;
std::unordered_map<std::string, StoredBytes> stored_entries(std::span<const std::byte> file);

}  // namespace seq2seq
