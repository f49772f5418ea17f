// Pickles are untrusted programs: only those that describe data are read.
#include "seq2seq/model/archive/pickle.h"

#include <gmock/gmock.h>
#include <torch/script.h>

#include <cstring>
#include <filesystem>

#include "../support/compare.h"
#include "../support/paths.h"
#include "seq2seq/model/archive/archive.h"

namespace seq2seq::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;
using Kind = PickledNode::Kind;

template <class Number>
std::string bytes_of(Number number) {
  std::string bytes(sizeof number, '\0');
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}
std::string text(const std::string& value) {
  return "X" + bytes_of(static_cast<uint32_t>(value.size())) + value;
}
std::string integer(int64_t value) {
  return "\x8a\x08" + bytes_of(value);
}
std::string name(const std::string& module, const std::string& function) {
  return "c" + module + "\n" + function + "\n";
}
std::string tuple(const std::vector<int64_t>& values) {
  std::string result = "(";
  for (const int64_t value : values) result += integer(value);
  return result + "t";
}
std::string storage(const std::string& key, const std::string& type, int64_t size) {
  return "(" + text("storage") + name("torch", type) + text(key) + text("cpu") + integer(size) + "tQ";
}
std::string tensor(int64_t offset, const std::vector<int64_t>& sizes, const std::vector<int64_t>& strides,
                   int64_t stored = 6) {
  return name("torch._utils", "_rebuild_tensor_v2") + "(" + storage("0", "FloatStorage", stored) +
         integer(offset) + tuple(sizes) + tuple(strides) + "\x89" + name("collections", "OrderedDict") +
         ")RtR";
}
std::string repeated(const std::string& part, int count) {
  std::string result;
  for (int i = 0; i < count; ++i) result += part;
  return result;
}

// One storage, "0", of six float32 numbers, in a file of 1,000 bytes.
std::optional<uint64_t> six_numbers(std::string_view storage) {
  return storage == "0" ? std::optional<uint64_t>(24) : std::nullopt;
}
std::unique_ptr<Pickle> read(const std::string& program) {
  return std::make_unique<Pickle>("\x80\x02" + program + ".", six_numbers, 1000);
}
void expect_refused(const std::string& program, const std::string& problem) {
  EXPECT_THAT([&] { read(program); }, ThrowsMessage<PickleError>(HasSubstr(problem)))
      << testing::PrintToString(program);
}

TEST(PickleTest, ReadsPlainValues) {
  const auto expect = [](const std::string& program, auto expected) {
    const auto pickle = read(program);
    const auto* found = std::get_if<decltype(expected)>(&pickle->root());
    ASSERT_NE(found, nullptr) << program;
    EXPECT_EQ(*found, expected) << program;
  };
  expect("N", std::monostate());
  expect("\x88", true);
  expect("\x89", false);
  expect("K\xff", int64_t{255});
  expect(std::string("M\x01\x02"), int64_t{513});
  expect("J\xfe\xff\xff\xff", int64_t{-2});
  expect(std::string("\x8a\x00", 2), int64_t{0});
  expect("\x8a\x01\xff", int64_t{-1});
  expect(std::string("\x8a\x02\xff\x00", 4), int64_t{255});
  expect(integer(-1'234'567'890'123), int64_t{-1'234'567'890'123});
  expect(std::string("G\x3f\xf8\0\0\0\0\0\0", 9), 1.5);
  expect(text("gr\u00fcn"), std::string_view("gr\u00fcn"));
}

TEST(PickleTest, ReadsContainers) {
  // {"list": [1, 2, (3,)], "object": an object with the state {"again": the list}}
  const auto pickle =
      read("}(" + text("list") + "]q" + std::string(1, '\0') + "(K\1K\2K\3\x85" + "e" + text("object") +
           name("__torch__.Any", "Class") + ")\x81}" + text("again") + "h" + std::string(1, '\0') + "sbu");
  const PickledNode* root = node_of(pickle->root(), Kind::dictionary);
  ASSERT_NE(root, nullptr);
  ASSERT_EQ(root->items.size(), 4U);
  EXPECT_EQ(root->depth, 5U);  // and object, its state, the list, the tuple
  const PickledNode* list = node_of(root->items[1], Kind::list);
  ASSERT_NE(list, nullptr);
  ASSERT_EQ(list->items.size(), 3U);
  EXPECT_EQ(std::get<int64_t>(list->items[1]), 2);
  const PickledNode* triple = node_of(list->items[2], Kind::tuple);
  ASSERT_NE(triple, nullptr);
  EXPECT_EQ(std::get<int64_t>(triple->items.at(0)), 3);
  const PickledNode* object = node_of(root->items[3], Kind::object);
  ASSERT_NE(object, nullptr);
  const PickledNode* state = node_of(object->items.at(0), Kind::dictionary);
  ASSERT_NE(state, nullptr);
  EXPECT_EQ(node_of(state->items.at(1), Kind::list), list);
}

TEST(PickleTest, ReadsTensors) {
  const auto pickle = read(tensor(1, {2, 2}, {3, 1}));
  const auto* found = std::get<const PickledTensor*>(pickle->root());
  EXPECT_EQ(found->storage->name, "0");
  EXPECT_EQ(found->storage->type, at::kFloat);
  EXPECT_EQ(found->storage->bytes, 24U);
  EXPECT_EQ(found->offset, 1);
  EXPECT_EQ(found->sizes, (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(found->strides, (std::vector<int64_t>{3, 1}));
  for (const std::string& program :
       {tensor(0, {}, {}), tensor(5, {1}, {1}), tensor(0, {2, 3}, {3, 1}), tensor(0, {3, 2}, {1, 3}),
        tensor(0, {0, 100}, {100, 1}), tensor(0, {4, 6}, {0, 1}), tensor(6, {0}, {1})})
    EXPECT_NO_THROW(read(program)) << testing::PrintToString(program);
}

TEST(PickleTest, TensorsLieWithinWhatIsStored) {
  constexpr int64_t most = std::numeric_limits<int64_t>::max();
  expect_refused(tensor(0, {7}, {1}), "ends behind");
  expect_refused(tensor(1, {2, 3}, {3, 1}), "ends behind");
  expect_refused(tensor(6, {}, {}), "ends behind");
  expect_refused(tensor(0, {2}, {6}), "ends behind");
  expect_refused(tensor(-1, {2}, {1}), "negative offset");
  expect_refused(tensor(0, {-2}, {1}), "negative size");
  expect_refused(tensor(0, {2}, {-1}), "negative size or stride");
  expect_refused(tensor(0, {2}, {most}), "too large");
  expect_refused(tensor(most, {2}, {1}), "too large");
  expect_refused(tensor(0, {most, most}, {0, 0}), "too large");
  expect_refused(tensor(0, {0, most, most}, {0, 0, 0}), "too large");
  expect_refused(tensor(0, {1001}, {0}), "larger than the file");
  expect_refused(tensor(0, {2}, {1, 1}), "malformed");
  expect_refused(tensor(0, std::vector<int64_t>(17, 1), std::vector<int64_t>(17, 1)), "16 dimensions");
  expect_refused(tensor(0, {2}, {1}, 7), "larger than what is stored");
  expect_refused(tensor(0, {2}, {1}, -1), "larger than what is stored");
  expect_refused(tensor(0, {2}, {1}, most), "too large");
  expect_refused(storage("1", "FloatStorage", 6), "not there");
  expect_refused(storage("0", "DoubleStorage", 6), "larger than what is stored");
  expect_refused(storage("0", "device", 6), "malformed");
}

TEST(PickleTest, NothingIsCalledButWhatMakesData) {
  for (const char* module : {"os", "posix", "builtins", "torch", "__torch", "nt"})
    expect_refused(name(module, "system") + "(" + text("true") + "tR",
                   std::string("it names '") + module + ".system', which no data needs");
  expect_refused(name("builtins", "ev\033al"), "'builtins.ev?al'");
  expect_refused("K\1)R", "it calls what is no name");
  expect_refused(name("torch", "FloatStorage") + ")R", "a call is malformed");
  expect_refused(name("torch", "FloatStorage") + ")\x81", "an object is malformed");
  expect_refused(name("torch._utils", "_rebuild_tensor_v2") + ")R", "a tensor is malformed");
  expect_refused(name("torch.jit._pickle", "restore_type_tag") + "]R", "a call is malformed");
  // Operations of other protocols, among them those that import, build and call in other ways.
  for (const char code : std::string("\x93\x92io0123dlS\x95\x8c\x90\x82Pp"))
    expect_refused(std::string("N") + code + "N", "which no data needs");
  EXPECT_THAT([] { Pickle("(K\1t.", six_numbers, 1000); },
              ThrowsMessage<PickleError>(HasSubstr("another protocol")));
}

TEST(PickleTest, ItsStackIsSound) {
  expect_refused("", "it does not end with one value");
  expect_refused("NN", "it does not end with one value");
  expect_refused("(N", "it does not end with one value");
  expect_refused("t", "a mark that is not there");
  expect_refused("N\x86", "more values than there are");
  expect_refused("N(\x85t", "more values than there are");
  expect_refused("N(Q", "more values than there are");
  expect_refused("(Ne", "it fills what is not there");
  expect_refused("N(Ne", "it fills what is no container");
  expect_refused("}(Ne", "another kind");
  expect_refused("}(Nu", "a key lacks its value");
  expect_refused(std::string("Nq\1"), "one by one");
  expect_refused("h\1", "not remembered");
  expect_refused("N}b", "it sets a state of what is no object");
  expect_refused(name("__torch__", "A") + ")\x81", "lacks its state");
  expect_refused("](" + name("__torch__", "A") + ")\x81" + "e", "lacks its state");
  expect_refused(name("__torch__", "A") + ")\x81}b}b", "a state twice");
  expect_refused(text("abc").substr(0, 6), "ends in the middle");
  expect_refused("\x8a\x09" + std::string(9, '\1'), "more than 64 bits");
  EXPECT_THAT([] { Pickle("\x80\x02N.N", six_numbers, 1000); },
              ThrowsMessage<PickleError>(HasSubstr("bytes follow its end")));
}

TEST(PickleTest, NestsOnlySoDeep) {
  EXPECT_NO_THROW(read(")" + repeated("\x85", 63)));
  expect_refused(")" + repeated("\x85", 64), "more than 64");
  EXPECT_NO_THROW(read(repeated("]", 64) + repeated("a", 63)));
  expect_refused(repeated("]", 65) + repeated("a", 64), "more than 64");
}

TEST(PickleTest, NothingContainsItself) {
  const std::string first(1, '\0');
  expect_refused("]q" + first + "h" + first + "a", "a part of another");
  expect_refused("]q" + first + "(h" + first + "e", "a part of another");
  expect_refused("]q" + first + "]h" + first + "aa", "a part of another");
  expect_refused(name("__torch__", "A") + ")\x81q" + first + "h" + first + "b", "lacks its state");
  expect_refused(name("__torch__", "A") + ")\x81q" + first + "}(Nh" + first + "ub", "lacks its state");
}

TEST(PickleTest, FewBytesMakeNoHugeValue) {
  // Each list holds the one before it twice: 2^40 values.
  std::string doubling = "]q" + std::string(1, '\0');
  for (char i = 0; i < 40; ++i) {
    const std::string index(1, i), next(1, static_cast<char>(i + 1));
    doubling += "](h" + index + "h" + index + "eq" + next;
  }
  expect_refused(doubling + repeated("\x86", 40), "repeats its parts too often");
  expect_refused("(" + std::string(300'000, 'N') + "t", "too many values");
  expect_refused("(" + std::string(100'000, ')') + "t", "too many containers");
  expect_refused(std::string(300'000, '('), "too many values");
}

// Our own archives: every tensor is bit for bit the one that LibTorch's reader gives.
TEST(PickleTest, ReadsArchivesAsLibTorchDoes) {
  std::vector<std::filesystem::path> files{tests_folder + "../models/demo-en-de.pt"};
  for (const auto& entry :
       std::filesystem::directory_iterator(tests_folder + "compatibility/14fe82e/archives"))
    files.push_back(entry.path());
  ASSERT_EQ(files.size(), 14U);
  for (const auto& file : files) {
    SCOPED_TRACE(file);
    const NamedTensors ours = read_archive(file).tensors;
    const torch::jit::Module module = torch::jit::load(file);
    size_t count = 0;
    const auto expect_same = [&](const std::string& key, const Tensor& theirs) {
      ++count;
      const auto found = ours.find(key);
      ASSERT_NE(found, ours.end()) << key;
      EXPECT_EQ(found->second.scalar_type(), theirs.scalar_type()) << key;
      EXPECT_EQ(found->second.strides(), theirs.strides()) << key;
      EXPECT_TRUE(found->second.equal(theirs)) << key;
      EXPECT_FALSE(found->second.requires_grad()) << key;
    };
    for (const auto& one : module.named_parameters()) expect_same(one.name, one.value);
    for (const auto& one : module.named_buffers()) expect_same(one.name, one.value);
    EXPECT_EQ(count, ours.size());
    EXPECT_NO_THROW(check_archive(file));
  }
}

}  // namespace
}  // namespace seq2seq::test
