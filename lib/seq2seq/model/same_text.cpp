#include "seq2seq/model/same_text.h"

namespace seq2seq {
namespace {

std::string reading_of(TextOptions options) {
  const TextOptions usual;
  options.shared_vocabulary = usual.shared_vocabulary;
  options.vocabulary_size = usual.vocabulary_size;
  options.minimum_frequency = usual.minimum_frequency;
  options.source_vocabulary = options.target_vocabulary = "";
  // What a subword model has learned is compared by itself.
  if (auto* sentencepiece = std::get_if<SentencePieceTokenizerOptions>(&options.tokenizer))
    *sentencepiece = {};
  return options_to_json(options);
}

bool same_state(const TextCodec& a, const TextCodec& b) {
  return a.tokenizer().state() == b.tokenizer().state();
}

}  // namespace

bool same_vocabularies(const TranslationModel& a, const TranslationModel& b) {
  return a.text.source->vocabulary() == b.text.source->vocabulary() &&
         a.text.target->vocabulary() == b.text.target->vocabulary();
}

bool read_text_alike(const TranslationModel& a, const TranslationModel& b) {
  return reading_of(a.text_options) == reading_of(b.text_options) &&
         same_state(*a.text.source, *b.text.source) && same_state(*a.text.target, *b.text.target);
}

}  // namespace seq2seq
