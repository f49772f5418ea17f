#pragma once

#include <c10/core/Device.h>

#include <string>

namespace seq2seq {

/// Throws UsageError unless `name` is cpu, cuda or cuda:N.
void check_device_name(const std::string& name);

/// The device of that name. Throws UsageError as above, Error when this LibTorch cannot use it.
c10::Device open_device(const std::string& name);

}  // namespace seq2seq
