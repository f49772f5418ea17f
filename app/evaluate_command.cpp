#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <iostream>
#include <memory>

#include "commands.h"
#include "flags.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/json.h"
#include "seq2seq/core/options.h"
#include "seq2seq/data/example_line.h"
#include "seq2seq/data/line_reader.h"
#include "seq2seq/metrics/bleu.h"
#include "seq2seq/metrics/bootstrap.h"
#include "seq2seq/metrics/chrf.h"
#include "seq2seq/metrics/rouge.h"
#include "seq2seq/metrics/summary.h"
#include "seq2seq/model/archive/checkpoint.h"
#include "seq2seq/text/utf8.h"

namespace seq2seq {
namespace {

constexpr int64_t default_samples = 1000;
constexpr const char* valid_metrics = "valid: bleu, chrf, chrf++, rouge, summary";

struct EvaluateOptions {
  std::string hypothesis;
  std::vector<std::string> reference;
  std::string source, model;
  std::string baseline;
  std::vector<std::string> metric{"bleu", "chrf"};
  BleuTokenizer tokenize = BleuTokenizer::v13a;
  bool lowercase = false;
  bool stem = true;
  std::string sentence_separator;
  int64_t bootstrap = 0;
  int64_t seed = 12345;

  static void fields(auto& o, auto& f) {
    f("hypothesis", o.hypothesis, "the text to score, one sentence a line; - for standard input");
    f("reference", o.reference,
      "what it is compared with: text, the second column of a .tsv, or target and references of a .jsonl; "
      "each may be .gz; give several files for several references");
    f("source", o.source,
      "for summary: what was summarized, text or the sources of a .tsv or .jsonl; adds novel n-grams and the "
      "copy rate");
    f("model", o.model,
      "for summary: the model that wrote it; adds how many words that its vocabulary lacks were recovered "
      "from the source");
    f("baseline", o.baseline, "another system's text: is the difference from it more than chance?");
    f("metric", o.metric, "bleu, chrf, chrf++, rouge, summary; may be given several times");
    f("tokenize", o.tokenize, "how BLEU cuts words");
    f("lowercase", o.lowercase, "BLEU and chrF ignore case (ROUGE always does)");
    f("stem", o.stem, "ROUGE compares Porter stems");
    f("sentence-separator", o.sentence_separator,
      "text that stands between the sentences of a line, for ROUGE-Lsum and summary, such as <q>");
    f("bootstrap", o.bootstrap, "samples of the test set for 95% intervals; 0: none, or 1000 with a baseline",
      in_range(0, 1e6));
    f("seed", o.seed, "seed of these samples", at_least(0));
  }

  bool wants(const std::string& name) const {
    return std::find(metric.begin(), metric.end(), name) != metric.end();
  }
  int64_t samples() const { return bootstrap == 0 && !baseline.empty() ? default_samples : bootstrap; }
  void check() const;
};

void EvaluateOptions::check() const {
  if (hypothesis.empty()) throw UsageError("--hypothesis", "is missing", "give the file to score, or -");
  if (reference.empty()) throw UsageError("--reference", "is missing", "give the file to compare with");
  if (metric.empty()) throw UsageError("--metric", "is empty", valid_metrics);
  for (const auto& name : metric)
    if (name != "bleu" && name != "chrf" && name != "chrf++" && name != "rouge" && name != "summary")
      throw UsageError("--metric", "'" + name + "' is unknown", valid_metrics);
  const auto streams = std::count(reference.begin(), reference.end(), "-") + (hypothesis == "-") +
                       (baseline == "-") + (source == "-");
  if (streams > 1)
    throw UsageError("-", "the standard input is asked for twice", "name a file for one of them");

  const auto refuse_unused = [](bool given, bool used, const char* flag, const char* remedy) {
    if (given && !used) throw UsageError(flag, "would change nothing", remedy);
  };
  const bool any_cased = wants("bleu") || wants("chrf") || wants("chrf++");
  refuse_unused(tokenize != BleuTokenizer::v13a, wants("bleu"), "--tokenize", "add --metric bleu");
  refuse_unused(lowercase, any_cased, "--lowercase", "ROUGE and summary ignore case anyway; leave it out");
  refuse_unused(!stem, wants("rouge"), "--no-stem", "add --metric rouge");
  refuse_unused(!sentence_separator.empty(), wants("rouge") || wants("summary"), "--sentence-separator",
                "add --metric rouge or summary");
  refuse_unused(!source.empty(), wants("summary"), "--source", "add --metric summary");
  refuse_unused(!model.empty(), wants("summary"), "--model", "add --metric summary");
  if (!model.empty() && source.empty())
    throw UsageError("--source", "is missing: words are recovered from it",
                     "give the file that was summarized");
  refuse_unused(seed != EvaluateOptions{}.seed, samples() > 0, "--seed", "add --bootstrap or --baseline");
}

enum class Side { source, target };

/// Each line of a file as its texts: one; of an example file its source, or target and further references.
ReferenceLists read_texts(const std::string& path, Side side) {
  LineReader reader(path);
  ReferenceLists texts;
  std::string line;
  while (reader.next(line)) {
    if (reader.too_long()) throw Error(reader.place(), "the line is longer than 1 MiB", "split it");
    if (const auto invalid = find_invalid_utf8(line))
      throw Error(reader.place(), "byte " + std::to_string(*invalid + 1) + " is not valid UTF-8",
                  "convert the file to UTF-8");
    if (!has_example_format(path)) {
      texts.push_back({line});
      continue;
    }
    RawExample example = parse_example(line, example_format(path), reader.place(),
                                       side == Side::source ? TargetField::optional : TargetField::required);
    if (side == Side::source) {
      texts.push_back({std::move(example.source)});
      continue;
    }
    texts.push_back({std::move(example.target)});
    for (auto& further : example.references) texts.back().push_back(std::move(further));
  }
  return texts;
}

std::string name_input(const std::string& path) {
  return path == "-" ? "standard input" : path;
}

void check_line_counts(const std::string& path, size_t lines, const std::string& other, size_t other_lines) {
  if (lines == other_lines) return;
  throw Error(name_input(path),
              "has " + std::to_string(lines) + " lines, but " + name_input(other) + " has " +
                  std::to_string(other_lines),
              "both need one line for each sentence");
}

/// One text a line; of an example file, this side of it.
std::vector<std::string> read_lines(const std::string& path, Side side) {
  std::vector<std::string> result;
  for (auto& texts : read_texts(path, side)) result.push_back(std::move(texts.front()));
  return result;
}

struct Texts {
  std::vector<std::string> hypotheses, baseline, sources;
  ReferenceLists references;
};

Texts read_all(const EvaluateOptions& options) {
  Texts texts;
  texts.hypotheses = read_lines(options.hypothesis, Side::target);
  texts.references.resize(texts.hypotheses.size());
  for (const auto& path : options.reference) {
    auto references = read_texts(path, Side::target);
    check_line_counts(options.hypothesis, texts.hypotheses.size(), path, references.size());
    for (size_t i = 0; i < references.size(); ++i)
      std::move(references[i].begin(), references[i].end(), std::back_inserter(texts.references[i]));
  }
  if (texts.hypotheses.empty())
    throw Error(name_input(options.hypothesis), "is empty", "give at least one line");
  if (!options.baseline.empty()) {
    texts.baseline = read_lines(options.baseline, Side::target);
    check_line_counts(options.hypothesis, texts.hypotheses.size(), options.baseline, texts.baseline.size());
  }
  if (!options.source.empty()) {
    texts.sources = read_lines(options.source, Side::source);
    check_line_counts(options.hypothesis, texts.hypotheses.size(), options.source, texts.sources.size());
  }
  return texts;
}

Json interval_json(const BootstrapInterval& interval) {
  return {{"mean", interval.mean}, {"low", interval.low}, {"high", interval.high}};
}

/// Adds "confidence" and "comparison" to the figures of one metric.
void add_bootstrap(Json& figures, const EvaluateOptions& options, const SentenceStatistics& system,
                   const SentenceStatistics* baseline) {
  const BootstrapOptions bootstrap{options.samples(), static_cast<uint64_t>(options.seed)};
  if (bootstrap.samples == 0) return;
  if (!baseline) {
    figures["confidence"] = interval_json(bootstrap_interval(system, bootstrap));
    return;
  }
  const auto result = paired_bootstrap(system, *baseline, bootstrap);
  figures["confidence"] = interval_json(result.system);
  figures["comparison"] = {{"baseline_score", result.baseline.score},
                           {"baseline_confidence", interval_json(result.baseline)},
                           {"difference", result.system.score - result.baseline.score},
                           {"p_value", result.p_value},
                           {"win_share", result.win_share}};
}

Json evaluate_bleu(const EvaluateOptions& options, const Texts& texts) {
  BleuOptions bleu;
  bleu.tokenizer = options.tokenize;
  bleu.lowercase = options.lowercase;
  const auto score = corpus_bleu(texts.hypotheses, texts.references, bleu);
  Json figures = {{"score", score.score},
                  {"signature", bleu_signature(texts.references, bleu)},
                  {"precisions", score.precisions},
                  {"brevity_penalty", score.brevity_penalty},
                  {"ratio", score.ratio()},
                  {"hypothesis_length", score.hypothesis_length},
                  {"reference_length", score.reference_length},
                  {"formatted", score.format()}};
  if (options.samples() == 0) return figures;
  const auto system = bleu_statistics(texts.hypotheses, texts.references, bleu);
  SentenceStatistics baseline;
  if (!texts.baseline.empty()) baseline = bleu_statistics(texts.baseline, texts.references, bleu);
  add_bootstrap(figures, options, system, texts.baseline.empty() ? nullptr : &baseline);
  return figures;
}

Json evaluate_chrf(const EvaluateOptions& options, const Texts& texts, ChrfOptions chrf) {
  chrf.lowercase = options.lowercase;
  const auto system = chrf_statistics(texts.hypotheses, texts.references, chrf);
  Json figures = {{"score", system.score(system.sums())},
                  {"name", chrf_name(chrf)},
                  {"signature", chrf_signature(texts.references, chrf)}};
  SentenceStatistics baseline;
  if (!texts.baseline.empty()) baseline = chrf_statistics(texts.baseline, texts.references, chrf);
  add_bootstrap(figures, options, system, texts.baseline.empty() ? nullptr : &baseline);
  return figures;
}

/// Sentences on lines of their own.
Texts with_sentence_lines(Texts texts, const std::string& separator) {
  if (separator.empty()) return texts;
  const auto split = [&](std::vector<std::string>& lines) {
    for (std::string& text : lines)
      for (size_t at = text.find(separator); at != std::string::npos; at = text.find(separator, at + 1))
        text.replace(at, separator.size(), "\n");
  };
  split(texts.hypotheses);
  split(texts.baseline);
  for (auto& references : texts.references) split(references);
  return texts;
}

Json evaluate_rouge(const EvaluateOptions& options, const Texts& texts) {
  const RougeOptions rouge{options.stem};
  const auto system = rouge_by_sentence(texts.hypotheses, texts.references, rouge);
  std::vector<RougeScores> baseline;
  if (!texts.baseline.empty()) baseline = rouge_by_sentence(texts.baseline, texts.references, rouge);
  const auto mean = mean_rouge(system);
  Json figures = Json::object();
  for (const RougeType type : all_rouge_types) {
    const auto& score = mean[static_cast<size_t>(type)];
    Json& entry = figures[option_name(type)];
    entry = {{"precision", score.precision}, {"recall", score.recall}, {"fmeasure", score.fmeasure}};
    const auto baseline_statistics = rouge_statistics(baseline, type);
    add_bootstrap(entry, options, rouge_statistics(system, type),
                  baseline.empty() ? nullptr : &baseline_statistics);
  }
  figures["signature"] = rouge_signature(texts.references, rouge);
  return figures;
}

/// The figures of a summary and, for all of them, what resampling says.
Json evaluate_summary(const EvaluateOptions& options, const Texts& texts) {
  std::shared_ptr<const TextCodec> codec;
  if (!options.model.empty()) codec = load_model(options.model).text.target;
  const auto sources = words_of(texts.sources);
  const auto references = words_of_references(texts.references);
  using Statistics = std::vector<std::pair<std::string, SentenceStatistics>>;
  const auto statistics_of = [&](const std::vector<std::string>& system) {
    const auto words = words_of(system);
    Statistics all;
    for (const size_t order : {1, 2, 3, 4})
      all.emplace_back("repeated_" + std::to_string(order) + "grams", repeated_ngrams(words, order));
    all.emplace_back("repeated_sentences", repeated_sentences(system));
    all.emplace_back("length_ratio", length_ratio(words, references));
    all.emplace_back("exact_matches", exact_matches(words, references));
    if (sources.empty()) return all;
    for (const size_t order : {1, 2, 3, 4})
      all.emplace_back("novel_" + std::to_string(order) + "grams", novel_ngrams(words, sources, order));
    all.emplace_back("copy_rate", copy_rate(words, sources));
    if (codec)
      all.emplace_back("recovered_words", recovered_words(system, texts.references, texts.sources, *codec));
    return all;
  };
  const Statistics system = statistics_of(texts.hypotheses);
  const Statistics baseline = texts.baseline.empty() ? Statistics{} : statistics_of(texts.baseline);
  Json figures = Json::object(), resampled = Json::object();
  for (size_t i = 0; i < system.size(); ++i) {
    const auto& [name, statistics] = system[i];
    figures[name] = statistics.score(statistics.sums());
    if (name == "recovered_words") figures["words_to_recover"] = std::llround(statistics.sums()[1]);
    add_bootstrap(resampled[name], options, statistics, baseline.empty() ? nullptr : &baseline[i].second);
  }
  if (options.samples() > 0) figures["bootstrap"] = std::move(resampled);
  return figures;
}

int run_evaluate(const EvaluateOptions& options) {
  options.check();
  const Texts texts = read_all(options);
  const std::string& separator = options.sentence_separator;
  Json result = Json::object();
  for (const auto& name : options.metric) {
    if (name == "bleu") result[name] = evaluate_bleu(options, texts);
    if (name == "chrf") result[name] = evaluate_chrf(options, texts, {});
    if (name == "chrf++") result[name] = evaluate_chrf(options, texts, chrf_plus_plus());
    if (name == "rouge") result[name] = evaluate_rouge(options, with_sentence_lines(texts, separator));
    if (name == "summary") result[name] = evaluate_summary(options, with_sentence_lines(texts, separator));
  }
  result["sentences"] = texts.hypotheses.size();
  if (options.samples() > 0) result["bootstrap"] = {{"samples", options.samples()}, {"seed", options.seed}};
  std::cout << dump_json(result, 2) << std::endl;
  return 0;
}

}  // namespace

void add_evaluate(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("evaluate",
                                     "Scores a text against references and prints JSON.\n\n"
                                     "BLEU and chrF equal sacrebleu's figures (0 to 100), ROUGE those of "
                                     "rouge-score (0 to 1). Every score comes "
                                     "with the signature of the settings that made it. The metric summary "
                                     "says what ROUGE does not see (shares "
                                     "from 0 to 1): repeated n-grams and sentences, length, exact matches, "
                                     "and with --source and --model novelty, "
                                     "copying and recovered words. With --baseline, paired bootstrap "
                                     "resampling says how likely the difference "
                                     "between two systems is by chance (p_value).");
  command->footer(
      "Examples:\n"
      "  seq2seq evaluate --hypothesis output.de --reference test.de\n"
      "  seq2seq translate --model run --input test.en |\n"
      "    seq2seq evaluate --hypothesis - --reference test.de\n"
      "  seq2seq evaluate --hypothesis new.de --baseline old.de --reference test.de\n"
      "  seq2seq evaluate --hypothesis summaries.txt --reference test.jsonl \\\n"
      "    --source test.jsonl --metric rouge summary");
  auto flags = std::make_shared<Flags<EvaluateOptions>>(*command);
  command->callback([flags, &exit_code] { exit_code = run_evaluate(flags->resolve()); });
}

}  // namespace seq2seq
