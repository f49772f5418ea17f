#pragma once

#include <memory>

#include "seq2seq/model/decoder.h"
#include "seq2seq/model/encoder.h"

namespace seq2seq {

std::shared_ptr<Encoder> make_encoder(const EncoderOptions& options, int64_t embedding_size);

/// The decoder of a model with this encoder.
std::shared_ptr<Decoder> make_decoder(const ModelOptions& options, const Encoder& encoder);

}  // namespace seq2seq
