#pragma once

#include <memory>
#include <string>

#include "seq2seq/core/options.h"
#include "seq2seq/data/numbered_text.h"
#include "seq2seq/text/text_codec.h"

namespace seq2seq {

/// How a model splits text into tokens and maps them to ids, on both sides.
struct TextOptions {
  TokenizerOptions tokenizer = SentencePieceTokenizerOptions{};
  NormalizationOptions normalization;
  bool shared_vocabulary = true;
  int64_t vocabulary_size = 0;
  int64_t minimum_frequency = 1;
  std::string source_vocabulary, target_vocabulary;
  std::string sentence_separator;
  static void fields(auto& o, auto& f) {
    f.choice("tokenizer", o.tokenizer, "how text is split into tokens", everyday);
    f.group("normalization", o.normalization, GroupFlags::plain);
    f("shared-vocabulary", o.shared_vocabulary, "one vocabulary (and subword model) for source and target");
    f("vocabulary-size", o.vocabulary_size,
      "at most this many tokens per vocabulary, special ones included; "
      "0 = 8000 for sentencepiece, else no limit",
      at_least(0), everyday, only_if(o.makes_vocabulary(), "leave it out: the vocabulary is given"));
    f("minimum-frequency", o.minimum_frequency,
      "word, char and whitespace: leave out rarer tokens (they become <unk>)", at_least(1),
      only_if(o.makes_vocabulary(), "leave it out: the vocabulary is given"),
      only_if(!o.is_sentencepiece(), "set --vocabulary-size instead"));
    f("source-vocabulary", o.source_vocabulary,
      "existing vocabulary file (with a shared vocabulary: for both sides)", file_path);
    f("target-vocabulary", o.target_vocabulary, "existing vocabulary file of the target side", file_path);
    f("sentence-separator", o.sentence_separator,
      "hierarchical encoder: separator between the sentences of a plain-text source; "
      "empty = split at punctuation (JSON arrays are split already)");
  }
  bool is_sentencepiece() const { return std::holds_alternative<SentencePieceTokenizerOptions>(tokenizer); }
  /// Whether the training text makes it: there is none made earlier.
  bool makes_vocabulary() const;
};

SEQ2SEQ_DECLARE_OPTIONS(TextOptions)

/// Rules between fields. Throws UsageError.
void check(const TextOptions& options);

/// The codecs of both sides (one object when the vocabulary is shared), and the form of their text.
struct TextCodecs {
  std::shared_ptr<const TextCodec> source, target;
  TextForm form;
};

}  // namespace seq2seq
