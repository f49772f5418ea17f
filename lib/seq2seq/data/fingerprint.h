#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "seq2seq/data/corpus.h"

namespace seq2seq {

/// By which a file can be recognized: its size and the CRC-32 of its bytes, as zip and gzip compute it. A
/// packed file is taken as it is.
struct FileFingerprint {
  std::string name;  ///< without folders
  uint64_t bytes = 0;
  uint32_t crc32 = 0;
};

FileFingerprint fingerprint_of(const std::string& path);
/// Of each file of the corpus. Throws Error when one cannot be read.
std::vector<FileFingerprint> fingerprints_of(const CorpusFiles& files);

}  // namespace seq2seq
