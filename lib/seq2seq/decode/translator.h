#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "seq2seq/decode/search.h"
#include "seq2seq/decode/source_lines.h"
#include "seq2seq/model/archive/checkpoint.h"

namespace seq2seq {

struct TranslatorOptions {
  SearchOptions search = {};
  std::vector<std::string> ban = {}, bias = {}, repeatable = {};
  int64_t seed = 1;
  int64_t batch_size = 32;
  bool batch_invariant = false;
  bool replace_unknown = true;
  bool verify = false;
  /// Whether the likeliest words of a step are not enough.
  bool needs_all_words() const;
  static void fields(auto& o, auto& f) {
    f.group("search", o.search, GroupFlags::plain);
    f("ban", o.ban, "texts that must not be written");
    f("bias", o.bias, "text=number: added to the log-probability of the text's tokens, e.g. Haus=1.5");
    f("repeatable", o.repeatable,
      "texts whose tokens --no-repeat-ngram and --repetition-penalty leave alone");
    f("seed", o.seed, "of --sample; each line has draws of its own, whatever is decoded beside it",
      at_least(0));
    f("batch-size", o.batch_size, "sentences decoded together", in_range(1, 4096));
    f("batch-invariant", o.batch_invariant,
      "the same output and scores to the last digit, whatever the batch size, the other lines and the "
      "threads: "
      "each sentence is decoded on its own, by one thread, which is slower");
    f("replace-unknown", o.replace_unknown,
      "write the source word with the most attention in place of <unk> (needs a model with attention)");
    f("verify", o.verify,
      "score each output once more, as training would, and report those whose log-probability differs");
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
    double log_probability = 0;
    std::vector<double> token_log_probabilities = {};  ///< with that of </s>
    std::vector<int64_t> source_positions = {};        ///< as those of Hypothesis
  };
  NumberedSource source;  ///< as the model read it; no ids for an empty or a bad line
  SentenceRules rules;
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
    int64_t output_tokens = 0;   ///< of the best outputs, without </s>
    int64_t without_output = 0;  ///< lines whose rules left no word to write
    int64_t unequal = 0;         ///< with `verify`: outputs whose log-probability is another one
  };
  const Counts& counts() const { return counts_; }
  size_t workers() const { return scorers_.size(); }
  /// Lines that its workers can decode at a time.
  size_t capacity() const { return scorers_.size() * static_cast<size_t>(options_.batch_size); }
  /// Lines worth reading ahead, so that batches hold lines of similar length.
  size_t window() const;

 private:
  void number(const SourceLine& line, Translation& result);
  void decode(std::span<Translation* const> sentences);
  void decode_batch(Scorer& scorer, std::span<Translation* const> batch);
  void verify(Scorer& scorer, std::span<Translation* const> batch);

  TextCodecs text_;
  int64_t maximum_length_;
  std::vector<std::unique_ptr<Scorer>> scorers_;
  TranslatorOptions options_;
  OutputRules rules_;
  Counts counts_;
  std::atomic<int64_t> unequal_ = 0;
};

/// A translator with this model. `workers` searches run at a time; 0 = one a thread on a CPU: between its
/// products a step has little to share out, so that one-threaded workers beat one search with all threads.
Translator make_translator(const TranslationModel& model, const TranslatorOptions& options,
                           int64_t workers = 0, const std::shared_ptr<const Shortlist>& shortlist = nullptr);

/// One line of JSON for an output: tokens, log-probabilities, alignment (docs/formats.md).
std::string details_json(const Translation& translation, const Translation::Output& output,
                         const Vocabulary& target, int64_t line, int64_t rank);
/// "0-0 1-2": source and target positions, counted from 0, in the order of the target's tokens.
std::string pharaoh_alignment(std::span<const int64_t> source_positions);

/// How `seq2seq translate` prints: the text; with scores "score TAB text"; with n_best > 1, for each output,
/// "index ||| text ||| score", where lines count from 0.
std::string format_translation(const Translation& translation, int64_t index, int64_t n_best, bool scores);

}  // namespace seq2seq
