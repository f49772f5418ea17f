#include "seq2seq/core/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/vfs.h>
#endif

#include <algorithm>
#include <mutex>
#include <vector>

namespace seq2seq {
namespace {

/// The mappings that exist.
class Mappings {
 public:
  static Mappings& all() {
    static Mappings mappings;
    return mappings;
  }
  void add(std::span<const std::byte> bytes) {
    const std::lock_guard lock(mutex_);
    mapped_.push_back(bytes);
  }
  void remove(std::span<const std::byte> bytes) {
    const std::lock_guard lock(mutex_);
    std::erase_if(mapped_, [&](const auto& one) { return one.data() == bytes.data(); });
  }
  bool contain(std::span<const std::byte> bytes) {
    const std::lock_guard lock(mutex_);
    return std::any_of(mapped_.begin(), mapped_.end(), [&](const auto& one) {
      return bytes.data() >= one.data() && bytes.data() + bytes.size() <= one.data() + one.size();
    });
  }

 private:
  std::mutex mutex_;
  std::vector<std::span<const std::byte>> mapped_;
};

FileIdentity identity_of(const struct stat& status) {
#ifdef __APPLE__
  const auto& changed = status.st_mtimespec;
#else
  const auto& changed = status.st_mtim;
#endif
  return {static_cast<uint64_t>(status.st_dev), static_cast<uint64_t>(status.st_ino),
          static_cast<uint64_t>(status.st_size), static_cast<int64_t>(changed.tv_sec),
          static_cast<int64_t>(changed.tv_nsec)};
}

/// Whether no other machine or program provides the file: these may shorten it, or fail, at any time.
bool is_local([[maybe_unused]] int descriptor) {
#ifdef __linux__
  constexpr uint32_t elsewhere[] = {0x6969,       // NFS
                                    0x517B,       // SMB
                                    0xFE534D42,   // SMB 2
                                    0xFF534D42,   // CIFS
                                    0x01021997,   // 9P
                                    0x00C36400,   // Ceph
                                    0x5346414F,   // AFS
                                    0x65735546,   // FUSE
                                    0x0BD00BD0,   // Lustre
                                    0x47504653};  // GPFS
  struct statfs system {};
  if (fstatfs(descriptor, &system) != 0) return false;
  return std::find(std::begin(elsewhere), std::end(elsewhere), static_cast<uint32_t>(system.f_type)) ==
         std::end(elsewhere);
#else
  return true;
#endif
}

class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace

FileIdentity FileIdentity::of(const std::filesystem::path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? identity_of(status) : FileIdentity{};
}

MappedFile::MappedFile(std::span<const std::byte> bytes) : bytes_(bytes) {
  Mappings::all().add(bytes_);
}

MappedFile::~MappedFile() {
  Mappings::all().remove(bytes_);
  ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

std::shared_ptr<const MappedFile> MappedFile::open(const std::filesystem::path& path,
                                                   const FileIdentity& identity) {
  // Without waiting, should it be a pipe.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (file.number() < 0 || ::fstat(file.number(), &status) != 0) return nullptr;
  if (!S_ISREG(status.st_mode) || status.st_size <= 0 || identity_of(status) != identity) return nullptr;
  if (!is_local(file.number())) return nullptr;
  const auto size = static_cast<size_t>(status.st_size);
  void* const memory = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.number(), 0);
  if (memory == MAP_FAILED) return nullptr;
  return std::shared_ptr<const MappedFile>(new MappedFile({static_cast<const std::byte*>(memory), size}));
}

void release_if_mapped(std::span<const std::byte> bytes) {
  if (!Mappings::all().contain(bytes)) return;
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const size_t before = reinterpret_cast<uintptr_t>(bytes.data()) % page,
               skipped = before == 0 ? 0 : page - before;
  if (bytes.size() < skipped + page) return;
  const size_t whole = (bytes.size() - skipped) / page * page;
  ::madvise(const_cast<std::byte*>(bytes.data() + skipped), whole, MADV_DONTNEED);
}

}  // namespace seq2seq
