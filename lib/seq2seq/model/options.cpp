#include "seq2seq/model/options.h"

#include "seq2seq/core/error.h"
#include "seq2seq/core/join.h"

namespace seq2seq {

SEQ2SEQ_DEFINE_OPTIONS(ModelOptions)

namespace {

constexpr const char* sharing_names[] = {"none", "source-target", "target-output", "all"};
constexpr const char* gate_names[] = {"none", "source", "target", "both"};
constexpr const char* position_names[] = {"sinusoidal", "learned", "rotary"};

// "dot, general or additive": all but none.
std::string attention_names() {
  std::vector<std::string> names;
  for (const char* name : option_names(AttentionOptions{}))
    if (name != std::string_view(NoAttention::type)) names.emplace_back(name);
  return joined(names, ", ", " or ");
}

void check_rnn_decoder(const ModelOptions& options, const RnnDecoderOptions& decoder) {
  check_attention(decoder.attention, decoder.attention_sizes(memory_size(options)), "--decoder.");
  if (decoder.has_attention()) return;
  const auto refuse = [](const std::string& option, const std::string& what) {
    throw UsageError(option, what + " needs attention, and the decoder has none",
                     "set --decoder.attention to " + attention_names());
  };
  if (options.copying) refuse("--copying", "copying");
  if (!std::holds_alternative<NoCoverage>(decoder.coverage)) refuse("--decoder.coverage", "coverage");
  if (decoder.context_gate != ContextGate::none) refuse("--decoder.context-gate", "a context gate");
  if (std::holds_alternative<HierarchicalEncoderOptions>(options.encoder))
    refuse("--encoder", "the hierarchical encoder");
}

void check_transformer(const TransformerOptions& transformer, const std::string& side, int64_t width) {
  if (width % transformer.heads != 0)
    throw UsageError(
        side + ".heads",
        std::to_string(transformer.heads) + " heads cannot share a width of " + std::to_string(width),
        "let it divide --embedding.size");
  const bool pairs =
      transformer.positions == PositionKind::learned ||
      (transformer.positions == PositionKind::rotary ? width / transformer.heads : width) % 2 == 0;
  if (!pairs)
    throw UsageError(side + ".positions",
                     std::string(position_names[static_cast<size_t>(transformer.positions)]) +
                         " positions take dimensions in pairs, and there is an odd one",
                     "use an even --embedding.size (for rotary, for each head), or learned positions");
}

}  // namespace

std::span<const char* const> option_names(EmbeddingSharing) {
  return sharing_names;
}

std::span<const char* const> option_names(ContextGate) {
  return gate_names;
}

std::span<const char* const> option_names(PositionKind) {
  return position_names;
}

int64_t memory_size(const ModelOptions& options) {
  if (std::holds_alternative<TransformerOptions>(options.encoder)) return options.embedding.size;
  if (const auto* hierarchical = std::get_if<HierarchicalEncoderOptions>(&options.encoder))
    return hierarchical->memory_size();
  return std::get<RnnEncoderOptions>(options.encoder).memory_size();
}

bool has_attention(const ModelOptions& options) {
  const auto* rnn = std::get_if<RnnDecoderOptions>(&options.decoder);
  return rnn == nullptr || rnn->has_attention();
}

void check(const ModelOptions& options) {
  check_values(options);
  if (const auto* decoder = std::get_if<RnnDecoderOptions>(&options.decoder))
    check_rnn_decoder(options, *decoder);
  if (const auto* encoder = std::get_if<TransformerOptions>(&options.encoder))
    check_transformer(*encoder, "--encoder", options.embedding.size);
  if (const auto* decoder = std::get_if<TransformerOptions>(&options.decoder)) {
    check_transformer(*decoder, "--decoder", options.embedding.size);
    if (std::holds_alternative<HierarchicalEncoderOptions>(options.encoder))
      throw UsageError(
          "--encoder",
          "hierarchical weighs sentences at every step anew, which a Transformer decoder, with an "
          "attention in every layer, has no place for",
          "use --decoder rnn, or --encoder transformer");
  }
  check_conditions(options);
}

}  // namespace seq2seq
