#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "seq2seq/decode/search.h"
#include "seq2seq/decode/source_lines.h"
#include "seq2seq/model/checkpoint.h"

namespace seq2seq {

struct TranslatorOptions {
  SearchOptions search;
  int64_t batch_size = 32;
  bool replace_unknown = true;
  static void fields(auto& o, auto& f) {
    f.group("search", o.search, GroupFlags::plain);
    f("batch-size", o.batch_size, "sentences decoded together", in_range(1, 4096));
    f("replace-unknown", o.replace_unknown,
      "write the source word with the most attention in place of <unk> (needs a model with attention)");
  }
};

/// What becomes of <unk>.
enum class UnknownWords { keep, replace };

/// An output as one line of text: words of the target vocabulary, the source's surface form where a slot
/// beyond the vocabulary was copied, and with `replace` the surface of the source word with the most
/// attention in place of <unk>.
std::string written(const Hypothesis& hypothesis, const TextCodec& target, const std::vector<Token>& source,
                    UnknownWords unknown);

/// What came out of one line.
struct Translation {
  struct Output {
    std::string text;
    double score = 0;
    std::vector<int64_t> tokens;  ///< words and slots, without </s>
  };
  NumberedSource source;        ///< as the model read it; no ids for an empty or a bad line
  std::vector<Output> outputs;  ///< n best, best first; one empty output for an empty or a bad line
};

/// Lines in, lines out: tokenizes, decodes in batches of similar length, puts unknown words back,
/// detokenizes.
class Translator {
 public:
  /// Sources of more than `maximum_length` tokens are cut. Each scorer works in a thread of its own; several
  /// share the processor threads out among them.
  Translator(TextCodecs text, int64_t maximum_length, std::vector<std::unique_ptr<Scorer>> scorers,
             const TranslatorOptions& options);

  /// One translation a line, in their order. Bad lines are reported as warnings and counted.
  std::vector<Translation> translate(std::span<const SourceLine> lines);

  /// Since construction.
  struct Counts {
    int64_t lines = 0, bad_lines = 0, cut_lines = 0;
    int64_t output_tokens = 0;  ///< of the best outputs, without </s>
  };
  const Counts& counts() const { return counts_; }
  size_t workers() const { return scorers_.size(); }
  /// Lines worth reading ahead, so that batches hold lines of similar length.
  size_t window() const;

 private:
  NumberedSource numbered(const SourceLine& line);
  void decode(std::span<Translation* const> sentences);
  void decode_batch(Scorer& scorer, std::span<Translation* const> batch) const;

  TextCodecs text_;
  int64_t maximum_length_;
  std::vector<std::unique_ptr<Scorer>> scorers_;
  TranslatorOptions options_;
  Counts counts_;
};

/// A translator with this model. `workers` searches run at a time; 0 = one a thread on a CPU: between its
/// products a step has little to share out, so that one-threaded workers beat one search with all threads.
Translator make_translator(const TranslationModel& model, const TranslatorOptions& options,
                           int64_t workers = 0);

/// How `seq2seq translate` prints: the text; with scores "score TAB text"; with n_best > 1, for each output,
/// "index ||| text ||| score", where lines count from 0.
std::string format_translation(const Translation& translation, int64_t index, int64_t n_best, bool scores);

}  // namespace seq2seq
