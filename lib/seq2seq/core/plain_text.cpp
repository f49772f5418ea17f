#include "seq2seq/core/plain_text.h"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace seq2seq {
namespace {

using std::string_view_literals::operator""sv;

/// Bytes by which a kind of file is known.
struct Magic {
  size_t offset;
  std::string_view bytes;
  const char* what;
  const char* command;  // before the file's name; what it writes is the text
};

constexpr std::string_view gzip_magic = "\x1F\x8B"sv, bzip2_magic = "BZh"sv;
constexpr const char* with_7z = "7z x -so";

constexpr std::array magics{
    Magic{0, gzip_magic, "is packed with gzip", "gzip -dc"},
    Magic{0,
          "\xFD"
          "7zXZ\0"sv,
          "is packed with xz", "xz -dc"},
    Magic{0, "\x28\xB5\x2F\xFD"sv, "is packed with zstd", "zstd -dc"},
    Magic{0, bzip2_magic, "is packed with bzip2", "bzip2 -dc"},
    Magic{0, "PK\x03\x04"sv, "is a zip archive", "unzip -p"},
    Magic{0, "PK\x05\x06"sv, "is an empty zip archive", "unzip -p"},
    Magic{0, "7z\xBC\xAF\x27\x1C"sv, "is a 7z archive", with_7z},
    Magic{0, "\x04\x22\x4D\x18"sv, "is packed with lz4", "lz4 -dc"},
    Magic{0, "LZIP\x01"sv, "is packed with lzip", "lzip -dc"},
    Magic{0, "\x1F\x9D"sv, "is packed with compress", "gzip -dc"},
    Magic{0, "Rar!\x1A\x07"sv, "is a RAR archive", with_7z},
    // Before it stands the end of a field that is filled up with zeros.
    Magic{256, "\0ustar"sv, "is a tar archive", "tar -xOf"},
};

/// The digit that tells the size of bzip2's blocks, and the marks of a block and of the end.
bool is_bzip2(std::string_view bytes) {
  return bytes.size() >= 10 && bytes[3] >= '1' && bytes[3] <= '9' &&
         (bytes.substr(4, 6) == "\x31\x41\x59\x26\x53\x59"sv ||
          bytes.substr(4, 6) == "\x17\x72\x45\x38\x50\x90"sv);
}

const Magic* packed_as(std::string_view bytes) {
  const auto found = std::find_if(magics.begin(), magics.end(), [&](const Magic& magic) {
    return bytes.size() > magic.offset && bytes.substr(magic.offset).starts_with(magic.bytes) &&
           (magic.bytes != bzip2_magic || is_bzip2(bytes));
  });
  return found == magics.end() ? nullptr : &*found;
}

/// Whether nearly all that stands at these places of units of `size` bytes is zero, and the first unit has zeros
/// there alone: so looks what is mostly ASCII.
bool has_zeros_at(std::string_view bytes, size_t size, std::initializer_list<size_t> places) {
  if (bytes.size() < 4) return false;
  for (size_t place = 0; place < size; ++place) {
    const bool zero = std::find(places.begin(), places.end(), place) != places.end();
    if ((bytes[place] == '\0') != zero) return false;
    size_t zeros = 0;
    for (size_t i = place; i < bytes.size(); i += size) zeros += bytes[i] == '\0' ? 1 : 0;
    if (zero && 5 * size * zeros < 4 * bytes.size()) return false;
  }
  return true;
}

/// The encoding of text in units of two or four bytes: by its byte order mark, else by its zeros. Empty for
/// other bytes.
std::string wide_encoding(std::string_view bytes) {
  if (bytes.starts_with("\xFF\xFE\0\0"sv) || bytes.starts_with("\0\0\xFE\xFF"sv)) return "UTF-32";
  if (bytes.starts_with("\xFF\xFE"sv) || bytes.starts_with("\xFE\xFF"sv)) return "UTF-16";
  if (has_zeros_at(bytes, 4, {1, 2, 3})) return "UTF-32LE";
  if (has_zeros_at(bytes, 4, {0, 1, 2})) return "UTF-32BE";
  if (has_zeros_at(bytes, 2, {1})) return "UTF-16LE";
  if (has_zeros_at(bytes, 2, {0})) return "UTF-16BE";
  return {};
}

}  // namespace

void require_plain_text(std::string_view first_bytes, const std::string& path, GzipFiles gzip) {
  if (const Magic* magic = packed_as(first_bytes)) {
    const bool lacks_ending =
        magic->bytes == gzip_magic && gzip == GzipFiles::unpacked && !path.ends_with(".gz");
    throw Error(path, magic->what,
                std::string("unpack it: ") + magic->command + " FILE > TEXT" +
                    (lacks_ending ? ", or add .gz to its name" : ""));
  }
  if (const std::string encoding = wide_encoding(first_bytes); !encoding.empty())
    throw Error(path, "is in " + encoding + ", not in UTF-8",
                "convert it: iconv -f " + encoding + " -t UTF-8 FILE > TEXT");
}

Error carriage_returns_alone(const std::string& path) {
  return {path, "its lines end in carriage returns (CR) alone, so that it is all one line",
          R"(convert it: tr '\r' '\n' < FILE > TEXT)"};
}

}  // namespace seq2seq
