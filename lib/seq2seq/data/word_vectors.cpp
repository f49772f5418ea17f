#include "seq2seq/data/word_vectors.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "seq2seq/core/error.h"
#include "seq2seq/core/log.h"
#include "seq2seq/data/line_reader.h"
#include "seq2seq/text/utf8.h"

namespace seq2seq {
namespace {

using UseVector = std::function<void(std::string_view, std::span<const float>)>;

constexpr std::string_view separators = " \t";
constexpr size_t longest_token = 4096;  // of the binary form, in bytes

/// What the first line of word2vec and fastText says, which need not be true.
struct VectorHeader {
  uint64_t vectors = 0, width = 0;
};

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  for (size_t begin = line.find_first_not_of(separators); begin != std::string_view::npos;) {
    const size_t end = std::min(line.find_first_of(separators, begin), line.size());
    fields.push_back(line.substr(begin, end - begin));
    begin = line.find_first_not_of(separators, end);
  }
  return fields;
}

/// A number too large for 64 bits is as large as can be.
std::optional<uint64_t> whole_number(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc() ? number : std::numeric_limits<uint64_t>::max();
}

std::optional<VectorHeader> header_of(std::string_view line, int64_t width) {
  const auto fields = fields_of(line);
  if (fields.size() != 2) return std::nullopt;
  const auto vectors = whole_number(fields[0]), numbers = whole_number(fields[1]);
  // A vector of one number looks the same but for that number.
  if (!vectors || !numbers || (width == 1 && *numbers != 1)) return std::nullopt;
  return VectorHeader{*vectors, *numbers};
}

/// Whether a number, of digits with a point and an exponent, is below 1 rather than above.
bool is_small(std::string_view number) {
  const size_t mark = std::min(number.find_first_of("eE"), number.size());
  const std::string_view digits = number.substr(0, mark);
  const size_t first = digits.find_first_of("123456789");
  const size_t point = std::min(digits.find('.'), digits.size());
  int64_t exponent = 0;
  if (mark < number.size()) {
    std::string_view text = number.substr(mark + 1);
    if (text.starts_with('+')) text.remove_prefix(1);
    const bool huge = std::from_chars(text.data(), text.data() + text.size(), exponent).ec != std::errc();
    if (huge) return text.starts_with('-');
  }
  return first == std::string_view::npos ||
         static_cast<int64_t>(point) - static_cast<int64_t>(first) + exponent <= 0;
}

/// nullopt for what is no number; what is too small for 32 bits is 0, what is too large infinite.
std::optional<float> number_of_field(std::string_view field) {
  const bool plus = field.starts_with('+');
  if (plus) field.remove_prefix(1);
  if (plus && field.starts_with('-')) return std::nullopt;
  float value = 0;
  const auto parsed = std::from_chars(field.data(), field.data() + field.size(), value);
  if (parsed.ptr != field.data() + field.size() || parsed.ec == std::errc::invalid_argument)
    return std::nullopt;
  if (parsed.ec == std::errc::result_out_of_range)
    value = is_small(field) ? 0.0F : std::numeric_limits<float>::infinity();
  return value;
}

Error wrong_width(const std::string& place, uint64_t found, int64_t width, const std::string& remedy) {
  return Error(place,
               "has " + std::to_string(found) + (found == 1 ? " number" : " numbers") +
                   ", embedding.size is " + std::to_string(width),
               remedy);
}

/// Where the whole file has another width.
Error other_width(const std::string& place, uint64_t found, int64_t width) {
  return wrong_width(place, found, width,
                     "give --embedding.size " + std::to_string(found) + ", or other vectors");
}

Error not_finite(const std::string& place, const std::string& shown) {
  return Error(place, shown + " is not finite in 32 bits", "take this vector out of the file");
}

/// Lines of text, the first of which has been read.
class VectorText {
 public:
  VectorText(LineReader& reader, const std::string& path, int64_t width, const UseVector& use)
      : reader_(reader), path_(path), width_(static_cast<size_t>(width)), use_(use), vector_(width_) {}

  void read(std::string line, const std::optional<VectorHeader>& header) {
    if (!header) read_line(line);
    while (reader_.next(line)) read_line(line);
    if (header && header->vectors != vectors_)
      log_warning(path_ + ": has " + format_count(static_cast<int64_t>(vectors_)) +
                  " vectors, its first line says " + std::to_string(header->vectors) +
                  ": is the file whole?");
  }

 private:
  void read_line(std::string_view line) {
    if (reader_.too_long()) throw Error(reader_.place(), "the line is over 1 MiB", "give another file");
    const auto fields = fields_of(line);
    if (fields.empty()) return;
    // A line that begins with a separator has an empty token.
    const bool no_token = separators.find(line.front()) != std::string_view::npos && fields.size() == width_;
    if (fields.size() <= width_ && !no_token) throw too_few(fields.size() - 1);
    const size_t first = fields.size() - width_;
    for (size_t i = 0; i < width_; ++i) vector_[i] = read_number(fields[first + i]);
    if (vectors_ == 0) check_width(fields);
    ++vectors_;
    const char* const begin = no_token ? line.data() : fields.front().data();
    const std::string_view last = no_token ? line.substr(0, 0) : fields[first - 1];
    use_({begin, static_cast<size_t>(last.data() + last.size() - begin)}, vector_);
  }

  Error too_few(uint64_t numbers) const {
    const auto width = static_cast<int64_t>(width_);
    if (vectors_ == 0 && numbers > 0) return other_width(reader_.place(), numbers, width);
    return wrong_width(reader_.place(), numbers, width, "make them equal, or take the line out");
  }

  float read_number(std::string_view field) const {
    const auto number = number_of_field(field);
    if (!number)
      throw Error(reader_.place(), "'" + std::string(field.substr(0, 20)) + "' is not a number",
                  "a line is a token and " + std::to_string(width_) + " numbers (embedding.size)");
    if (!std::isfinite(*number)) throw not_finite(reader_.place(), "'" + std::string(field) + "'");
    return *number;
  }

  // What stands before the last numbers would be taken for a token with spaces.
  void check_width(const std::vector<std::string_view>& fields) const {
    size_t numbers = width_;
    while (numbers + 1 < fields.size() && number_of_field(fields[fields.size() - 1 - numbers])) ++numbers;
    if (numbers != width_) throw other_width(reader_.place(), numbers, static_cast<int64_t>(width_));
  }

  LineReader& reader_;
  const std::string& path_;
  size_t width_;
  const UseVector& use_;
  std::vector<float> vector_;
  uint64_t vectors_ = 0;
};

/// Tokens, each with a space and its numbers as 32 bits, little endian, behind it; a line end may follow.
void read_binary(LineReader& reader, const std::string& path, int64_t width, const VectorHeader& header,
                 const UseVector& use) {
  const size_t bytes = static_cast<size_t>(width) * sizeof(float);
  std::vector<float> vector(static_cast<size_t>(width));
  const auto skip_line_ends = [&] {
    while (reader.peek(1) == "\n") reader.skip(1);
  };
  uint64_t number = 0;
  for (skip_line_ends(); number < header.vectors && !reader.peek(1).empty(); skip_line_ends()) {
    ++number;
    const auto place = [&] { return path + ": vector " + std::to_string(number); };
    const size_t length = reader.peek(longest_token).find(' ');
    if (length == std::string_view::npos)
      throw Error(place(), "has no space behind its token", "copy the file again");
    const std::string token(reader.peek(length));
    reader.skip(length + 1);
    const std::string_view numbers = reader.peek(bytes);
    if (numbers.size() < bytes) throw Error(place(), "is cut short", "copy the file again");
    std::memcpy(vector.data(), numbers.data(), bytes);
    reader.skip(bytes);
    for (const float value : vector)
      if (!std::isfinite(value)) throw not_finite(place(), std::to_string(value));
    use(token, vector);
  }
  const bool more = !reader.peek(1).empty();
  if (number != header.vectors || more)
    throw Error(path,
                "has " + std::string(more ? "more than " : "") + std::to_string(number) +
                    " vectors, its first line says " + std::to_string(header.vectors),
                "copy the file again");
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r';
}

bool ends_in_numbers(std::string_view line, size_t count) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  const auto fields = fields_of(line);
  return fields.size() >= count &&
         std::all_of(fields.end() - static_cast<std::ptrdiff_t>(count), fields.end(),
                     [](std::string_view field) { return number_of_field(field).has_value(); });
}

/// Whether the first vector has the binary form: the line that it would be does not end in numbers, and what
/// stands behind its first space is no text.
bool is_binary(LineReader& reader, size_t width) {
  constexpr size_t longest_number = 32;
  const std::string_view begin = reader.peek(longest_token + width * longest_number);
  if (ends_in_numbers(begin.substr(0, begin.find('\n')), width)) return false;
  const std::string_view numbers =
      begin.substr(std::min(begin.find(' '), begin.size()), 1 + width * sizeof(float));
  const auto invalid = find_invalid_utf8(numbers);
  // The last character may be cut.
  return std::any_of(numbers.begin(), numbers.end(), is_control) ||
         (invalid && *invalid + 3 < numbers.size());
}

void refuse_model(LineReader& reader, const std::string& path) {
  constexpr std::string_view magic = "\xBA\x16\x4F\x2F";
  if (reader.peek(magic.size()) == magic)
    throw Error(path, "is a model of fastText", "give its vectors, the .vec file");
}

}  // namespace

void read_word_vectors(const std::string& path, int64_t width, const UseVector& use) {
  LineReader reader(path);
  refuse_model(reader, path);
  std::string line;
  if (!reader.next(line)) return;
  const auto header = header_of(line, width);
  if (header && header->width != static_cast<uint64_t>(width))
    throw other_width(reader.place(), header->width, width);
  if (header && is_binary(reader, static_cast<size_t>(width)))
    return read_binary(reader, path, width, *header, use);
  if (!header && std::any_of(line.begin(), line.end(), is_control))
    throw Error(path, "holds neither text nor word2vec's binary form",
                "give vectors of GloVe, word2vec or fastText");
  VectorText(reader, path, width, use).read(std::move(line), header);
}

}  // namespace seq2seq
