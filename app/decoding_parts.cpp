#include "decoding_parts.h"

#include <fmt/format.h>

#include <numeric>

namespace seq2seq {
namespace {

double gflop(int64_t multiply_adds) {
  return 2e-9 * static_cast<double>(multiply_adds);
}

std::string part_row(const std::string& name, const Json& part) {
  const std::string speed =
      part.contains("gflops") ? fmt::format("{:9.1f}", part["gflops"].get<double>()) : "";
  return fmt::format("{:<12}{:9.2f}{:7.1f}%{}\n", name, part["seconds"].get<double>(),
                     100 * part["share"].get<double>(), speed);
}

}  // namespace

Json describe_parts(const PartTimes& times, double seconds, int64_t threads) {
  const auto shared = static_cast<double>(threads);
  double left = seconds;
  Json parts;
  const auto add = [&](const char* name, double own) -> Json& {
    return parts[name] = {{"seconds", own}, {"share", own / seconds}};
  };
  for (size_t i = 0; i < part_count; ++i) {
    const double own = times.seconds[i] / shared;
    left -= own;
    Json& part = add(option_names(Part{})[i], own);
    if (times.multiply_adds[i] > 0) part["gflops"] = gflop(times.multiply_adds[i]) / own;
  }
  add("waiting", left);
  return parts;
}

Json describe_limit(const PartTimes& times, double seconds, double speed) {
  const double own =
      gflop(std::accumulate(times.multiply_adds.begin(), times.multiply_adds.end(), int64_t{0})) / speed;
  return {{"gflops", speed}, {"seconds", own}, {"share", own / seconds}};
}

std::string part_table(const Json& parts, const Json& limit, const std::string& steps) {
  std::string lines = fmt::format("{:<12}{:>9}{:>8}{:>9}\n", "", "seconds", "share", "GFLOP/s");
  for (const auto& [name, part] : parts.items()) lines += part_row(name, part);
  lines += part_row("limit", limit) + "limit: its products alone, at the speed of large ones\n";
  return lines + "steps: " + steps + "\n";
}

}  // namespace seq2seq
