#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "seq2seq/decode/pool.h"
#include "seq2seq/decode/search.h"
#include "seq2seq/decode/source_lines.h"
#include "seq2seq/decode/translation.h"
#include "seq2seq/model/text_options.h"

namespace seq2seq {

struct DecodingModels;
class TextRules;

struct TranslatorOptions {
  SearchOptions search = {};
  std::vector<std::string> ban = {}, bias = {}, repeatable = {};
  int64_t seed = 1;
  int64_t batch_size = 32, max_batch_tokens = default_batch_tokens;
  bool batch_invariant = false;
  bool replace_unknown = true;
  bool verify = false;
  static void fields(auto& o, auto& f) {
    f.group("search", o.search, GroupFlags::plain);
    f("ban", o.ban, "texts that no output may contain");
    f("bias", o.bias, "text=number: added to the log-probability of the text's tokens, e.g. Haus=1.5");
    f("repeatable", o.repeatable,
      "texts whose tokens are exempt from --no-repeat-ngram and --repetition-penalty",
      only_if(o.search.no_repeat_ngram > 0 || o.search.repetition_penalty > 1,
              "add --no-repeat-ngram or --repetition-penalty"));
    f("seed", o.seed, "seed of --sample; samples depend on it and the line number, not on other lines",
      at_least(0), noted_unless(o.search.sample, "without --sample"));
    f("batch-size", o.batch_size, "sentences decoded together", in_range(1, 4096), everyday);
    f("max-batch-tokens", o.max_batch_tokens,
      "source tokens decoded together: the longest source with </s> times the sentences; a longer source is "
      "decoded alone",
      at_least(1));
    f("batch-invariant", o.batch_invariant,
      "outputs and scores that do not depend on batch size, other lines or threads, to the last bit; models "
      "for which batches cannot ensure it (docs/decoding.md) decode each line alone, which is slower");
    f("replace-unknown", o.replace_unknown,
      "replace <unk> by the most attended source word (needs a model with attention)",
      noted_unless(!o.search.ban_unknown, "with --ban-unknown"));
    f("verify", o.verify,
      "score each output again by teacher forcing and report those whose log-probability differs");
  }
};

/// Translates lines of text: tokenizes, decodes in a pool, replaces unknown words, detokenizes. Several
/// translators may share a pool, each with its own options.
class Translator {
 public:
  /// Sources of more than `maximum_length` tokens are truncated. The pool, whose models read and write
  /// `text`, must outlive the translator.
  Translator(TextCodecs text, int64_t maximum_length, DecodingPool& pool, const TranslatorOptions& options);
  Translator(const DecodingModels& models, DecodingPool& pool, const TranslatorOptions& options);
  ~Translator();

  /// One translation per line, in the same order. Bad lines, and those whose output is not what was asked for,
  /// are reported as warnings and counted; that white space is read as single spaces is told once.
  std::vector<Translation> translate(std::span<const SourceLine> lines);

  /// Since construction.
  struct Counts {
    int64_t lines = 0, bad_lines = 0, cut_lines = 0;
    int64_t output_tokens = 0;   ///< of the best outputs, without </s>
    int64_t without_output = 0;  ///< lines that can be read but for which nothing was found
    int64_t unmet = 0;           ///< lines whose best output lacks a required phrase
    int64_t fewer = 0;           ///< lines whose groups of the beam found fewer than n_best different outputs
    int64_t unequal = 0;  ///< with `verify`: outputs whose log-probability differs by more than rounding does
  };
  const Counts& counts() const { return counts_; }
  /// Lines that the pool can decode at a time.
  size_t capacity() const { return pool_.workers() * static_cast<size_t>(options_.batch_size); }
  /// Lines worth reading ahead, so that batches hold lines of similar length.
  size_t window() const { return SearchRequest::window(options_.batch_size); }

 private:
  SentenceRules number(const SourceLine& line, Translation& result);
  void report_bad(const std::string& problem);
  void decode(SearchRequest request, std::span<Translation* const> results,
              std::span<const SourceLine* const> lines);
  void take(const SentenceOutputs& found, const SourceLine& line, Translation& result);
  void verify(std::span<Translation* const> results);

  TextCodecs text_;
  int64_t maximum_length_;
  DecodingPool& pool_;
  TranslatorOptions options_;
  std::unique_ptr<TextRules> rules_;
  double tolerance_ = 1e-3;  // of `verify`, for each token
  Counts counts_;
  bool told_white_space_ = false;
};

}  // namespace seq2seq
