#include "seq2seq/model/options.h"

#include "seq2seq/core/error.h"

namespace seq2seq {
namespace {

constexpr const char* sharing_names[] = {"none", "source-target", "target-output", "all"};

}  // namespace

std::span<const char* const> option_names(EmbeddingSharing) {
  return sharing_names;
}

void check(const ModelOptions& options) {
  const auto& encoder = std::get<RnnEncoderOptions>(options.encoder);
  const auto& decoder = std::get<RnnDecoderOptions>(options.decoder);
  if (decoder.attention == AttentionKind::dot && decoder.size != encoder.memory_size())
    throw UsageError("decoder.attention",
                     "dot compares vectors of equal size, but the decoder has " +
                         std::to_string(decoder.size) + " and the encoder " +
                         std::to_string(encoder.memory_size()),
                     "use general, or set decoder.size to " + std::to_string(encoder.memory_size()));
  if (options.embedding.freeze && options.embedding.source_file.empty() &&
      options.embedding.target_file.empty())
    throw UsageError("embedding.freeze", "there are no pretrained vectors to freeze",
                     "give embedding.source-file or embedding.target-file");
}

}  // namespace seq2seq
