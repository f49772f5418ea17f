// Stands in for NVIDIA's driver, libcuda.so.1: it lists GPUs but has none. What it answers is in the environment.
#include <cstddef>
#include <cstdio>
#include <cstdlib>

namespace {

int setting(const char* variable, int otherwise) {
  const char* value = std::getenv(variable);
  return value == nullptr ? otherwise : static_cast<int>(std::strtol(value, nullptr, 10));
}

int answer(int* to, int value) {
  *to = value;
  return 0;
}

}  // namespace

// NOLINTBEGIN(readability-identifier-naming): the driver's own names
extern "C" {

int cuInit(unsigned int) {
  return setting("FAKE_DRIVER_STATUS", 0);
}
int cuDriverGetVersion(int* version) {
  return answer(version, setting("FAKE_DRIVER_VERSION", 99000));
}
int cuDeviceGetCount(int* count) {
  return answer(count, setting("FAKE_DRIVER_GPUS", 1));
}
int cuDeviceGet(int* device, int number) {
  return answer(device, number);
}
int cuDeviceGetName(char* name, int length, int device) {
  std::snprintf(name, static_cast<size_t>(length), "Fake GPU %d", device);
  return 0;
}
int cuDeviceTotalMem_v2(size_t* bytes, int) {
  *bytes = size_t{8} << 30;
  return 0;
}
int cuDeviceGetAttribute(int* value, int attribute, int) {
  constexpr int capability_major = 75;
  return answer(value, attribute == capability_major ? 9 : 0);
}
}
// NOLINTEND(readability-identifier-naming)
