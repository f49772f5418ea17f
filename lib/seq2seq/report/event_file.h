#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace seq2seq {

// Records of a TensorBoard event file: TensorFlow's TFRecord framing around its Event messages. Times are
// seconds since 1970.

/// The first record of every event file.
std::string event_file_begin(double time);
/// One record with scalars by tag; values that are not finite are written as they are.
std::string event_of_scalars(double time, int64_t step,
                             const std::vector<std::pair<std::string, double>>& values);

/// CRC-32C (Castagnoli), the checksum of the framing.
uint32_t crc32c(std::string_view bytes);

}  // namespace seq2seq
