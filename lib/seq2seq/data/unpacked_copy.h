#pragma once

#include <string>

namespace seq2seq {

/// The path of a decompressed copy of a .gz file, created unless there is one for the file's current size and
/// modification time. Copies are kept in $XDG_CACHE_HOME/seq2seq, else ~/.cache/seq2seq, else the temporary
/// folder; a new copy replaces older ones of the same file.
std::string unpacked_copy(const std::string& path);

}  // namespace seq2seq
