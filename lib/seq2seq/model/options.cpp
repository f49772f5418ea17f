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
  const int64_t memory_size =
      std::visit([](const auto& encoder) { return encoder.memory_size(); }, options.encoder);
  const auto& decoder = std::get<RnnDecoderOptions>(options.decoder);
  if (decoder.attention == AttentionKind::dot && decoder.size != memory_size)
    throw UsageError("decoder.attention",
                     "dot compares vectors of equal size, but the decoder has " +
                         std::to_string(decoder.size) + " and the encoder " + std::to_string(memory_size),
                     "use general, or set decoder.size to " + std::to_string(memory_size));
  if (decoder.attention == AttentionKind::none) {
    const auto refuse = [](const std::string& option, const std::string& what) {
      throw UsageError(option, what + " needs attention, and the decoder has none",
                       "set decoder.attention to additive, general or dot");
    };
    if (options.copying) refuse("copying", "copying");
    if (decoder.coverage != CoverageKind::none) refuse("decoder.coverage", "coverage");
    if (std::holds_alternative<HierarchicalEncoderOptions>(options.encoder))
      refuse("encoder", "the hierarchical encoder");
  }
  if (options.embedding.freeze && options.embedding.source_file.empty() &&
      options.embedding.target_file.empty())
    throw UsageError("embedding.freeze", "there are no pretrained vectors to freeze",
                     "give embedding.source-file or embedding.target-file");
}

}  // namespace seq2seq
