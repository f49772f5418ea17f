#include "seq2seq/train/vocabulary_builder.h"

#include "seq2seq/train/given_text.h"

namespace seq2seq {
namespace {

enum class Side { source, target, both };

/// Calls `use` for each text of the chosen sides.
template <class Use>
void for_each_text(const Corpus& corpus, Side side, Use use) {
  for (uint64_t i = 0; i < corpus.size(); ++i) {
    const RawExample example = corpus.at(i);
    if (side != Side::target) use(example.source);
    if (side != Side::source) use(example.target);
  }
}

std::shared_ptr<const TextCodec> build_subwords(const TextOptions& options,
                                                const SentencePieceTokenizerOptions& kind,
                                                const Corpus& corpus, Side side, uint64_t seed) {
  uint64_t next = 0;
  const uint64_t texts = side == Side::both ? 2 * corpus.size() : corpus.size();
  const auto next_line = [&](std::string& line) {
    if (next == texts) return false;
    const RawExample example = corpus.at(next % corpus.size());
    line = (side == Side::target || next >= corpus.size()) ? example.target : example.source;
    ++next;
    return true;
  };
  const std::string model =
      train_sentencepiece(next_line, options.vocabulary_size, kind, options.normalization, seed);
  return std::make_shared<const TextCodec>(options.tokenizer, options.normalization, model,
                                           Vocabulary(sentencepiece_tokens(model, "trained model")));
}

std::shared_ptr<const TextCodec> build_side(const TextOptions& options, const Corpus& corpus, Side side,
                                            uint64_t seed) {
  if (const auto* kind = std::get_if<SentencePieceTokenizerOptions>(&options.tokenizer))
    return build_subwords(options, *kind, corpus, side, seed);
  const auto tokenizer = make_tokenizer(options.tokenizer, options.normalization);
  TokenCounts counts;
  for_each_text(corpus, side, [&](const std::string& text) {
    for (const Token& token : tokenizer->tokenize(text)) ++counts[token.text];
  });
  return std::make_shared<const TextCodec>(
      options.tokenizer, options.normalization, "",
      Vocabulary::from_counts(counts, {options.vocabulary_size, options.minimum_frequency}));
}

}  // namespace

TextCodecs build_text(const TextOptions& options, const Corpus& corpus, uint64_t seed) {
  if (!options.makes_vocabulary()) return read_text(options);
  if (options.shared_vocabulary) {
    const auto both = build_side(options, corpus, Side::both, seed);
    return {both, both, {}};
  }
  return {
      build_side(options, corpus, Side::source, seed), build_side(options, corpus, Side::target, seed), {}};
}

}  // namespace seq2seq
