// Untrusted archives: damaged files, names that lead outside and false sizes are refused.
#include "seq2seq/model/archive/archive.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <torch/script.h>
#include <zip.h>

#include <cstring>
#include <fstream>
#include <span>

#include "../data/temporary_folder.h"
#include "../support/resident_file.h"
#include "../support/tiny_model.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/random.h"
#include "seq2seq/decode/self_test.h"
#include "seq2seq/model/archive/checkpoint.h"
#include "seq2seq/model/archive/model_readers.h"
#include "seq2seq/model/archive/zip_file.h"
#include "seq2seq/model/archive/zip_layout.h"
#include "seq2seq/nn/engine/weight_store.h"

namespace seq2seq {
namespace {

using namespace std::string_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing::ThrowsMessage;

/// A value of /proc/self/status, in bytes.
size_t memory_line(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(key + ":")) return std::stoull(line.substr(key.size() + 1)) * 1024;
  return 0;
}

class ArchiveTest : public testing::Test {
 protected:
  ArchiveTest() {
    std::vector<std::string> words;
    for (int i = 0; i < 20000; ++i) words.push_back("word" + std::to_string(i));
    const auto codec = std::make_shared<const TextCodec>(WordTokenizerOptions{}, NormalizationOptions{}, "",
                                                         Vocabulary(words));
    model.text = {codec, codec, {}};
    model.text_options.tokenizer = WordTokenizerOptions{};
    model.model_options = test::tiny_options({});
    model.model_options.embedding.size = 64;
    model.model = Seq2Seq(model.model_options, codec->vocabulary().size(), codec->vocabulary().size());
    model.model->initialize(1);
    connect_vocabularies(model);
    model.self_test = to_json(self_test(model));
    save_model(model, path);
    bytes = read_file(path);
  }

  void write(const std::string& content) const { std::ofstream(path, std::ios::binary) << content; }

  /// `content` with every `name` replaced by `other`, which has the same length.
  static std::string with(std::string content, const std::string& name, const std::string& other) {
    for (size_t at = content.find(name); at != std::string::npos; at = content.find(name))
      content.replace(at, name.size(), other);
    return content;
  }

  /// Loading fails with one line that names the file, and without using much memory.
  void expect_refused(const std::string& content, const std::string& what) const {
    write(content);
    std::ofstream("/proc/self/clear_refs") << "5";  // resets the peak
    const size_t before = memory_line("VmRSS");
    EXPECT_THAT([&] { load_model(path); },
                ThrowsMessage<Error>(AllOf(StartsWith(path + ": "), Not(HasSubstr("\n")))))
        << what;
    const size_t peak = memory_line("VmHWM");
    EXPECT_LT(peak, before + 2 * bytes.size()) << what;
  }

  TemporaryFolder folder;
  std::string path = folder.path("model.pt");
  TranslationModel model;
  std::string bytes;
  const std::string top = "archive";  // the folder of its entries
};

// LibTorch stores archives whose code calls gelu in another layout.
TEST_F(ArchiveTest, IsReadWhateverOperationsItsCodeCalls) {
  for (const test::Architecture& architecture : test::transformer_architectures()) {
    TranslationModel other = model;
    other.model_options = test::tiny_options(architecture);
    const int64_t words = model.text.source->vocabulary().size();
    other.model = Seq2Seq(other.model_options, words, words);
    other.model->initialize(2);
    connect_vocabularies(other);
    save_model(other, path);
    TranslationModel loaded = load_model(path);
    for (const auto& [name, value] : named_parameters_of(*other.model))
      EXPECT_TRUE(named_parameters_of(*loaded.model).at(name).equal(value)) << test::name_of(architecture);
  }
}

TEST_F(ArchiveTest, OfAFullDiskIsTold) {
  EXPECT_THAT([&] { save_model(model, "/dev/full"); },
              ThrowsMessage<Error>(StartsWith("/dev/full: cannot be written (No space left on device); ")));
}

TEST_F(ArchiveTest, HoldsTheWeightsWithoutRunningAnything) {
  const Archive archive = read_archive(path);
  for (const auto& [name, value] : named_parameters_of(*model.model))
    EXPECT_TRUE(archive.tensors.at(name).equal(value)) << name;
  EXPECT_EQ(archive.files.at("self-test.json"), model.self_test);
  const TranslationModel loaded = load_model(path);
  ModelScorer scorer(loaded.model);
  EXPECT_TRUE(replay(self_test_from_json(model.self_test, path, 20004), scorer).passed());
}

TEST_F(ArchiveTest, WeightsCanLieInTheFile) {
  TranslationModel loaded = load_model(path, at::kCPU, WeightMemory::mapped);
  const auto expect_same = [&] {
    for (const auto& [name, value] : named_parameters_of(*loaded.model))
      EXPECT_TRUE(named_parameters_of(*model.model).at(name).equal(value)) << name;
  };
  expect_same();
  const size_t in_file = test::resident_bytes(path);
  EXPECT_GT(in_file, bytes.size() / 2);
  // Packed weights have a copy of their own: that in the file needs no memory any more.
  WeightStore store(loaded.model->parameters());
  for (const Tensor& weight : loaded.model->parameters()) store.packed(weight);
  EXPECT_LT(test::resident_bytes(path), in_file / 4);
  expect_same();
  ModelScorer scorer(loaded.model);
  EXPECT_TRUE(replay(self_test_from_json(model.self_test, path, 20004), scorer).passed());
  // Another file in its place changes nothing.
  TranslationModel other = model;
  other.model = Seq2Seq(model.model_options, 20004, 20004);
  other.model->initialize(2);
  connect_vocabularies(other);
  save_model(other, path);
  expect_same();
}

TEST_F(ArchiveTest, WeightsInOwnMemoryCanBeChanged) {
  const at::NoGradGuard no_grad;
  const TranslationModel loaded = load_model(path);
  EXPECT_EQ(test::resident_bytes(path), 0U);
  for (Tensor& weight : loaded.model->parameters()) weight.fill_(1);
  EXPECT_EQ(loaded.model->parameters().front().min().item<float>(), 1);
}

TEST_F(ArchiveTest, WhatIsMappedIsWhatIsRead) {
  ZipFile zip(path);
  EXPECT_EQ(zip.mapped("data.pkl").file, nullptr);
  zip.map();
  size_t tensors = 0, found = 0;
  for (const std::string& name : zip.names()) {
    if (name.starts_with("data/")) ++tensors;
    const ZipFile::Mapped mapped = zip.mapped(name);
    if (mapped.file == nullptr) continue;
    if (name.starts_with("data/")) ++found;
    const std::string text(reinterpret_cast<const char*>(mapped.data), zip.size(name));
    EXPECT_TRUE(text == zip.text(name)) << name;
  }
  EXPECT_EQ(found, tensors);
  EXPECT_GT(tensors, 5U);
  EXPECT_EQ(zip.mapped("missing").file, nullptr);
  // A file that has taken its place is another one.
  ZipFile replaced(path);
  write_file(path, bytes);
  replaced.map();
  EXPECT_EQ(replaced.mapped("data.pkl").file, nullptr);
}

// It is read by a reader of our own, which nothing may lead outside of the file.
TEST_F(ArchiveTest, ADamagedDirectoryLeadsNowhere) {
  std::string damaged = bytes;
  const auto file = std::as_bytes(std::span(damaged));
  const size_t whole = stored_entries(file).size();
  ASSERT_GT(whole, 5U);
  Random random(11);
  size_t fewer = 0;
  for (int round = 0; round < 3000; ++round) {
    const uint64_t width = round % 2 == 0 ? 120 : 8000;  // the end records, or the directory as well
    for (uint64_t changes = random.below(8); changes > 0; --changes)
      damaged[damaged.size() - 1 - random.below(width)] =
          static_cast<char>(random.below(4) == 0 ? 0xFF : random.below(256));
    const auto part = file.first(round % 3 == 0 ? random.below(file.size()) : file.size());
    const auto found = stored_entries(part);
    if (found.size() < whole) ++fewer;
    for (const auto& [name, data] : found) {
      EXPECT_GE(data.data(), part.data());
      EXPECT_LE(data.data() + data.size(), part.data() + part.size());
    }
    damaged.replace(damaged.size() - 8000, 8000, bytes, bytes.size() - 8000, 8000);
  }
  EXPECT_GT(fewer, 1000U);
  EXPECT_LT(fewer, 3000U);
}

TEST_F(ArchiveTest, NoSentenceGivesNoOutput) {
  const auto archive = torch::jit::load(path);
  const Tensor none = at::zeros({0, 5}, at::kLong), lengths = at::zeros({0}, at::kLong);
  const at::IValue output = archive.get_method("greedy")({none, lengths, int64_t{7}});
  EXPECT_EQ(output.toTensor().size(0), 0);
}

TEST_F(ArchiveTest, IsTheFirstKindOfModelFile) {
  const ModelReader& ours = model_readers().front();
  const auto expect_ours = [&](const std::string& given, const std::string& file) {
    EXPECT_EQ(&reader_of(given), &ours) << given;
    const ImportedModel imported = ours.read(given, WeightMemory::own);
    EXPECT_EQ(imported.file, file);
    EXPECT_TRUE(imported.model.model.is_empty());
    EXPECT_EQ(imported.model.self_test, model.self_test);
    for (const auto& [name, value] : named_parameters_of(*model.model))
      EXPECT_TRUE(imported.weights.at(name).equal(value)) << name;
  };
  expect_ours(path, path);
  for (const char* checkpoint : {"run/last", "run/best"}) {  // the best checkpoint has precedence
    std::filesystem::create_directories(folder.path(checkpoint));
    std::filesystem::copy(path, folder.path(checkpoint));
    expect_ours(folder.path("run"), folder.path(checkpoint) + "/model.pt");
    expect_ours(folder.path(checkpoint), folder.path(checkpoint) + "/model.pt");
  }
}

TEST_F(ArchiveTest, WhatIsOfNoKnownKindIsToldWithTheKindsThatAre) {
  const auto expect_unknown = [](const std::string& given, const std::string& problem) {
    EXPECT_FALSE(model_readers().front().recognises(given)) << given;
    EXPECT_THAT([&] { load_model(given); },
                ThrowsMessage<Error>(AllOf(
                    StartsWith(given + ": " + problem + " of a known kind (tried: seq2seq archive); give a "),
                    Not(HasSubstr("\n")))));
  };
  write("not a model\n");
  expect_unknown(path, "is no model");
  write(with(bytes, "seq2seq.json", "someones.txt"));  // an archive of another program
  expect_unknown(path, "is no model");
  save_model(model, path);
  torch::jit::load(path).save(path);  // as Python does
  expect_unknown(path, "is no model");
  EXPECT_THAT([&] { load_model(path); }, ThrowsMessage<Error>(HasSubstr("model.save() drops the files")));
  std::filesystem::create_directory(folder.path("run"));
  expect_unknown(folder.path("run"), "holds no model");
  EXPECT_THAT([&] { load_model(folder.path("missing")); },
              ThrowsMessage<Error>(StartsWith(folder.path("missing") + ": does not exist")));
  const std::string endless = folder.path(std::string(300, 'x'));
  EXPECT_THAT([&] { load_model(endless); },
              ThrowsMessage<Error>(StartsWith(endless + ": cannot be opened (File name too long); ")));
  write(with(bytes, "source.tokenizer", "source.somewhere"));
  EXPECT_THAT([&] { load_model(path); },
              ThrowsMessage<Error>(StartsWith(path + ": does not hold what it should: it lacks "
                                                     "'source.tokenizer'")));
}

TEST_F(ArchiveTest, AHundredDamagedOnesAreRefused) {
  Random random(7);
  const auto directory = bytes.rfind("PK\x01\x02");
  ASSERT_NE(directory, std::string::npos);
  for (int i = 0; i < 30; ++i)
    expect_refused(bytes.substr(0, 1 + random.below(bytes.size() - 1)), "truncated");
  // In the contents of entries: padding between them is not checked.
  const size_t body = bytes.find("data.pkl") - bytes.find("data/0");
  ASSERT_GT(body, bytes.size() / 2);
  for (int i = 0; i < 30; ++i) {
    std::string damaged = bytes;
    const size_t at = bytes.find("data/0") + 200 + random.below(64 * 20000 * 4 - 400);
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << random.below(8)));
    expect_refused(damaged, "a bit flipped at " + std::to_string(at));
  }
  // Names, in the central directory and before the data.
  const std::string names[] = {"data.pkl", "source.vocabulary.json", "seq2seq.json", "data/0", "version"};
  for (int i = 0; i < 20; ++i) {
    std::string damaged = bytes;
    const std::string& name = names[static_cast<size_t>(i) % std::size(names)];
    for (size_t at = damaged.find(name); at != std::string::npos; at = damaged.find(name))
      damaged[at + (i % 2 == 0 ? 0 : name.size() - 1)] = i < 10 ? '#' : '\x01';
    expect_refused(damaged, "renamed " + name);
  }
  // Sizes in the central directory: of 4 GB, or one byte too large.
  for (int i = 0; i < 20; ++i) {
    std::string damaged = bytes;
    size_t entry = damaged.find("PK\x01\x02");
    for (int skip = 0; skip < i; ++skip) entry = damaged.find("PK\x01\x02", entry + 4);
    uint32_t size = 0;
    std::memcpy(&size, &damaged[entry + 24], 4);
    size = i % 2 == 0 ? 0xF0000000U : size + 1;
    std::memcpy(&damaged[entry + 24], &size, 4);
    expect_refused(damaged, "another size");
  }
}

TEST_F(ArchiveTest, FilesThatAreNoArchives) {
  for (const char* content : {"", "PK", "text\n", "PK\x05\x06\0\0"}) expect_refused(content, content);
  EXPECT_THROW(read_archive(folder.path("missing")), Error);
}

class ForgedArchiveTest : public ArchiveTest {
 protected:
  /// Replaces an entry of the archive, and its checksum.
  void replace(const std::string& name, const std::string& content) const {
    int error = 0;
    zip_t* archive = zip_open(path.c_str(), 0, &error);
    const auto index = zip_name_locate(archive, (top + "/" + name).c_str(), 0);
    ASSERT_GE(index, 0) << name;
    zip_file_replace(archive, static_cast<zip_uint64_t>(index),
                     zip_source_buffer(archive, content.data(), content.size(), 0), 0);
    ASSERT_EQ(zip_close(archive), 0);
  }
  /// Adds an entry to the archive.
  void add(const std::string& name, size_t size, bool compressed) const {
    int error = 0;
    zip_t* archive = zip_open(path.c_str(), 0, &error);
    const std::string content(size, 'a');
    const auto index = zip_file_add(archive, name.c_str(),
                                    zip_source_buffer(archive, content.data(), size, 0), ZIP_FL_ENC_UTF_8);
    zip_set_file_compression(archive, static_cast<zip_uint64_t>(index),
                             compressed ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 9);
    ASSERT_EQ(zip_close(archive), 0);
  }
};

TEST_F(ForgedArchiveTest, NamesMustStayInside) {
  for (const char* name : {"../evil", "a/../../evil", "/etc/passwd", "a\\b", "c:evil", "a\nb"}) {
    write(bytes);
    add(name, 10, false);
    EXPECT_THAT([&] { load_model(path); }, ThrowsMessage<Error>(HasSubstr("leads out of the archive")))
        << name;
  }
  write(bytes);
  add(top + "/extra/harmless..txt", 10, false);
  EXPECT_NO_THROW(load_model(path));
  add("elsewhere/extra/text", 10, false);
  EXPECT_THAT([&] { load_model(path); }, ThrowsMessage<Error>(HasSubstr("are not in one folder")));
}

TEST_F(ForgedArchiveTest, TensorsEndWhereTheirBytesEnd) {
  replace("data/3", "1234");
  EXPECT_THAT([&] { load_model(path); },
              ThrowsMessage<Error>(HasSubstr("is not a TorchScript archive, or is damaged (data.pkl: a "
                                             "storage is larger than what is stored)")));
}

// Such an archive is refused before LibTorch sees it, whether its code would be run or not.
TEST_F(ForgedArchiveTest, APickleThatCallsAnythingIsRefused) {
  for (const char* name : {"data.pkl", "constants.pkl", "code/__torch__.py.debug_pkl"}) {
    write(bytes);
    replace(name,
            "\x80\x02"
            "cposix\nsystem\n(X\x04\0\0\0true"
            "tR."s);
    EXPECT_THAT([&] { check_archive(path); },
                ThrowsMessage<Error>(HasSubstr(name + ": it names 'posix.system', which no data needs"s)));
  }
  EXPECT_NO_THROW(read_archive(path));  // reads neither constants nor code
}

TEST_F(ForgedArchiveTest, NumbersOfAnotherByteOrderAreRefused) {
  replace("byteorder", "big");
  EXPECT_THAT([&] { load_model(path); }, ThrowsMessage<Error>(HasSubstr("another order of bytes")));
}

TEST_F(ForgedArchiveTest, ACommentCouldHideAnotherDirectory) {
  int error = 0;
  zip_t* archive = zip_open(path.c_str(), 0, &error);
  zip_set_archive_comment(archive, "hello", 5);
  ASSERT_EQ(zip_close(archive), 0);
  EXPECT_THAT([&] { load_model(path); }, ThrowsMessage<Error>(HasSubstr("has a comment")));
}

TEST_F(ForgedArchiveTest, WhatUnpacksToFarMoreIsRefused) {
  add(top + "/extra/text", 1000, true);
  EXPECT_THAT([&] { load_model(path); },
              ThrowsMessage<Error>(HasSubstr("where TorchScript compresses code")));
  write(bytes);
  add(top + "/code/bomb", size_t{20} << 20, true);
  EXPECT_LT(read_file(path).size(), bytes.size() + (size_t{1} << 20));
  EXPECT_THAT([&] { load_model(path); },
              ThrowsMessage<Error>(HasSubstr("declares more data than a file of its size can hold")));
}

}  // namespace
}  // namespace seq2seq
