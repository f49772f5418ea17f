#include "seq2seq/text/sentencepiece_model.h"

#include <sentencepiece_processor.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "seq2seq/core/error.h"
#include "seq2seq/text/utf8.h"

namespace seq2seq {
namespace {

/// Why a model is refused.
struct ModelFault {
  const char* reason;
};

void must(bool holds, const char* reason) {
  if (!holds) throw ModelFault{reason};
}

/// The fields of one message in the wire format of Protocol Buffers, one after the other.
class ProtocolFields {
 public:
  explicit ProtocolFields(std::string_view message) : rest_(message) {}

  /// Goes to the next field. False at the end.
  bool next() {
    if (rest_.empty()) return false;
    const uint64_t tag = varint();
    number_ = tag >> 3;
    kind_ = static_cast<Kind>(tag & 7);
    must(number_ > 0 && number_ < uint64_t{1} << 29, "a field has no valid number");
    switch (kind_) {
      case Kind::varint:
        value_ = varint();
        break;
      case Kind::eight_bytes:
        bytes_ = take(8);
        break;
      case Kind::text:
        bytes_ = take(varint());
        break;
      case Kind::four_bytes:
        bytes_ = take(4);
        break;
      default:
        throw ModelFault{"a field has no valid type"};
    }
    return true;
  }
  uint64_t number() const { return number_; }
  std::string_view text() const {
    must(kind_ == Kind::text, "a field has another type than it should");
    return bytes_;
  }
  uint64_t integer() const {
    must(kind_ == Kind::varint, "a field has another type than it should");
    return value_;
  }
  float real() const {
    must(kind_ == Kind::four_bytes, "a field has another type than it should");
    float value = 0;
    std::memcpy(&value, bytes_.data(), sizeof value);
    return value;
  }

 private:
  enum class Kind : uint64_t { varint = 0, eight_bytes = 1, text = 2, four_bytes = 5 };

  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1).front());
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw ModelFault{"a number is too long"};
  }
  std::string_view take(uint64_t size) {
    must(size <= rest_.size(), "it ends in the middle");
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_, bytes_;
  uint64_t number_ = 0, value_ = 0;
  Kind kind_ = Kind::varint;
};

void check_text(std::string_view text) {
  must(!find_invalid_utf8(text), "a text is not valid UTF-8");
  must(text.find('\0') == std::string_view::npos, "a text has a zero byte");
}

void check_piece(std::string_view message) {
  std::string_view piece;
  for (ProtocolFields fields(message); fields.next();) {
    if (fields.number() == 1) piece = fields.text();
    if (fields.number() == 2) must(std::isfinite(fields.real()), "a piece's score is not finite");
    if (fields.number() == 3)
      must(fields.integer() >= 1 && fields.integer() <= 6, "a piece is of an unknown type");
  }
  must(!piece.empty(), "a piece is empty");
  check_text(piece);
}

/// One unit of the double array (Aoe 1989) that finds the texts to replace, as Darts-clone lays it out.
struct ArrayUnit {
  uint32_t bits;
  bool is_leaf() const { return (bits >> 31) != 0; }
  bool has_leaf() const { return ((bits >> 8) & 1) != 0; }
  uint32_t value() const { return bits & 0x7fffffff; }
  uint32_t offset() const { return (bits >> 10) << ((bits & 0x200) >> 6); }
};

/// `map`: the size of the array in bytes, the array, and the replacements, each ended by a zero byte.
void check_character_map(std::string_view map) {
  if (map.empty()) return;
  constexpr size_t block = 256;  // units: an offset and a byte lead anywhere in one
  uint32_t array_bytes = 0;
  must(map.size() > sizeof array_bytes, "its normalization is damaged");
  std::memcpy(&array_bytes, map.data(), sizeof array_bytes);
  map.remove_prefix(sizeof array_bytes);
  must(array_bytes < map.size() && array_bytes > 0 && array_bytes % (block * sizeof(ArrayUnit)) == 0,
       "its normalization is damaged");
  const std::string_view replacements = map.substr(array_bytes);
  must(replacements.back() == '\0' && !find_invalid_utf8(replacements), "its normalization is damaged");
  const size_t count = array_bytes / sizeof(ArrayUnit);
  const auto unit = [&](size_t index) {
    ArrayUnit result{};
    std::memcpy(&result, map.data() + index * sizeof result, sizeof result);
    return result;
  };
  for (size_t i = 0; i < count; ++i) {
    if (i > 0 && unit(i).is_leaf()) continue;  // never followed; the first always is
    const size_t target = i ^ unit(i).offset();
    must(target < count, "its normalization leads out of itself");
    if (!unit(i).has_leaf()) continue;
    const size_t value = unit(target).value();
    must(value < replacements.size() && (static_cast<unsigned char>(replacements[value]) & 0xc0) != 0x80,
         "its normalization leads out of itself");
  }
}

void check_normalizer(std::string_view message) {
  for (ProtocolFields fields(message); fields.next();)
    if (fields.number() == 2) check_character_map(fields.text());
}

void check_trainer(std::string_view message) {
  constexpr uint64_t surface_of_unknown = 44, last_name = 48;  // and the names of special pieces
  for (ProtocolFields fields(message); fields.next();)
    if (fields.number() >= surface_of_unknown && fields.number() <= last_name) check_text(fields.text());
}

void check_model(std::string_view model) {
  constexpr size_t most_to_test = size_t{1} << 16;  // the library tokenizes it while it loads
  must(model.size() <= static_cast<size_t>(std::numeric_limits<int32_t>::max()), "it is larger than 2 GiB");
  bool has_pieces = false;
  size_t to_test = 0;
  for (ProtocolFields fields(model); fields.next();) {
    switch (fields.number()) {
      case 1:
        check_piece(fields.text());
        has_pieces = true;
        break;
      case 2:
        check_trainer(fields.text());
        break;
      case 3:
      case 5:
        check_normalizer(fields.text());
        break;
      case 4:
        to_test += fields.text().size();
        break;
      default:
        break;
    }
  }
  must(has_pieces, "it has no pieces");
  must(to_test <= most_to_test, "it has more than 64 KiB of texts to test itself with");
}

}  // namespace

void check_sentencepiece_model(std::string_view bytes, const std::string& origin) {
  try {
    check_model(bytes);
  } catch (const ModelFault& fault) {
    throw Error(origin, std::string("not a SentencePiece model (") + fault.reason + ")",
                "make one with 'seq2seq vocab --type sentencepiece'");
  }
}

std::unique_ptr<sentencepiece::SentencePieceProcessor> load_sentencepiece(const std::string& model,
                                                                          const std::string& origin) {
  check_sentencepiece_model(model, origin);
  auto processor = std::make_unique<sentencepiece::SentencePieceProcessor>();
  bool loaded = false;
  try {
    loaded = processor->LoadFromSerializedProto(model).ok();
  } catch (const std::exception&) {  // of its trie
  }
  if (!loaded || processor->GetPieceSize() == 0)
    throw Error(origin, "not a SentencePiece model", "make one with 'seq2seq vocab --type sentencepiece'");
  return processor;
}

SentencePieceModel::SentencePieceModel(const std::string& model, const std::string& origin)
    : processor_(load_sentencepiece(model, origin)) {}

SentencePieceModel::~SentencePieceModel() = default;

std::vector<std::string> SentencePieceModel::pieces(std::string_view text) const {
  return processor_->EncodeAsPieces({text.data(), text.size()});
}

}  // namespace seq2seq
