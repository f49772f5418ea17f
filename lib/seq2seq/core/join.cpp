#include "seq2seq/core/join.h"

namespace seq2seq {

std::string joined(std::span<const std::string> texts, std::string_view between, std::string_view last) {
  std::string all;
  for (size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) all += i + 1 == texts.size() ? last : between;
    all += texts[i];
  }
  return all;
}

}  // namespace seq2seq
