#include "seq2seq/model/factory.h"

#include "seq2seq/model/transformer.h"

namespace seq2seq {

std::shared_ptr<Encoder> make_encoder(const EncoderOptions& options, int64_t embedding_size) {
  return std::visit(
      [&]<class Options>(const Options& o) -> std::shared_ptr<Encoder> {
        if constexpr (std::is_same_v<Options, HierarchicalEncoderOptions>)
          return std::make_shared<HierarchicalEncoderImpl>(o, embedding_size);
        else if constexpr (std::is_same_v<Options, TransformerOptions>)
          return std::make_shared<TransformerEncoderImpl>(o, embedding_size);
        else
          return std::make_shared<RnnEncoderImpl>(o, embedding_size);
      },
      options);
}

std::shared_ptr<Decoder> make_decoder(const ModelOptions& options, const Encoder& encoder) {
  return std::visit(
      [&]<class Options>(const Options& o) -> std::shared_ptr<Decoder> {
        if constexpr (std::is_same_v<Options, TransformerOptions>)
          return std::make_shared<TransformerDecoderImpl>(o, options.copying, options.embedding.size,
                                                          encoder.memory_size());
        else
          return std::make_shared<RnnDecoderImpl>(o, options.copying, options.embedding.size,
                                                  encoder.memory_size(), encoder.summary_size(),
                                                  encoder.sentence_size());
      },
      options.decoder);
}

}  // namespace seq2seq
