#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <span>
#include <variant>

#include "commands.h"
#include "flags.h"
#include "seq2seq/core/error.h"
#include "seq2seq/core/join.h"
#include "seq2seq/core/json.h"
#include "seq2seq/core/log.h"
#include "seq2seq/core/options.h"
#include "seq2seq/data/example_line.h"
#include "seq2seq/data/line_reader.h"
#include "seq2seq/metrics/bootstrap.h"
#include "seq2seq/metrics/metrics.h"
#include "seq2seq/metrics/reference_check.h"
#include "seq2seq/model/archive/checkpoint.h"
#include "seq2seq/text/utf8.h"

namespace seq2seq {
namespace {

constexpr int64_t default_samples = 1000;

/// A metric's name in --metric: its own or that of its group.
std::string evaluate_name(const Metric& metric) {
  return metric.group ? metric.group->name : metric.name;
}

/// The names of the metrics that satisfy `such`, each once.
template <class Such>
std::vector<std::string> evaluate_names(const Such& such) {
  std::vector<std::string> names;
  for (const Metric& metric : metrics())
    if (metric.shown.evaluate && such(metric) &&
        std::find(names.begin(), names.end(), evaluate_name(metric)) == names.end())
      names.push_back(evaluate_name(metric));
  return names;
}

std::vector<std::string> evaluate_names() {
  return evaluate_names([](const Metric&) { return true; });
}

struct EvaluateOptions {
  std::string hypothesis;
  std::vector<std::string> reference;
  std::string source, model;
  ExampleKeys keys;
  std::string baseline;
  std::vector<std::string> metric{"bleu", "chrf"};
  std::string tokenize = "13a";
  RougeTokenizer rouge_tokenize = RougeTokenizer::automatic;
  bool lowercase = false;
  bool stem = true;
  std::string sentence_separator;
  int64_t bootstrap = 0;
  int64_t seed = 12345;

  static void fields(auto& o, auto& f) {
    f("hypothesis", o.hypothesis, "the text to score, one sentence per line; - for standard input", everyday);
    f("reference", o.reference,
      "reference text: one sentence per line, the second column of a .tsv, or target and references of a "
      ".jsonl; each may be .gz; give several files for several references",
      everyday);
    f("source", o.source,
      "for summary: the source text, or sources of a .tsv or .jsonl; adds novel n-grams and the copy rate",
      everyday, o.for_metrics([](auto& m) { return m.needs != Needs::references; }));
    f("model", o.model,
      "for summary: the model that wrote it; adds how many unknown words were recovered from the source",
      everyday, o.for_metrics([](auto& m) { return m.needs == Needs::codec; }));
    const OptionCondition of_json_lines = only_if(o.reads_json_lines(), "give a .jsonl file");
    f("source-key", o.keys.source, source_key_help, of_json_lines);
    f("target-key", o.keys.target, target_key_help, of_json_lines);
    f("baseline", o.baseline, "another system's output, for a significance test of the difference", everyday);
    f("metric", o.metric, joined(evaluate_names()) + "; may be given several times", everyday);
    f("tokenize", o.tokenize,
      "tokenizer of BLEU, each as of sacrebleu: zh and char for text without spaces; spm:FILE splits into the "
      "pieces of a SentencePiece model",
      BleuTokenizer::names(), o.for_metrics([](auto& m) { return m.heeds.tokenizer; }));
    f("rouge-tokenize", o.rouge_tokenize,
      "words of ROUGE: rouge-score = runs of a-z and 0-9; unicode = runs of letters, marks and digits, but "
      "Han, kana and Thai by character; char = every character but white space; auto = rouge-score, unless it "
      "keeps fewer than half of the references' words: then unicode",
      o.for_metrics([](auto& m) { return m.heeds.rouge_tokenizer; }));
    f("lowercase", o.lowercase, "BLEU and chrF ignore case (ROUGE always does)",
      o.for_metrics([](auto& m) { return m.heeds.lowercase; }));
    f("stem", o.stem, "ROUGE compares Porter stems (of words by rouge-score)",
      o.for_metrics([](auto& m) { return m.heeds.stem; }));
    f("sentence-separator", o.sentence_separator,
      "text between the sentences of a line, such as <q>: ROUGE-Lsum and summary tell sentences by it, the "
      "other metrics do not see it");
    f("bootstrap", o.bootstrap,
      "bootstrap samples for 95% confidence intervals; 0 = none, or 1000 with a baseline", in_range(0, 1e6),
      everyday);
    f("seed", o.seed, "seed of these samples", at_least(0),
      noted_unless(o.samples() > 0, "without --bootstrap or --baseline"));
  }

  /// The condition of an option that only some metrics use.
  template <class Such>
  OptionCondition for_metrics(const Such& such) const {
    const auto users = evaluate_names(such);
    return only_if(
        std::find_first_of(metric.begin(), metric.end(), users.begin(), users.end()) != metric.end(),
        "add --metric " + joined(users, " or "));
  }
  bool reads_json_lines() const {
    return has_json_lines(hypothesis) || has_json_lines(source) || has_json_lines(baseline) ||
           std::any_of(reference.begin(), reference.end(), has_json_lines);
  }
  std::vector<const Metric*> wanted_metrics() const {
    std::vector<const Metric*> wanted;
    for (const Metric& one : metrics())
      if (one.shown.evaluate && std::find(metric.begin(), metric.end(), evaluate_name(one)) != metric.end())
        wanted.push_back(&one);
    return wanted;
  }
  MetricOptions reading(const ReferenceLists& references) const {
    return {BleuTokenizer::named(tokenize), lowercase, stem, settled(rouge_tokenize, references)};
  }
  int64_t samples() const { return bootstrap == 0 && !baseline.empty() ? default_samples : bootstrap; }
  void check() const;
};

void EvaluateOptions::check() const {
  if (hypothesis.empty()) throw UsageError("--hypothesis", "is missing", "give the file to score, or -");
  if (reference.empty()) throw UsageError("--reference", "is missing", "give the file to compare with");
  const auto names = evaluate_names();
  const std::string valid_metrics = "valid: " + joined(names);
  if (metric.empty()) throw UsageError("--metric", "is empty", valid_metrics);
  for (const auto& name : metric)
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw UsageError("--metric", "'" + name + "' is unknown", valid_metrics);
  const auto streams = std::count(reference.begin(), reference.end(), "-") + (hypothesis == "-") +
                       (baseline == "-") + (source == "-");
  if (streams > 1)
    throw UsageError("-", "the standard input is asked for twice", "name a file for one of them");
  if (!model.empty() && source.empty())
    throw UsageError("--source", "is missing: words are recovered from it",
                     "give the file that was summarized");
}

enum class Side { source, target };

/// The texts of each line: itself or, of an example file, its source or its target and further references.
ReferenceLists read_texts(const std::string& path, Side side, const ExampleKeys& keys) {
  LineReader reader(path);
  ExampleNotes notes;
  ReferenceLists texts;
  std::string line;
  while (reader.next(line)) {
    if (reader.too_long()) throw Error(reader.place(), "the line is longer than 1 MiB", "split it");
    if (const auto invalid = find_invalid_utf8(line))
      throw Error(reader.place(), "byte " + std::to_string(*invalid + 1) + " is not valid UTF-8",
                  utf8_remedy);
    if (!has_example_format(path)) {
      texts.push_back({line});
      continue;
    }
    RawExample example =
        parse_example(line, example_format(path), reader.place(),
                      side == Side::source ? TargetField::optional : TargetField::alone, keys, &notes);
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

/// One text per line; of an example file, this side.
std::vector<std::string> read_lines(const std::string& path, Side side, const ExampleKeys& keys) {
  std::vector<std::string> result;
  for (auto& texts : read_texts(path, side, keys)) result.push_back(std::move(texts.front()));
  return result;
}

struct Texts {
  std::vector<std::string> hypotheses, baseline, sources;
  ReferenceLists references;
};

Texts read_all(const EvaluateOptions& options) {
  Texts texts;
  texts.hypotheses = read_lines(options.hypothesis, Side::target, options.keys);
  texts.references.resize(texts.hypotheses.size());
  for (const auto& path : options.reference) {
    auto references = read_texts(path, Side::target, options.keys);
    check_line_counts(options.hypothesis, texts.hypotheses.size(), path, references.size());
    for (size_t i = 0; i < references.size(); ++i)
      std::move(references[i].begin(), references[i].end(), std::back_inserter(texts.references[i]));
  }
  if (texts.hypotheses.empty())
    throw Error(name_input(options.hypothesis), "is empty", "give at least one line");
  if (!options.baseline.empty()) {
    texts.baseline = read_lines(options.baseline, Side::target, options.keys);
    check_line_counts(options.hypothesis, texts.hypotheses.size(), options.baseline, texts.baseline.size());
  }
  if (!options.source.empty()) {
    texts.sources = read_lines(options.source, Side::source, options.keys);
    check_line_counts(options.hypothesis, texts.hypotheses.size(), options.source, texts.sources.size());
  }
  return texts;
}

Json interval_json(const BootstrapInterval& interval) {
  return {{"mean", interval.mean}, {"low", interval.low}, {"high", interval.high}};
}

/// "confidence", and with a baseline "comparison"; empty without resampling.
Json bootstrap_json(const EvaluateOptions& options, const SentenceStatistics& system,
                    const std::optional<SentenceStatistics>& baseline) {
  const BootstrapOptions bootstrap{options.samples(), static_cast<uint64_t>(options.seed)};
  Json figures = Json::object();
  if (bootstrap.samples == 0) return figures;
  if (!baseline) {
    figures["confidence"] = interval_json(bootstrap_interval(system, bootstrap));
    return figures;
  }
  const auto result = paired_bootstrap(system, *baseline, bootstrap);
  figures["confidence"] = interval_json(result.system);
  figures["comparison"] = {{"baseline_score", result.baseline.score},
                           {"baseline_confidence", interval_json(result.baseline)},
                           {"difference", result.system.score - result.baseline.score},
                           {"p_value", result.p_value},
                           {"win_share", result.win_share}};
  return figures;
}

/// Whether the sentences of a line become lines, or one line without separators.
enum class Sentences { lines, joined };

void replace_separators(std::string& text, const std::string& separator, Sentences sentences) {
  for (size_t at = text.find(separator); at != std::string::npos; at = text.find(separator, at)) {
    size_t end = at + separator.size();
    std::string between = "\n";
    if (sentences == Sentences::joined) {  // as if it had never been there, with its spaces
      while (at > 0 && text[at - 1] == ' ') --at;
      while (end < text.size() && text[end] == ' ') ++end;
      between = at == 0 || end == text.size() ? "" : " ";
    }
    text.replace(at, end - at, between);
    at += between.size();
  }
}

/// The texts with each separator replaced.
Texts without_separators(Texts texts, const std::string& separator, Sentences sentences) {
  if (separator.empty()) return texts;
  const auto replace = [&](std::vector<std::string>& lines) {
    for (std::string& text : lines) replace_separators(text, separator, sentences);
  };
  replace(texts.hypotheses);
  replace(texts.baseline);
  for (auto& references : texts.references) replace(references);
  return texts;
}

Json details_json(const Metric& metric, const ScoredTexts& texts, std::span<const double> sums) {
  Json details = Json::object();
  if (metric.details)
    for (const auto& [key, figure] : metric.details(texts, sums))
      std::visit([&entry = details[key]](const auto& value) { entry = value; }, figure);
  return details;
}

/// The figures of the metrics with this name in --metric, as far as the texts include what these need.
Json evaluate(const std::string& name, const EvaluateOptions& options, const ScoredTexts& texts,
              const std::optional<ScoredTexts>& baseline) {
  Json figures = Json::object(), resampled = Json::object();
  std::string signature;
  for (const Metric& metric : metrics()) {
    if (!metric.shown.evaluate || evaluate_name(metric) != name || !can_score(metric, texts)) continue;
    const SentenceStatistics statistics = metric.statistics(texts);
    const auto sums = statistics.sums();
    const Json details = details_json(metric, texts, sums);
    const Json samples = bootstrap_json(
        options, statistics, baseline ? std::optional(metric.statistics(*baseline)) : std::nullopt);
    const std::string key = metric.evaluate_key ? metric.evaluate_key : key_of(metric);
    if (metric.signature) signature = metric.signature(texts);
    if (!metric.group) {
      figures["score"] = statistics.score(sums);
      figures["signature"] = signature;
      figures.update(details);
      figures.update(samples);
    } else if (metric.group->numbers) {
      figures[key] = statistics.score(sums);
      figures.update(details);
      resampled[key] = samples;
    } else {
      figures[key] = details;
      figures[key].update(samples);
    }
  }
  if (!signature.empty()) figures["signature"] = signature;  // of a group: after its metrics
  if (!resampled.empty() && options.samples() > 0) figures["bootstrap"] = std::move(resampled);
  return figures;
}

/// Whether a metric with this name in --metric depends on line ends.
bool heeds_sentence_lines(const std::string& name) {
  const auto names = evaluate_names([](const Metric& metric) { return metric.heeds.sentence_lines; });
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Logs what makes figures say less than a user would think.
void warn(const EvaluateOptions& options, const Texts& texts, const MetricOptions& reading) {
  const auto wanted = options.wanted_metrics();
  const auto heeds = [&](bool MetricHeeds::*setting) {
    return std::any_of(wanted.begin(), wanted.end(), [&](auto* metric) { return metric->heeds.*setting; });
  };
  if (heeds(&MetricHeeds::rouge_tokenizer) && options.rouge_tokenize == RougeTokenizer::automatic)
    if (const std::string remark = remark_on_automatic(texts.references, "--"); !remark.empty())
      log_warning(remark);
  for (const std::string& remark : remarks_on(wanted, texts.references, reading, "--")) log_warning(remark);
  if (heeds(&MetricHeeds::lowercase) && !options.lowercase &&
      are_lowercase_beside(texts.hypotheses, texts.references))
    log_warning(
        "the outputs are in lower case, the references are not: add --lowercase to compare in lower case");
}

int run_evaluate(const EvaluateOptions& options) {
  options.check();
  const Texts all = read_all(options);
  std::shared_ptr<const TextCodec> codec;
  if (!options.model.empty()) codec = load_model(options.model).text.target;
  const MetricOptions reading = options.reading(all.references);
  warn(options, all, reading);
  Json result = Json::object();
  for (const auto& name : options.metric) {
    const Texts texts = without_separators(all, options.sentence_separator,
                                           heeds_sentence_lines(name) ? Sentences::lines : Sentences::joined);
    const auto scored = [&](const std::vector<std::string>& system) {
      return ScoredTexts(system, texts.references, texts.sources, codec, reading);
    };
    std::optional<ScoredTexts> baseline;
    if (!texts.baseline.empty()) baseline.emplace(scored(texts.baseline));
    result[name] = evaluate(name, options, scored(texts.hypotheses), baseline);
  }
  result["sentences"] = all.hypotheses.size();
  if (options.samples() > 0) result["bootstrap"] = {{"samples", options.samples()}, {"seed", options.seed}};
  std::cout << dump_json(result, 2) << std::endl;
  return 0;
}

}  // namespace

RunCommand add_evaluate(CLI::App& command) {
  describe(
      command,
      "BLEU, chrF and TER equal those of sacrebleu (0 to 100), ROUGE that of rouge-score (0 to 1). Every "
      "score comes with the signature of its settings. The metric summary measures what ROUGE does not "
      "(shares from 0 to 1): repeated n-grams and sentences, length, exact matches, and with --source "
      "and --model novelty, copying and recovered words. With --baseline, paired bootstrap resampling "
      "estimates how likely the difference between two systems is by chance (p_value).",
      "Examples:\n"
      "  seq2seq evaluate --hypothesis output.de --reference test.de\n"
      "  seq2seq translate --model run --input test.en |\n"
      "    seq2seq evaluate --hypothesis - --reference test.de\n"
      "  seq2seq evaluate --hypothesis new.de --baseline old.de --reference test.de\n"
      "  seq2seq evaluate --hypothesis summaries.txt --reference test.jsonl \\\n"
      "    --source test.jsonl --metric rouge summary");
  return run_with_flags(command, run_evaluate);
}

}  // namespace seq2seq
