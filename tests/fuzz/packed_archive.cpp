#include "packed_archive.h"

#include <zip.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "seq2seq/model/archive/zip_file.h"

namespace seq2seq::fuzz {
namespace {

constexpr int most_packed_entries = 300;

/// Takes up to `size` bytes from the front.
std::string_view taken(std::string_view& bytes, size_t size) {
  const std::string_view result = bytes.substr(0, size);
  bytes.remove_prefix(result.size());
  return result;
}

void add_entry(zip_t* zip, const std::string& name, std::string_view content) {
  zip_source_t* source = zip_source_buffer(zip, content.data(), content.size(), 0);
  const zip_int64_t index = zip_file_add(zip, name.c_str(), source, ZIP_FL_ENC_UTF_8);
  if (index < 0) return zip_source_free(source);  // a second of that name, or a name that is none
  zip_set_file_compression(zip, static_cast<zip_uint64_t>(index), ZIP_CM_STORE, 0);
}

}  // namespace

std::string packed_archive(const std::string& zip_path) {
  const ZipFile zip(zip_path);
  std::string packed;
  for (const std::string& name : zip.names()) {
    const std::string content = zip.text(name);
    const auto size = static_cast<uint32_t>(content.size());
    packed += static_cast<char>(name.size());
    packed += name;
    packed.append(reinterpret_cast<const char*>(&size), sizeof size);
    packed += content;
  }
  return packed;
}

void unpack_archive(std::string_view packed, const std::string& zip_path) {
  std::filesystem::remove(zip_path);
  int error = 0;
  zip_t* zip = zip_open(zip_path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &error);
  if (zip == nullptr) throw std::runtime_error("no archive can be written");
  for (int i = 0; i < most_packed_entries && !packed.empty(); ++i) {
    const auto length = static_cast<unsigned char>(taken(packed, 1).front());
    const std::string name = "archive/" + std::string(taken(packed, length));
    uint32_t size = 0;
    const std::string_view stated = taken(packed, sizeof size);
    std::memcpy(&size, stated.data(), stated.size());
    add_entry(zip, name, taken(packed, size));
  }
  if (zip_close(zip) != 0) zip_discard(zip);
}

}  // namespace seq2seq::fuzz
