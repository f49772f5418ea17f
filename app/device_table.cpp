#include "device_table.h"

#include <fmt/format.h>

#include <vector>

#include "seq2seq/core/join.h"
#include "seq2seq/core/log.h"
#include "seq2seq/core/processors.h"
#include "seq2seq/model/cuda.h"
#include "seq2seq/nn/engine/capabilities.h"

namespace seq2seq {
namespace {

/// What its tensor cores multiply.
Json formats_of(const Gpu& gpu) {
  constexpr int ampere = 80;
  return gpu.capability >= ampere ? Json::array({"float32", "tf32", "bfloat16"}) : Json::array({"float32"});
}

Json json_of(const Gpu& gpu, int64_t number) {
  const std::optional<Error> failure = why_not_gpu(number);
  Json described;
  described["device"] = fmt::format("cuda:{}", number);
  described["name"] = gpu.name;
  described["compute-capability"] = fmt::format("{}.{}", gpu.capability / 10, gpu.capability % 10);
  described["memory-mib"] = gpu.memory >> 20;
  described["formats"] = formats_of(gpu);
  described["usable"] = !failure;
  if (failure) described["problem"] = failure->without_place();
  return described;
}

Json describe_processor() {
  Json described;
  described["name"] = processor_name();
  described["cores"] = usable_processors();
  described["instruction-set"] = name_of(instruction_set());
  described["formats"] =
      has_onednn_bfloat16_products() ? Json::array({"float32", "bfloat16"}) : Json::array({"float32"});
  return described;
}

std::string formats_text(const Json& described) {
  return joined(described["formats"].get<std::vector<std::string>>());
}

}  // namespace

Json describe_devices() {
  const CudaDriver& driver = cuda_driver();
  Json gpus = Json::array();
  for (size_t number = 0; number < driver.gpus.size(); ++number)
    gpus.push_back(json_of(driver.gpus[number], static_cast<int64_t>(number)));
  Json devices;
  devices["cpu"] = describe_processor();  // after the GPUs, which are opened before LibTorch computes
  devices["gpus"] = gpus;
  if (gpus.empty()) devices["no-gpu"] = driver.problem;
  return devices;
}

std::string device_table(const Json& devices) {
  const Json& cpu = devices["cpu"];
  std::string lines =
      fmt::format("cpu     {}, cores: {}, {}; {}\n", cpu["name"].get<std::string>(),
                  cpu["cores"].get<int64_t>(), cpu["instruction-set"].get<std::string>(), formats_text(cpu));
  for (const Json& gpu : devices["gpus"])
    lines += fmt::format(
        "{:<7} {}, compute capability {}, {} MiB; {}; {}\n", gpu["device"].get<std::string>(),
        gpu["name"].get<std::string>(), gpu["compute-capability"].get<std::string>(),
        format_count(gpu["memory-mib"].get<int64_t>()), formats_text(gpu),
        gpu["usable"].get<bool>() ? "works" : "does not work: " + gpu["problem"].get<std::string>());
  if (devices.contains("no-gpu")) lines += "cuda    none: " + devices["no-gpu"].get<std::string>() + "\n";
  return lines;
}

}  // namespace seq2seq
