#include "seq2seq/data/fingerprint.h"

#include <zlib.h>

#include <filesystem>

namespace seq2seq {

void FileFingerprint::add(std::span<const char> more) {
  bytes += more.size();
  crc32 = static_cast<uint32_t>(
      ::crc32_z(crc32, reinterpret_cast<const Bytef*>(more.data()), static_cast<z_size_t>(more.size())));
}

FileFingerprint fingerprint_of(const std::string& path) {
  return fingerprint_of(OpenFile(path, path));
}

FileFingerprint fingerprint_of(const OpenFile& file) {
  FileFingerprint result{std::filesystem::path(file.name()).filename().string()};
  std::vector<char> block(size_t{1} << 20);
  while (const size_t count = file.read(block, result.bytes)) result.add({block.data(), count});
  return result;
}

std::vector<FileFingerprint> fingerprints_of(const CorpusFiles& files) {
  std::vector<FileFingerprint> result;
  for (const std::string& path : files.paths()) result.push_back(fingerprint_of(path));
  return result;
}

}  // namespace seq2seq
