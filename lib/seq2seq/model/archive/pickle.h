#pragma once

// Private to model: reads untrusted pickles, which say what TorchScript archives and training states hold.

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace seq2seq {

/// Why a pickle is refused, for the message of an Error: "a tensor ends behind what is stored".
class PickleError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A name of Python's that a pickle may use.
struct PickledName {
  enum class Role {
    object_class,
    tensor,
    quantized_tensor,
    parameter,
    dictionary,
    tagged,
    list,
    device,
    scheme,
    storage
  };
  Role role = Role::object_class;
  at::ScalarType type = at::kFloat;  ///< of a storage
};

/// What an entry of the archive stores.
struct PickledStorage {
  std::string_view name;  ///< of the entry, in the folder of the pickle's tensors
  at::ScalarType type = at::kFloat;
  uint64_t bytes = 0;
};

/// Numbers of a storage. All lie within it.
struct PickledTensor {
  const PickledStorage* storage = nullptr;
  int64_t offset = 0;  ///< in numbers, as strides; none is negative
  std::vector<int64_t> sizes, strides;
};

struct PickledNode;

/// None, a bool, an integer, a float, a string, a name, a storage, a tensor, or a container.
using PickledValue = std::variant<std::monostate, bool, int64_t, double, std::string_view, PickledName,
                                  const PickledStorage*, const PickledTensor*, PickledNode*>;

struct PickledNode {
  enum class Kind { tuple, list, dictionary, object };
  Kind kind = Kind::tuple;
  bool part = false;    ///< of another container: then it does not change any more
  uint32_t depth = 1;   ///< containers from here to the innermost, itself included
  uint64_t weight = 1;  ///< values below it, each counted as often as it is reached, and itself
  /// Of a dictionary keys and values in turn; of an object its state, mostly the dictionary of its attributes.
  std::vector<PickledValue> items = {};
};

/// The value that a pickle describes. A pickle is a program that may call any function of Python's; this one may
/// only describe data: plain values, containers, tensors, and the states of objects, whatever their classes.
/// Everything else is refused, and so is what is nested more than 64 deep, refers to itself, or would need much
/// more memory than the archive has bytes.
class Pickle {
 public:
  static constexpr uint32_t deepest = 64;
  /// The bytes of an entry in the folder of the pickle's tensors, or nothing.
  using Stored = std::function<std::optional<uint64_t>(std::string_view)>;

  /// `file_bytes`: the size of the archive, which no tensor exceeds, and which bounds the memory that is used.
  /// Throws PickleError.
  Pickle(std::string bytes, const Stored& stored, uint64_t file_bytes);
  Pickle(const Pickle&) = delete;
  Pickle& operator=(const Pickle&) = delete;

  const PickledValue& root() const { return root_; }

 private:
  friend class PickleMachine;
  std::string bytes_;  // strings are views of it
  std::deque<PickledStorage> storages_;
  std::deque<PickledTensor> tensors_;
  std::deque<PickledNode> nodes_;
  PickledValue root_;
};

/// The container of that kind, or nothing.
const PickledNode* node_of(const PickledValue& value, PickledNode::Kind kind);

}  // namespace seq2seq
