#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace seq2seq {

// Records of a TensorBoard event file: TensorFlow's TFRecord framing around its Event messages. Times are
// seconds since 1970.

/// What every such file begins with.
std::string event_file_begin(double time);
/// One record with scalars by their tags; what is not finite stays as it is.
std::string event_of_scalars(double time, int64_t step,
                             const std::vector<std::pair<std::string, double>>& values);

/// CRC-32C (Castagnoli), which the framing is summed with.
uint32_t crc32c(std::string_view bytes);

}  // namespace seq2seq
