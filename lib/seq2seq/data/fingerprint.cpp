#include "seq2seq/data/fingerprint.h"

#include <zlib.h>

#include <filesystem>
#include <fstream>

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"

namespace seq2seq {

FileFingerprint fingerprint_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw Error(path, "cannot be read (" + system_reason() + ")", "check the name and its permissions");
  FileFingerprint result{std::filesystem::path(path).filename().string()};
  std::vector<char> buffer(size_t{1} << 20);
  while (file.read(buffer.data(), std::ssize(buffer)), file.gcount() > 0) {
    const auto size = static_cast<uInt>(file.gcount());
    result.bytes += size;
    result.crc32 =
        static_cast<uint32_t>(::crc32(result.crc32, reinterpret_cast<const Bytef*>(buffer.data()), size));
  }
  if (file.bad()) throw Error(path, "cannot be read (" + system_reason() + ")", "check the disk");
  return result;
}

std::vector<FileFingerprint> fingerprints_of(const CorpusFiles& files) {
  std::vector<FileFingerprint> result;
  for (const std::string& path : {files.source, files.target, files.combined})
    if (!path.empty()) result.push_back(fingerprint_of(path));
  return result;
}

}  // namespace seq2seq
