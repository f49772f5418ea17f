#include "seq2seq/train/given_text.h"

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/log.h"
#include "seq2seq/core/options.h"
#include "seq2seq/data/unknown_tokens.h"

namespace seq2seq {

std::string GivenText::remedy() const {
  return model ? "begin with a model of such text"
               : "give what was made of such text with this tokenizer, or leave it out to have it made";
}

std::optional<GivenText> given_text(const TextOptions& text, const std::string& initialize_from) {
  if (!initialize_from.empty()) return GivenText{initialize_from, initialize_from, true};
  if (text.makes_vocabulary()) return std::nullopt;
  if (const auto* kind = std::get_if<SentencePieceTokenizerOptions>(&text.tokenizer))
    return GivenText{kind->model, kind->model};
  return GivenText{text.source_vocabulary,
                   text.shared_vocabulary ? text.source_vocabulary : text.target_vocabulary};
}

TextCodecs read_text(const TextOptions& options) {
  if (const auto* kind = std::get_if<SentencePieceTokenizerOptions>(&options.tokenizer)) {
    const std::string model = read_file(kind->model);
    const auto both = std::make_shared<const TextCodec>(options.tokenizer, options.normalization, model,
                                                        Vocabulary(sentencepiece_tokens(model, kind->model)));
    return {both, both, {}};
  }
  const auto read = [&](const std::string& file) {
    return std::make_shared<const TextCodec>(options.tokenizer, options.normalization, "",
                                             Vocabulary::load(file));
  };
  const auto source = read(options.source_vocabulary);
  return {source, options.shared_vocabulary ? source : read(options.target_vocabulary), {}};
}

void check_given_text(const TrainOptions& options, const Corpus& corpus, const TextCodecs& text) {
  const auto given = given_text(options.text, options.run.initialize_from);
  if (!given) return;
  const double most = options.data.maximum_unknown;
  const auto [source, target] = count_unknown_tokens(corpus, *text.source, *text.target, text.form);
  const auto judge = [&](const UnknownTokens& side, const std::string& name, const std::string& origin) {
    if (side.share() > most)
      throw Error(origin, side.describe(name) + "; --max-unknown is " + to_text(most),
                  given->remedy() + ", or raise --max-unknown");
    if (side.share() > notable_unknown_share)
      log_warning(origin + ": " + side.describe(name) + "; " + given->remedy());
  };
  judge(source, "source", given->source);
  judge(target, "target", given->target);
}

}  // namespace seq2seq
