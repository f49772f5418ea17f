#include "seq2seq/model/archive/pickle.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace seq2seq {
namespace {

using Role = PickledName::Role;

struct KnownName {
  std::string_view module_and_name;  // as a pickle writes them
  PickledName name;
};
constexpr KnownName known_names[] = {
    {"torch._utils\n_rebuild_tensor_v2", {Role::tensor}},
    {"torch._utils\n_rebuild_qtensor", {Role::quantized_tensor}},
    {"torch._utils\n_rebuild_parameter", {Role::parameter}},
    {"collections\nOrderedDict", {Role::dictionary}},
    {"torch.jit._pickle\nrestore_type_tag", {Role::tagged}},
    {"torch.jit._pickle\nbuild_intlist", {Role::list}},
    {"torch.jit._pickle\nbuild_doublelist", {Role::list}},
    {"torch.jit._pickle\nbuild_boollist", {Role::list}},
    {"torch.jit._pickle\nbuild_tensorlist", {Role::list}},
    {"torch\ndevice", {Role::device}},
    {"torch\nper_tensor_affine", {Role::scheme}},
    {"torch\nper_channel_affine", {Role::scheme}},
    {"torch\nFloatStorage", {Role::storage, at::kFloat}},
    {"torch\nDoubleStorage", {Role::storage, at::kDouble}},
    {"torch\nHalfStorage", {Role::storage, at::kHalf}},
    {"torch\nBFloat16Storage", {Role::storage, at::kBFloat16}},
    {"torch\nLongStorage", {Role::storage, at::kLong}},
    {"torch\nIntStorage", {Role::storage, at::kInt}},
    {"torch\nShortStorage", {Role::storage, at::kShort}},
    {"torch\nCharStorage", {Role::storage, at::kChar}},
    {"torch\nByteStorage", {Role::storage, at::kByte}},
    {"torch\nBoolStorage", {Role::storage, at::kBool}},
    {"torch\nComplexFloatStorage", {Role::storage, at::kComplexFloat}},
    {"torch\nComplexDoubleStorage", {Role::storage, at::kComplexDouble}},
    {"torch\nQInt8Storage", {Role::storage, at::kQInt8}},
    {"torch\nQUInt8Storage", {Role::storage, at::kQUInt8}},
    {"torch\nQInt32Storage", {Role::storage, at::kQInt32}},
};

void require(bool holds, const char* problem) {
  if (!holds) throw PickleError(problem);
}

std::string printable(std::string_view bytes) {
  std::string text(bytes.substr(0, 60));
  std::replace(text.begin(), text.end(), '\n', '.');
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return text;
}

/// Arithmetic with numbers of the pickle.
int64_t product(int64_t a, int64_t b) {
  int64_t result = 0;
  require(!__builtin_mul_overflow(a, b, &result), "a tensor is too large");
  return result;
}
int64_t sum(int64_t a, int64_t b) {
  int64_t result = 0;
  require(!__builtin_add_overflow(a, b, &result), "a tensor is too large");
  return result;
}

// Throws unless a value is of that type.
template <class Type>
const Type& as(const PickledValue& value, const char* problem) {
  const Type* found = std::get_if<Type>(&value);
  require(found != nullptr, problem);
  return *found;
}
const std::vector<PickledValue>& items_of(const PickledValue& value, PickledNode::Kind kind,
                                          const char* problem) {
  const PickledNode* node = node_of(value, kind);
  require(node != nullptr, problem);
  return node->items;
}

/// Reads the numbers of a pickle, which are little-endian as those of this machine, and its texts.
class PickleBytes {
 public:
  explicit PickleBytes(std::string_view bytes) : bytes_(bytes) {}

  bool at_end() const { return at_ == bytes_.size(); }
  unsigned char next() { return static_cast<unsigned char>(text(1).front()); }
  std::string_view text(size_t size) {
    require(size <= bytes_.size() - at_, "it ends in the middle");
    at_ += size;
    return bytes_.substr(at_ - size, size);
  }
  template <class Number>
  Number number() {
    Number result;
    std::memcpy(&result, text(sizeof result).data(), sizeof result);
    return result;
  }
  int64_t long_integer() {
    const std::string_view digits = text(number<uint8_t>());
    require(digits.size() <= sizeof(int64_t), "an integer of more than 64 bits");
    int64_t result = !digits.empty() && (static_cast<unsigned char>(digits.back()) & 0x80) != 0 ? -1 : 0;
    std::memcpy(&result, digits.data(), digits.size());
    return result;
  }
  double big_endian_double() {
    uint64_t bits = 0;
    for (const char byte : text(sizeof bits)) bits = bits << 8 | static_cast<unsigned char>(byte);
    return std::bit_cast<double>(bits);
  }
  /// Two lines, without the end of the second.
  std::string_view two_lines() {
    const size_t first = bytes_.find('\n', at_);
    const size_t second = first == std::string_view::npos ? first : bytes_.find('\n', first + 1);
    require(second != std::string_view::npos, "it ends in the middle");
    const std::string_view result = bytes_.substr(at_, second - at_);
    at_ = second + 1;
    return result;
  }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
};

}  // namespace

/// The stack machine that pickles are programs of.
class PickleMachine {
 public:
  PickleMachine(Pickle& pickle, const Pickle::Stored& stored, uint64_t file_bytes)
      : pickle_(pickle), bytes_(pickle.bytes_), stored_(stored), file_bytes_(file_bytes) {}

  void run() {
    require(bytes_.next() == 0x80 && bytes_.next() == 2, "it is of another protocol than 2");
    for (unsigned char code = bytes_.next(); code != '.'; code = bytes_.next()) step(code);
    require(bytes_.at_end(), "bytes follow its end");
    require(marks_.empty() && stack_.size() == 1, "it does not end with one value");
    need_complete(stack_.back());
    pickle_.root_ = stack_.back();
  }

 private:
  using Kind = PickledNode::Kind;

  void step(unsigned char code) {
    switch (code) {
      case 'N':
        return push({});
      case 0x88:
        return push(true);
      case 0x89:
        return push(false);
      case 'K':
        return push(int64_t{bytes_.number<uint8_t>()});
      case 'M':
        return push(int64_t{bytes_.number<uint16_t>()});
      case 'J':
        return push(int64_t{bytes_.number<int32_t>()});
      case 0x8a:
        return push(bytes_.long_integer());
      case 'G':
        return push(bytes_.big_endian_double());
      case 'X':
        return push(bytes_.text(bytes_.number<uint32_t>()));
      case '(':
        return mark();
      case ')':
        return push(new_node(Kind::tuple));
      case ']':
        return push(new_node(Kind::list));
      case '}':
        return push(new_node(Kind::dictionary));
      case 't':
        return push(tuple_from(take_mark()));
      case 0x85:
        return push(tuple_from(last(1)));
      case 0x86:
        return push(tuple_from(last(2)));
      case 0x87:
        return push(tuple_from(last(3)));
      case 'a':
        return fill(Kind::list, last(1));
      case 'e':
        return fill(Kind::list, take_mark());
      case 's':
        return fill(Kind::dictionary, last(2));
      case 'u':
        return fill(Kind::dictionary, take_mark());
      case 'q':
        return remember(bytes_.number<uint8_t>());
      case 'r':
        return remember(bytes_.number<uint32_t>());
      case 'h':
        return recall(bytes_.number<uint8_t>());
      case 'j':
        return recall(bytes_.number<uint32_t>());
      case 'c':
        return push(known_name(bytes_.two_lines()));
      case 'Q':
        return push(storage(pop()));
      case 'R':
        return call();
      case 0x81:
        return make_object();
      case 'b':
        return set_state();
      default:
        throw PickleError("it has the operation " + std::to_string(code) + ", which no data needs");
    }
  }

  // The stack. What a pickle makes is counted, since few bytes may make much.

  void count() {
    require(++values_ <= (uint64_t{1} << 18) + file_bytes_ / 2, "it has too many values for its file");
  }
  void push(PickledValue value) {
    count();
    stack_.push_back(value);
  }
  size_t bottom() const { return marks_.empty() ? 0 : marks_.back(); }
  /// Where the last values begin.
  size_t last(size_t wanted) const {
    require(stack_.size() >= bottom() + wanted, "it takes more values than there are");
    return stack_.size() - wanted;
  }
  PickledValue pop() {
    const PickledValue value = stack_[last(1)];
    stack_.pop_back();
    return value;
  }
  void mark() {
    count();
    marks_.push_back(stack_.size());
  }
  /// Where the values behind the last mark begin.
  size_t take_mark() {
    require(!marks_.empty(), "it takes a mark that is not there");
    const size_t begin = marks_.back();
    marks_.pop_back();
    return begin;
  }
  void remember(size_t index) {
    require(!stack_.empty() && index <= memory_.size(), "it does not number what it remembers one by one");
    count();
    if (index == memory_.size()) memory_.emplace_back();
    memory_[index] = stack_.back();
  }
  void recall(size_t index) {
    require(index < memory_.size(), "it recalls what it has not remembered");
    push(memory_[index]);
  }

  // Containers.

  PickledNode* new_node(Kind kind) {
    require(pickle_.nodes_.size() < (uint64_t{1} << 16) + file_bytes_ / 8,
            "it has too many containers for its file");
    return &pickle_.nodes_.emplace_back(PickledNode{kind});
  }
  PickledNode* tuple_from(size_t begin) {
    PickledNode* node = new_node(Kind::tuple);
    move_into(*node, begin);
    return node;
  }
  /// Moves the values from `begin` on into the container before them.
  void fill(Kind kind, size_t begin) {
    require(begin > bottom(), "it fills what is not there");
    PickledNode* const node = as<PickledNode*>(stack_[begin - 1], "it fills what is no container");
    require(node->kind == kind, "it fills a container of another kind");
    require(kind != Kind::dictionary || (stack_.size() - begin) % 2 == 0, "a key lacks its value");
    move_into(*node, begin);
  }
  void move_into(PickledNode& node, size_t begin) {
    if (node.items.empty()) node.items.reserve(stack_.size() - begin);
    for (size_t i = begin; i < stack_.size(); ++i) add(node, stack_[i]);
    stack_.erase(stack_.begin() + static_cast<std::ptrdiff_t>(begin), stack_.end());
    // Otherwise it might contain itself.
    require(!node.part, "it changes a container that is a part of another");
  }
  void add(PickledNode& node, const PickledValue& value) {
    uint64_t weight = 1;
    if (PickledNode* const* inner = std::get_if<PickledNode*>(&value)) {
      need_complete(value);
      (*inner)->part = true;
      node.depth = std::max(node.depth, (*inner)->depth + 1);
      require(node.depth <= Pickle::deepest, "it nests more than 64 containers");
      weight = (*inner)->weight;
    }
    node.weight += weight;
    require(node.weight <= (uint64_t{1} << 20) + file_bytes_, "it repeats its parts too often");
    node.items.push_back(value);
  }
  static void need_complete(const PickledValue& value) {
    const PickledNode* object = node_of(value, Kind::object);
    require(object == nullptr || object->items.size() == 1, "an object lacks its state");
  }

  // Names and what they are called with.

  static PickledName known_name(std::string_view module_and_name) {
    if (module_and_name.starts_with("__torch__.") || module_and_name.starts_with("__torch__\n")) return {};
    for (const KnownName& known : known_names)
      if (known.module_and_name == module_and_name) return known.name;
    throw PickleError("it names '" + printable(module_and_name) + "', which no data needs");
  }

  const PickledStorage* storage(const PickledValue& identity) {
    const char* malformed = "a storage is malformed";
    const auto& parts = items_of(identity, Kind::tuple, malformed);
    require(parts.size() == 5 && as<std::string_view>(parts[0], malformed) == "storage", malformed);
    const auto type = as<PickledName>(parts[1], malformed);
    const auto name = as<std::string_view>(parts[2], malformed);
    as<std::string_view>(parts[3], malformed);  // the device it was on
    require(type.role == Role::storage, malformed);
    const int64_t size = as<int64_t>(parts[4], malformed);
    const std::optional<uint64_t> bytes = stored_(name);
    require(bytes.has_value(), "a storage is not there");
    require(size >= 0 && std::cmp_less_equal(product(size, element_size(type.type)), *bytes),
            "a storage is larger than what is stored");
    return &pickle_.storages_.emplace_back(PickledStorage{name, type.type, *bytes});
  }

  static int64_t element_size(at::ScalarType type) { return static_cast<int64_t>(c10::elementSize(type)); }

  static std::vector<int64_t> lengths(const PickledValue& value) {
    std::vector<int64_t> result;
    const auto& items = items_of(value, Kind::tuple, "a tensor is malformed");
    require(items.size() <= 16, "a tensor has more than 16 dimensions");
    for (const PickledValue& item : items) result.push_back(as<int64_t>(item, "a tensor is malformed"));
    require(std::all_of(result.begin(), result.end(), [](int64_t length) { return length >= 0; }),
            "a tensor has a negative size or stride");
    return result;
  }

  const PickledTensor* tensor(const std::vector<PickledValue>& arguments) {
    const char* malformed = "a tensor is malformed";
    require(arguments.size() >= 6 && arguments.size() <= 7, malformed);
    PickledTensor result;
    result.storage = as<const PickledStorage*>(arguments[0], malformed);
    result.offset = as<int64_t>(arguments[1], malformed);
    result.sizes = lengths(arguments[2]);
    result.strides = lengths(arguments[3]);
    require(result.offset >= 0, "a tensor has a negative offset");
    require(result.sizes.size() == result.strides.size(), malformed);
    check_extent(result);
    return &pickle_.tensors_.emplace_back(std::move(result));
  }

  void check_extent(const PickledTensor& tensor) const {
    const int64_t bytes = element_size(tensor.storage->type);
    int64_t count = 1, end = sum(tensor.offset, 1);
    for (size_t i = 0; i < tensor.sizes.size(); ++i) {
      count = product(count, std::max<int64_t>(tensor.sizes[i], 1));
      if (tensor.sizes[i] > 0) end = sum(end, product(tensor.sizes[i] - 1, tensor.strides[i]));
    }
    require(std::cmp_less_equal(product(count, bytes), std::max<uint64_t>(file_bytes_, 64)),
            "a tensor is larger than the file");
    const bool empty = std::find(tensor.sizes.begin(), tensor.sizes.end(), 0) != tensor.sizes.end();
    require(empty || std::cmp_less_equal(product(end, bytes), tensor.storage->bytes),
            "a tensor ends behind what is stored");
  }

  PickledValue result_of(Role role, const PickledValue& tuple) {
    const char* malformed = "a call is malformed";
    const auto& arguments = items_of(tuple, Kind::tuple, malformed);
    switch (role) {
      case Role::tensor:
      case Role::quantized_tensor:
        return tensor(arguments);
      case Role::parameter:
        require(arguments.size() == 3, malformed);
        return as<const PickledTensor*>(arguments[0], malformed);
      case Role::dictionary:
        require(arguments.empty(), malformed);
        return new_node(Kind::dictionary);
      case Role::tagged:
        require(arguments.size() == 2, malformed);
        as<std::string_view>(arguments[1], malformed);
        return arguments[0];
      case Role::list:
        require(arguments.size() == 1 && node_of(arguments[0], Kind::list) != nullptr, malformed);
        return arguments[0];
      case Role::device:
        require(arguments.size() == 1, malformed);
        return as<std::string_view>(arguments[0], malformed);
      case Role::object_class: {  // an enumerator
        PickledNode* object = new_node(Kind::object);
        add(*object, tuple);
        return object;
      }
      case Role::scheme:
      case Role::storage:
        break;
    }
    throw PickleError(malformed);
  }

  void call() {
    const PickledValue arguments = pop();
    const PickledValue name = pop();
    push(result_of(as<PickledName>(name, "it calls what is no name").role, arguments));
  }
  void make_object() {
    const PickledValue arguments = pop();
    const PickledValue name = pop();
    require(as<PickledName>(name, "it makes an object of no class").role == Role::object_class &&
                items_of(arguments, Kind::tuple, "an object is malformed").empty(),
            "an object is malformed");
    push(new_node(Kind::object));
  }
  void set_state() {
    const PickledValue state = pop();
    require(stack_.size() > bottom(), "it sets a state of nothing");
    PickledNode* const node = as<PickledNode*>(stack_.back(), "it sets a state of what is no object");
    // Python attaches the versions of its modules to the dictionary of their tensors.
    if (node->kind == Kind::dictionary) return;
    require(node->kind == Kind::object && node->items.empty() && !node->part, "it sets a state twice");
    add(*node, state);
    require(!node->part, "an object is its own state");
  }

  Pickle& pickle_;
  PickleBytes bytes_;
  const Pickle::Stored& stored_;
  uint64_t file_bytes_;
  std::deque<PickledValue> stack_;  // grows without being copied
  std::vector<size_t> marks_;
  std::deque<PickledValue> memory_;
  uint64_t values_ = 0;
};

Pickle::Pickle(std::string bytes, const Stored& stored, uint64_t file_bytes) : bytes_(std::move(bytes)) {
  PickleMachine(*this, stored, file_bytes).run();
}

const PickledNode* node_of(const PickledValue& value, PickledNode::Kind kind) {
  PickledNode* const* node = std::get_if<PickledNode*>(&value);
  return node != nullptr && (*node)->kind == kind ? *node : nullptr;
}

}  // namespace seq2seq
