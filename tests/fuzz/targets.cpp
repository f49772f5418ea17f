#include "targets.h"

#include <stdexcept>

#include "target_groups.h"

namespace seq2seq::fuzz {

std::span<const Target> targets() {
  static const std::vector<Target> all = [] {
    std::vector<Target> joined(text_targets().begin(), text_targets().end());
    joined.insert(joined.end(), model_targets().begin(), model_targets().end());
    return joined;
  }();
  return all;
}

const Target& target_named(std::string_view name) {
  std::string names;
  for (const Target& target : targets()) {
    if (target.name == name) return target;
    names += std::string(" ") + target.name;
  }
  throw std::invalid_argument("'" + std::string(name) + "' is no target; there are:" + names);
}

}  // namespace seq2seq::fuzz
