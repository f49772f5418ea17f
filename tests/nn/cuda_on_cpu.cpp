#include "cuda_on_cpu.h"

#include <array>
#include <barrier>
#include <cstddef>
#include <cstring>
#include <thread>
#include <vector>

#include "seq2seq/nn/cuda/adaptors.h"
#include "seq2seq/nn/cuda/table.h"

namespace seq2seq::test {
namespace {

using cuda::Candidate;
using Bytes = std::vector<std::max_align_t>;

/// See nn/cuda/group.h.
class OneThread {
 public:
  static constexpr int columns = 1, rows = 1;

  explicit OneThread(Bytes* shared = nullptr) : shared_(shared) {}
  int rank() const { return 0; }
  int size() const { return 1; }
  int column() const { return 0; }
  int row() const { return 0; }
  int part() const { return 0; }
  int parts() const { return 1; }
  OneThread team() const { return OneThread(); }
  void sync() const {}
  template <class Scalar>
  Scalar sum(Scalar x) const {
    return x;
  }
  template <class Scalar>
  Scalar maximum(Scalar x) const {
    return x;
  }
  template <class Scalar>
  Candidate<Scalar> best(const Candidate<Scalar>& x) const {
    return x;
  }
  template <class Scalar>
  Scalar* shared() const {
    return reinterpret_cast<Scalar*>(shared_->data());
  }

 private:
  Bytes* shared_;
};

constexpr int thread_count = 4;

/// What four threads share.
struct Meeting {
  explicit Meeting(size_t shared_bytes) : shared(shared_bytes / sizeof(std::max_align_t) + 1) {}

  Bytes shared;
  std::array<std::max_align_t, thread_count> values = {};
  std::barrier<> barrier{thread_count};
};

class FourThreads {
 public:
  static constexpr int columns = 2, rows = 2;

  FourThreads(Meeting& meeting, int rank) : meeting_(meeting), rank_(rank) {}
  int rank() const { return rank_; }
  int size() const { return thread_count; }
  int column() const { return rank_ % columns; }
  int row() const { return rank_ / columns; }
  int part() const { return rank_; }
  int parts() const { return thread_count; }
  OneThread team() const { return OneThread(); }
  void sync() const { meeting_.barrier.arrive_and_wait(); }
  template <class Scalar>
  Scalar sum(Scalar x) const {
    return reduced(x, [](Scalar a, Scalar b) { return a + b; });
  }
  template <class Scalar>
  Scalar maximum(Scalar x) const {
    return reduced(x, [](Scalar a, Scalar b) { return cuda::larger(a, b); });
  }
  template <class Scalar>
  Candidate<Scalar> best(const Candidate<Scalar>& x) const {
    return reduced(x, [](const auto& a, const auto& b) { return b.before(a) ? b : a; });
  }
  template <class Scalar>
  Scalar* shared() const {
    return reinterpret_cast<Scalar*>(meeting_.shared.data());
  }

 private:
  template <class Value, class Combine>
  Value reduced(const Value& x, const Combine& combine) const {
    static_assert(sizeof(Value) <= sizeof(std::max_align_t));
    std::memcpy(&meeting_.values[static_cast<size_t>(rank_)], &x, sizeof(Value));
    sync();
    const auto of = [&](size_t rank) {
      Value value;
      std::memcpy(&value, &meeting_.values[rank], sizeof(Value));
      return value;
    };
    Value all = of(0);
    for (size_t rank = 1; rank < thread_count; ++rank) all = combine(all, of(rank));
    sync();
    return all;
  }

  Meeting& meeting_;
  int rank_;
};

/// See nn/cuda/table.h; Run(shared bytes, work) calls work(group) for each thread.
template <class Group, class Run>
struct Runner {
  using Wide = Group;
  using Table = Group;

  explicit Runner(void*) {}
  template <class Kernel>
  int elements(int64_t count, const Kernel& kernel) const {
    for (int64_t i = 0; i < count; ++i) kernel(i);
    return 0;
  }
  template <class Kernel>
  int warps(int64_t count, const Kernel& kernel) const {
    return blocks<Group>(count, 0, kernel);
  }
  template <class Shape, class Kernel>
  int blocks(int64_t count, size_t shared, const Kernel& kernel) const {
    Run()(shared, [&](const Shape& group) {
      for (int64_t i = 0; i < count; ++i) {
        kernel(group, i);
        group.sync();
      }
    });
    return 0;
  }
};

struct RunOne {
  template <class Work>
  void operator()(size_t shared_bytes, const Work& work) const {
    Bytes shared(shared_bytes / sizeof(std::max_align_t) + 1);
    work(OneThread(&shared));
  }
};
struct RunFour {
  template <class Work>
  void operator()(size_t shared_bytes, const Work& work) const {
    Meeting meeting(shared_bytes);
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < thread_count; ++rank)
      threads.emplace_back([&, rank] { work(FourThreads(meeting, rank)); });
  }
};

const char* no_error(int) {
  return "none";
}

template <class Run>
struct Processor {
  explicit Processor(const Tensor&) {}
  static bool serves(const Tensor& x) {
    return x.is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble);
  }
  static const cuda::Library& library() {
    static const cuda::Library made = cuda::library_of<Run>(no_error);
    return made;
  }

  void* stream = nullptr;
};

}  // namespace

constexpr KernelSet cuda_by_one_thread =
    cuda::Adaptors<Processor<Runner<OneThread, RunOne>>>::set("cuda by one thread");
constexpr KernelSet cuda_by_four_threads =
    cuda::Adaptors<Processor<Runner<FourThreads, RunFour>>>::set("cuda by four threads");

}  // namespace seq2seq::test
