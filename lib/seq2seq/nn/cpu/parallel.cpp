#include "seq2seq/nn/cpu/parallel.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <exception>

// LibTorch's OpenMP runtime, called directly: at::parallel_for needs a compiler that generates calls to that
// very runtime, and clang's -fopenmp links a second one.
extern "C" {
// NOLINTNEXTLINE(readability-identifier-naming)
void GOMP_parallel(void (*run)(void*), void* data, unsigned threads, unsigned flags);
int omp_get_thread_num();
int omp_get_num_threads();
}

namespace seq2seq {
namespace {

struct Job {
  int64_t count, grain;
  c10::function_ref<void(int64_t, int64_t)> run;
  std::atomic_flag failed = ATOMIC_FLAG_INIT;
  std::exception_ptr failure = nullptr;

  // Runs the range of the calling thread of the team.
  void take_part() {
    const int64_t ranges = std::min<int64_t>(omp_get_num_threads(), (count + grain - 1) / grain);
    const int64_t length = (count + ranges - 1) / ranges, begin = omp_get_thread_num() * length;
    if (begin >= count) return;
    try {
      run(begin, std::min(count, begin + length));
    } catch (...) {
      if (!failed.test_and_set()) failure = std::current_exception();
    }
  }
};

}  // namespace

void parallel_for(int64_t count, int64_t grain, c10::function_ref<void(int64_t, int64_t)> run) {
  if (count <= 0) return;
  if (count <= grain || at::get_num_threads() == 1 || at::in_parallel_region()) return run(0, count);
  Job job{.count = count, .grain = std::max<int64_t>(grain, 1), .run = run};
  // Always the full team: libgomp ends and restarts threads whenever the size of its team changes.
  GOMP_parallel([](void* data) { static_cast<Job*>(data)->take_part(); }, &job, 0, 0);
  if (job.failure) std::rethrow_exception(job.failure);
}

}  // namespace seq2seq
