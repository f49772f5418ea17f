#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "seq2seq/data/corpus.h"
#include "seq2seq/data/open_file.h"

namespace seq2seq {

/// Identifies a file by its size and its CRC-32 (that of zip and gzip), without decompressing .gz files.
struct FileFingerprint {
  std::string name;  ///< without folders
  uint64_t bytes = 0;
  uint32_t crc32 = 0;

  /// Counts bytes that follow.
  void add(std::span<const char> more);
  bool same_content(const FileFingerprint& other) const {
    return bytes == other.bytes && crc32 == other.crc32;
  }
};

FileFingerprint fingerprint_of(const std::string& path);
FileFingerprint fingerprint_of(const OpenFile& file);
/// Of each file of the corpus. Throws Error when one cannot be read.
std::vector<FileFingerprint> fingerprints_of(const CorpusFiles& files);

}  // namespace seq2seq
