// The kernels for GPUs, as a library of its own that exports one function: see functions.h.

#include <cuda_runtime.h>

#include "seq2seq/nn/cuda/table.h"

namespace seq2seq::cuda {
namespace {

constexpr int warp_size = 32;
constexpr unsigned all_lanes = 0xffffffff;

template <class Value>
__device__ Value of_lane(Value x, int distance) {
  return __shfl_xor_sync(all_lanes, x, distance);
}
template <class Scalar>
__device__ Candidate<Scalar> of_lane(const Candidate<Scalar>& x, int distance) {
  return {of_lane(x.value, distance), of_lane(x.index, distance)};
}

struct Sum {
  template <class Value>
  __device__ Value operator()(Value a, Value b) const {
    return a + b;
  }
};
struct Maximum {
  template <class Value>
  __device__ Value operator()(Value a, Value b) const {
    return larger(a, b);
  }
};
struct Best {
  template <class Value>
  __device__ Value operator()(const Value& a, const Value& b) const {
    return b.before(a) ? b : a;
  }
};

/// Reductions by `reduced`, which Self provides.
template <class Self>
struct Reductions {
  template <class Scalar>
  __device__ Scalar sum(Scalar x) const {
    return self().reduced(x, Sum());
  }
  template <class Scalar>
  __device__ Scalar maximum(Scalar x) const {
    return self().reduced(x, Maximum());
  }
  template <class Scalar>
  __device__ Candidate<Scalar> best(const Candidate<Scalar>& x) const {
    return self().reduced(x, Best());
  }

 private:
  __device__ const Self& self() const { return static_cast<const Self&>(*this); }
};

struct Warp : Reductions<Warp> {
  __device__ int rank() const { return threadIdx.x % warp_size; }
  __device__ int size() const { return warp_size; }
  __device__ void sync() const { __syncwarp(); }

  template <class Value, class Combine>
  __device__ Value reduced(Value x, const Combine& combine) const {
    for (int distance = warp_size / 2; distance > 0; distance /= 2) x = combine(x, of_lane(x, distance));
    return x;
  }
};

extern __shared__ __align__(16) unsigned char shared_bytes[];

template <int columns_, int rows_>
struct Block : Reductions<Block<columns_, rows_>> {
  static constexpr int columns = columns_, rows = rows_, threads = columns * rows,
                       warps = threads / warp_size;

  __device__ int rank() const { return threadIdx.x; }
  __device__ int size() const { return threads; }
  __device__ int column() const { return threadIdx.x % columns; }
  __device__ int row() const { return threadIdx.x / columns; }
  __device__ void sync() const { __syncthreads(); }
  __device__ int part() const { return threadIdx.x / warp_size; }
  __device__ int parts() const { return warps; }
  __device__ Warp team() const { return {}; }
  template <class Scalar>
  __device__ Scalar* shared() const {
    return reinterpret_cast<Scalar*>(shared_bytes);
  }

  template <class Value, class Combine>
  __device__ Value reduced(Value x, const Combine& combine) const {
    __shared__ Value of_warps[warps];
    x = Warp().reduced(x, combine);
    if (Warp().rank() == 0) of_warps[part()] = x;
    sync();
    Value all = of_warps[0];
    for (int warp = 1; warp < warps; ++warp) all = combine(all, of_warps[warp]);
    sync();
    return all;
  }
};

constexpr int threads_of_elements = 256;

template <class Kernel>
__global__ void __launch_bounds__(threads_of_elements) run_elements(int64_t count, const Kernel kernel) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < count) kernel(i);
}
template <class Kernel>
__global__ void __launch_bounds__(threads_of_elements) run_warps(int64_t count, const Kernel kernel) {
  const int64_t i = (static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / warp_size;
  if (i < count) kernel(Warp(), i);
}
template <class Shape, class Kernel>
__global__ void __launch_bounds__(Shape::threads) run_blocks(const Kernel kernel) {
  kernel(Shape(), static_cast<int64_t>(blockIdx.x));
}

/// Starts kernels on a stream.
class Launcher {
 public:
  using Wide = Block<32, 8>;
  using Table = Block<16, 8>;

  explicit Launcher(void* stream) : stream_(static_cast<cudaStream_t>(stream)) {}

  template <class Kernel>
  int elements(int64_t count, const Kernel& kernel) const {
    const int64_t blocks = tiles_of(count, threads_of_elements);
    if (!fits(blocks)) return cudaErrorInvalidConfiguration;
    if (blocks > 0)
      run_elements<<<static_cast<unsigned>(blocks), threads_of_elements, 0, stream_>>>(count, kernel);
    return cudaGetLastError();
  }
  template <class Kernel>
  int warps(int64_t count, const Kernel& kernel) const {
    const int64_t blocks = tiles_of(count, threads_of_elements / warp_size);
    if (!fits(blocks)) return cudaErrorInvalidConfiguration;
    if (blocks > 0)
      run_warps<<<static_cast<unsigned>(blocks), threads_of_elements, 0, stream_>>>(count, kernel);
    return cudaGetLastError();
  }
  template <class Shape, class Kernel>
  int blocks(int64_t count, size_t shared, const Kernel& kernel) const {
    if (!fits(count)) return cudaErrorInvalidConfiguration;
    if (count > 0)
      run_blocks<Shape><<<static_cast<unsigned>(count), Shape::threads, shared, stream_>>>(kernel);
    return cudaGetLastError();
  }

 private:
  static bool fits(int64_t blocks) { return blocks <= INT32_MAX; }  // in a grid's first dimension
  cudaStream_t stream_;
};

const char* description_of(int error) {
  return cudaGetErrorString(static_cast<cudaError_t>(error));
}

/// Whether there is code for each of the GPUs: kernels are built for compute capability 7.5 and up.
bool serves_all_devices() {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess) return false;  // also with a driver that is too old
  for (int device = 0; device < devices; ++device) {
    int major = 0, minor = 0;
    if (cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) != cudaSuccess ||
        cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device) != cudaSuccess ||
        10 * major + minor < 75)
      return false;
  }
  return devices > 0;
}

}  // namespace
}  // namespace seq2seq::cuda

extern "C" __attribute__((visibility("default"))) const seq2seq::cuda::Library* seq2seq_cuda_library() {
  static const seq2seq::cuda::Library library =
      seq2seq::cuda::library_of<seq2seq::cuda::Launcher>(seq2seq::cuda::description_of);
  return seq2seq::cuda::serves_all_devices() ? &library : nullptr;
}
