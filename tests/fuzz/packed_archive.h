#pragma once

#include <string>
#include <string_view>

namespace seq2seq::fuzz {

// Few changes of a zip file leave its checksums right. Archives are therefore fuzzed as a plain list of entries, of which a
// zip file is made: the length of a name (one byte), the name, the length of the content (four bytes, little-endian),
// the content; a length beyond the end stands for what is left.

/// The entries of a zip file, without their folder, as such a list.
std::string packed_archive(const std::string& zip_path);
/// The zip file of such a list.
void unpack_archive(std::string_view packed, const std::string& zip_path);

}  // namespace seq2seq::fuzz
