#pragma once

#include <string>

#include "seq2seq/data/fingerprint.h"

namespace seq2seq {

struct UnpackedCopy {
  std::string path;
  FileFingerprint packed;  ///< of the .gz file
};

/// A decompressed copy of a .gz file, created unless there is one for the file's current size and modification
/// time. Copies are kept in $XDG_CACHE_HOME/seq2seq, else ~/.cache/seq2seq, else the temporary folder; a new copy
/// replaces older ones of the same file.
UnpackedCopy unpacked_copy(const std::string& path);

}  // namespace seq2seq
