#include "seq2seq/text/sentencepiece_model.h"

#include <sentencepiece_processor.h>

#include "seq2seq/core/error.h"

namespace seq2seq {

std::unique_ptr<sentencepiece::SentencePieceProcessor> load_sentencepiece(const std::string& model,
                                                                          const std::string& origin) {
  auto processor = std::make_unique<sentencepiece::SentencePieceProcessor>();
  if (model.empty() || !processor->LoadFromSerializedProto(model).ok() || processor->GetPieceSize() == 0)
    throw Error(origin, "not a SentencePiece model", "make one with 'seq2seq vocab --type sentencepiece'");
  return processor;
}

SentencePieceModel::SentencePieceModel(const std::string& model, const std::string& origin)
    : processor_(load_sentencepiece(model, origin)) {}

SentencePieceModel::~SentencePieceModel() = default;

std::vector<std::string> SentencePieceModel::pieces(std::string_view text) const {
  return processor_->EncodeAsPieces({text.data(), text.size()});
}

}  // namespace seq2seq
