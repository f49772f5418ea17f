#pragma once

namespace seq2seq {

/// Where the weights of a model that is read from a file lie.
enum class WeightMemory {
  /// In memory of the process: they can be changed.
  own,
  /// In the file itself, where they can: less memory, and nothing is copied at the start. Writing to them ends the process,
  /// and so does a file that becomes shorter; another file may take its place. What cannot be used in the file is read:
  /// compressed or unaligned entries, and files that other machines or programs provide (core/mapped_file.h).
  mapped
};

}  // namespace seq2seq
