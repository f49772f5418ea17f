#include "seq2seq/model/embedding.h"

#include <ATen/ATen.h>

#include <charconv>
#include <fstream>

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/nn/layers/initializer.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq {

Tensor EmbeddingImpl::forward(const Tensor& ids) {
  return at::embedding(weight, ids, Vocabulary::padding);
}

void EmbeddingImpl::initialize(Initializer& initializer) {
  initializer.matrix(weight);
  initializer.constant(weight.select(0, Vocabulary::padding), 0);
}

int64_t load_pretrained(Embedding& embedding, const Vocabulary& vocabulary, const std::string& path) {
  std::ifstream in(path);
  if (!in)
    throw Error(path, "cannot be opened (" + system_reason() + ")",
                "check embedding.source-file / target-file");
  const at::NoGradGuard no_grad;
  const int64_t width = embedding->weight.size(1);
  int64_t found = 0, line_number = 0;
  std::string line;
  std::vector<float> values;
  while (std::getline(in, line)) {
    ++line_number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    const size_t space = line.find(' ');
    if (space == std::string::npos) continue;
    values.clear();
    const char* at = line.data() + space;
    const char* end = line.data() + line.size();
    while (at < end) {
      while (at < end && *at == ' ') ++at;
      if (at == end) break;
      float value = 0;
      const auto parsed = std::from_chars(at, end, value);
      if (parsed.ec != std::errc())
        throw Error(path + ":" + std::to_string(line_number),
                    "'" + std::string(at, std::min(at + 20, end)) + "' is not a number");
      values.push_back(value);
      at = parsed.ptr;
    }
    if (line_number == 1 && values.size() == 1) continue;  // word2vec header: count and width
    if (static_cast<int64_t>(values.size()) != width)
      throw Error(path + ":" + std::to_string(line_number),
                  "has " + std::to_string(values.size()) + " numbers",
                  "embedding.size is " + std::to_string(width) + "; make them equal");
    if (const auto id = vocabulary.find(line.substr(0, space))) {
      embedding->weight.select(0, *id).copy_(at::from_blob(values.data(), {width}, at::kFloat));
      ++found;
    }
  }
  if (found == 0)
    throw Error(path, "has none of the vocabulary's tokens", "check the file and the tokenizer");
  return found;
}

}  // namespace seq2seq
