#include "seq2seq/nn/engine/compute.h"

#include <torch/csrc/jit/frontend/tracer.h>

#include <atomic>

#include "seq2seq/nn/engine/part_clock.h"

namespace seq2seq {
namespace {

constexpr const char* kernels_names[] = {"fast", "plain", "check"};

thread_local Compute in_force;
std::atomic<int64_t> multiply_add_count = 0;

}  // namespace

std::span<const char* const> option_names(Kernels) {
  return kernels_names;
}

const Compute& Compute::now() {
  return in_force;
}

bool plain_now() {
  return in_force.kernels == Kernels::plain || torch::jit::tracer::isTracing();
}

ComputeScope::ComputeScope(const Compute& compute) : previous_(in_force) {
  in_force = compute;
}

ComputeScope::~ComputeScope() {
  in_force = previous_;
}

int64_t multiply_adds() {
  return multiply_add_count.load(std::memory_order_relaxed);
}

void count_multiply_adds(int64_t count) {
  multiply_add_count.fetch_add(count, std::memory_order_relaxed);
  if (PartClock* clock = in_force.clock)
    clock->times_.multiply_adds[static_cast<size_t>(clock->part_)] += count;
}

}  // namespace seq2seq
