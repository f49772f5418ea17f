#include "seq2seq/report/event_file.h"

#include <array>
#include <bit>

namespace seq2seq {
namespace {

// Field numbers of TensorFlow's event.proto and summary.proto.
enum EventField { wall_time = 1, step_number = 2, file_version = 3, summary = 5 };
enum SummaryField { summary_value = 1 };
enum ValueField { tag = 1, simple_value = 2 };

// Wire types of protocol buffers.
enum WireType { varint = 0, fixed64 = 1, length_delimited = 2, fixed32 = 5 };

template <class Number>
std::string little_endian(Number value) {
  std::string bytes;
  for (size_t i = 0; i < sizeof value; ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xFF);
  return bytes;
}

std::string varint_of(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}

std::string key_of(int field, WireType type) {
  return varint_of(static_cast<uint64_t>(field) << 3 | type);
}

std::string double_field(int field, double value) {
  return key_of(field, fixed64) + little_endian(std::bit_cast<uint64_t>(value));
}

std::string float_field(int field, double value) {
  return key_of(field, fixed32) + little_endian(std::bit_cast<uint32_t>(static_cast<float>(value)));
}

std::string bytes_field(int field, const std::string& bytes) {
  return key_of(field, length_delimited) + varint_of(bytes.size()) + bytes;
}

uint32_t masked_sum(std::string_view bytes) {
  const uint32_t sum = crc32c(bytes);
  return ((sum >> 15) | (sum << 17)) + 0xa282ead8U;
}

std::string record_of(const std::string& event) {
  const std::string length = little_endian(static_cast<uint64_t>(event.size()));
  return length + little_endian(masked_sum(length)) + event + little_endian(masked_sum(event));
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  static const std::array<uint32_t, 256> table = [] {
    std::array<uint32_t, 256> result{};
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ (value & 1 ? 0x82f63b78U : 0);
      result[i] = value;
    }
    return result;
  }();
  uint32_t sum = ~0U;
  for (const char byte : bytes) sum = table[(sum ^ static_cast<uint8_t>(byte)) & 0xFF] ^ (sum >> 8);
  return ~sum;
}

std::string event_file_begin(double time) {
  return record_of(double_field(wall_time, time) + bytes_field(file_version, "brain.Event:2"));
}

std::string event_of_scalars(double time, int64_t step,
                             const std::vector<std::pair<std::string, double>>& values) {
  std::string all;
  for (const auto& [name, value] : values)
    all += bytes_field(summary_value, bytes_field(tag, name) + float_field(simple_value, value));
  return record_of(double_field(wall_time, time) + key_of(step_number, varint) +
                   varint_of(static_cast<uint64_t>(step)) + bytes_field(summary, all));
}

}  // namespace seq2seq
