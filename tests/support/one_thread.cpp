#include <ATen/Parallel.h>
#include <gtest/gtest.h>

namespace seq2seq::test {
namespace {

// Tiny tensors gain nothing from threads, and on a busy machine threads that wait for each other cost
// minutes. Tests of multithreading set their own number.
class OneThread : public ::testing::Environment {
 public:
  void SetUp() override { at::set_num_threads(1); }
};

[[maybe_unused]] const auto* const one_thread = ::testing::AddGlobalTestEnvironment(new OneThread);

}  // namespace
}  // namespace seq2seq::test
