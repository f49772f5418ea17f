#pragma once

// Private to decode: the rules of outputs that are given as text.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "seq2seq/decode/lexicon.h"
#include "seq2seq/decode/search.h"
#include "seq2seq/decode/source_lines.h"
#include "seq2seq/model/text_options.h"

namespace seq2seq {

struct TranslatorOptions;

/// Turns texts into phrases, anew for each source whose words outputs may copy.
class TextRules {
 public:
  /// Throws UsageError for a text that no output can have.
  TextRules(const TranslatorOptions& options, const TextCodecs& text);

  /// Those of outputs whose source adds no words.
  const OutputRules& common() const { return common_; }
  /// Those of one line. Throws Error, naming file, line and word, when they cannot be kept.
  SentenceRules of(const SourceLine& line, const NumberedSource& source);

 private:
  struct Text {
    std::string text;
    double bias = 0;
  };
  const Lexicon& lexicon();
  Text checked(const char* flag, const std::string& text, double bias = 0);
  OutputRules rules_with(const Lexicon::SourceWords& words);
  bool concerned(const Lexicon::SourceWords& words) const;
  void add_prefix(const SourceLine& line, const Lexicon::SourceWords& words, SentenceRules& rules);
  void add_required(const SourceLine& line, const Lexicon::SourceWords& words, int64_t source_length,
                    SentenceRules& rules);

  TextCodecs text_;
  SearchOptions search_;
  bool replace_unknown_;
  std::unique_ptr<const Lexicon> lexicon_;  // made when the first text needs it
  std::vector<Text> banned_, biased_, repeatable_;
  OutputRules common_;
};

}  // namespace seq2seq
