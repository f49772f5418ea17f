#include "seq2seq/decode/translator.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <thread>

#include "seq2seq/core/error.h"
#include "seq2seq/core/json.h"
#include "seq2seq/core/log.h"
#include "seq2seq/core/random.h"
#include "seq2seq/data/batch.h"
#include "seq2seq/decode/forced.h"
#include "seq2seq/decode/steering.h"
#include "seq2seq/nn/engine/compute.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq {
namespace {

constexpr size_t batches_ahead = 64;

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", value);
  return text;
}

/// The tokens of a text of the target language; every one must be in the vocabulary.
Phrase phrase_of(const TextCodec& target, const std::string& text, const char* flag) {
  Phrase phrase;
  for (const Token& token : target.tokenize(text)) {
    const auto id = target.vocabulary().find(token.text);
    if (!id)
      throw UsageError(flag, "'" + text + "': the target vocabulary lacks '" + token.text + "'",
                       "leave it out");
    phrase.push_back(*id);
  }
  if (phrase.empty()) throw UsageError(flag, "'" + text + "' has no token", "leave it out");
  return phrase;
}

OutputRules rules_of(const TranslatorOptions& options, const TextCodec& target) {
  OutputRules rules;
  for (const std::string& text : options.ban) rules.banned.push_back(phrase_of(target, text, "--ban"));
  for (const std::string& text : options.bias) {
    const size_t sign = text.rfind('=');
    char* end = nullptr;
    const double value = sign == std::string::npos ? 0 : std::strtod(text.c_str() + sign + 1, &end);
    if (end == nullptr || end == text.c_str() + sign + 1 || *end != 0 || !std::isfinite(value))
      throw UsageError("--bias", "'" + text + "' is not text=number", "write Haus=1.5");
    rules.biased.emplace_back(phrase_of(target, text.substr(0, sign), "--bias"), value);
  }
  for (const std::string& text : options.repeatable)
    for (const int64_t token : phrase_of(target, text, "--repeatable")) rules.repeatable.insert(token);
  return rules;
}

}  // namespace

bool TranslatorOptions::needs_all_words() const {
  return !ban.empty() || !bias.empty() || Steering::needed(search, {}, {});
}

Translator::Translator(TextCodecs text, int64_t maximum_length, std::vector<std::unique_ptr<Scorer>> scorers,
                       const TranslatorOptions& options)
    : text_(std::move(text)),
      maximum_length_(maximum_length),
      scorers_(std::move(scorers)),
      options_(options),
      rules_(rules_of(options, *text_.target)) {
  check(options.search);
  TORCH_CHECK(!scorers_.empty(), "a translator needs a scorer");
  if (options_.batch_invariant) options_.batch_size = 1;
}

size_t Translator::window() const {
  return batches_ahead * static_cast<size_t>(options_.batch_size);
}

/// Leaves it without ids when there is nothing to decode.
void Translator::number(const SourceLine& line, Translation& result) {
  const auto index = static_cast<uint64_t>(counts_.lines++);
  if (!line.problem.empty()) {
    ++counts_.bad_lines;
    log_warning(line.problem + " (its output line is empty)");
    return;
  }
  NumberedSource& source = result.source;
  source = number_source(*text_.source, line.text, line.sentences, text_.form, maximum_length_);
  if (source.whole_length > maximum_length_ && counts_.cut_lines++ == 0)
    log_warning(line.place + ": cut from " + format_count(source.whole_length) + " to " +
                format_count(maximum_length_) + " tokens, as all longer lines will be; split such lines");
  result.rules.seed = mix_seed({static_cast<uint64_t>(options_.seed), index});
  const auto asked = [&](const std::string& text) {
    Phrase phrase = number_target(*text_.target, text, source, text_.form);
    if (std::find(phrase.begin(), phrase.end(), Vocabulary::unknown) != phrase.end())
      throw Error(line.place,
                  "'" + text + "' is asked of its output, but has a word that the model cannot write",
                  "choose other words");
    return phrase;
  };
  result.rules.prefix = asked(line.prefix);
  for (const std::string& phrase : line.required) {
    result.rules.required.push_back(asked(phrase));
    if (result.rules.required.size() > 64)
      throw Error(line.place, "has more than 64 required phrases", "join neighbours");
  }
}

std::vector<Translation> Translator::translate(std::span<const SourceLine> lines) {
  std::vector<Translation> results(lines.size());
  std::vector<Translation*> sentences;
  const int64_t first = counts_.lines;
  for (size_t i = 0; i < lines.size(); ++i) {
    number(lines[i], results[i]);
    if (!results[i].source.ids.empty()) sentences.push_back(&results[i]);
  }
  // Longest first, so that the workers end at about the same time.
  std::stable_sort(sentences.begin(), sentences.end(), [](const Translation* a, const Translation* b) {
    return a->source.ids.size() > b->source.ids.size();
  });
  try {
    decode(sentences);
  } catch (...) {
    rethrow_unforeseen(fmt::format("translating lines {} to {}", first + 1, counts_.lines));
  }
  for (Translation& result : results) {
    if (result.outputs.empty()) {
      counts_.without_output += !result.source.ids.empty();
      result.outputs.emplace_back();
    }
    counts_.output_tokens += std::ssize(result.outputs.front().tokens);
  }
  counts_.unequal = unequal_;
  return results;
}

void Translator::decode(std::span<Translation* const> sentences) {
  const auto size = static_cast<size_t>(options_.batch_size);
  const size_t batches = (sentences.size() + size - 1) / size;
  std::atomic<size_t> next = 0;
  std::exception_ptr failure;
  std::mutex failure_mutex;
  const auto work = [&](Scorer& scorer) {
    try {
      for (size_t i = next++; i < batches; i = next++)
        decode_batch(scorer, sentences.subspan(i * size, std::min(size, sentences.size() - i * size)));
    } catch (...) {
      const std::lock_guard lock(failure_mutex);
      if (!failure) failure = std::current_exception();
      next = batches;
    }
  };
  const size_t workers = std::min(scorers_.size(), batches);
  if (workers <= 1 && !options_.batch_invariant) {
    work(*scorers_.front());
  } else {
    const int all_threads = at::get_num_threads();
    const Compute compute = Compute::now().kept();
    {
      std::vector<std::jthread> threads;
      for (size_t i = 0; i < workers; ++i)
        threads.emplace_back([&, i] {
          at::set_num_threads(
              options_.batch_invariant ? 1 : std::max(1, all_threads / static_cast<int>(workers)));
          const ComputeScope scope(compute);
          work(*scorers_[i]);
        });
    }
    at::set_num_threads(all_threads);  // the workers' setting is partly global
  }
  if (failure) std::rethrow_exception(failure);
}

void Translator::decode_batch(Scorer& scorer, std::span<Translation* const> batch) {
  std::vector<Example> examples;
  std::vector<SentenceRules> rules;
  for (const Translation* sentence : batch) {
    examples.push_back({examples.size(), sentence->source.ids, {}});
    rules.push_back(sentence->rules);
  }
  const auto found = search(scorer, to_tensors(make_batch(examples)).source, options_.search, rules_, rules);
  const UnknownWords unknown = options_.replace_unknown ? UnknownWords::replace : UnknownWords::keep;
  for (size_t i = 0; i < batch.size(); ++i)
    for (const Hypothesis& hypothesis : found[i])
      batch[i]->outputs.push_back({written(hypothesis, *text_.target, batch[i]->source.tokens, unknown),
                                   hypothesis.score, hypothesis.tokens, hypothesis.log_probability,
                                   hypothesis.token_log_probabilities, hypothesis.source_positions});
  if (options_.verify) verify(scorer, batch);
}

void Translator::verify(Scorer& scorer, std::span<Translation* const> batch) {
  constexpr double tolerance = 1e-3;
  std::vector<Example> examples;
  std::vector<std::vector<int64_t>> targets;
  std::vector<double> found;
  for (const Translation* sentence : batch)
    for (const auto& output : sentence->outputs) {
      examples.push_back({examples.size(), sentence->source.ids, {}});
      targets.push_back(output.tokens);
      found.push_back(output.log_probability);
    }
  if (examples.empty()) return;
  const auto forced = force(scorer, to_tensors(make_batch(examples)).source, targets);
  for (size_t i = 0; i < forced.size(); ++i)
    // Not a number is no agreement either.
    if (!(std::abs(forced[i].log_probability() - found[i]) <
          tolerance * static_cast<double>(1 + targets[i].size())))
      ++unequal_;
}

std::string written(const Hypothesis& hypothesis, const TextCodec& target, const std::vector<Token>& source,
                    UnknownWords unknown) {
  const Vocabulary& vocabulary = target.vocabulary();
  std::vector<std::string> tokens;
  for (size_t i = 0; i < hypothesis.tokens.size(); ++i) {
    const int64_t token = hypothesis.tokens[i], position = hypothesis.source_positions[i];
    if (token >= vocabulary.size())
      tokens.push_back(source.at(static_cast<size_t>(token - vocabulary.size())).surface);
    else if (token == Vocabulary::unknown && unknown == UnknownWords::replace && position >= 0)
      tokens.push_back(source.at(static_cast<size_t>(position)).surface);
    else
      tokens.push_back(vocabulary.token(token));
  }
  std::string text = target.detokenize(tokens);
  // A model whose training text (JSON) had line ends within may write them.
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return text;
}

Translator make_translator(const TranslationModel& model, const TranslatorOptions& options, int64_t workers,
                           const std::shared_ptr<const Shortlist>& shortlist) {
  if (workers == 0) workers = model.model->device().is_cpu() ? at::get_num_threads() : 1;
  Seq2Seq network = model.model;
  const auto packed = std::make_shared<WeightStore>(network->parameters());
  std::vector<std::unique_ptr<Scorer>> scorers;
  for (int64_t i = 0; i < workers; ++i)
    scorers.push_back(std::make_unique<ModelScorer>(network, packed, shortlist));
  return Translator(model.text, model.maximum_length, std::move(scorers), options);
}

std::string details_json(const Translation& translation, const Translation::Output& output,
                         const Vocabulary& target, int64_t line, int64_t rank) {
  Json tokens = Json::array(), alignment = Json::array();
  for (const int64_t token : output.tokens)
    tokens.push_back(token < target.size()
                         ? target.token(token)
                         : translation.source.tokens.at(static_cast<size_t>(token - target.size())).surface);
  for (size_t i = 0; i < output.source_positions.size(); ++i)
    if (output.source_positions[i] >= 0) alignment.push_back({output.source_positions[i], i});
  Json source = Json::array();
  for (const Token& token : translation.source.tokens) source.push_back(token.surface);
  return dump_json({{"line", line},
                    {"output", rank},
                    {"text", output.text},
                    {"score", output.score},
                    {"log_probability", output.log_probability},
                    {"source", std::move(source)},
                    {"tokens", std::move(tokens)},
                    {"token_log_probabilities", output.token_log_probabilities},
                    {"alignment", std::move(alignment)}}) +
         "\n";
}

std::string pharaoh_alignment(std::span<const int64_t> source_positions) {
  std::string text;
  for (size_t i = 0; i < source_positions.size(); ++i)
    if (source_positions[i] >= 0)
      text += fmt::format("{}{}-{}", text.empty() ? "" : " ", source_positions[i], i);
  return text;
}

std::string format_translation(const Translation& translation, int64_t index, int64_t n_best, bool scores) {
  if (n_best == 1) {
    const auto& best = translation.outputs.front();
    return scores ? number(best.score) + "\t" + best.text + "\n" : best.text + "\n";
  }
  std::string lines;
  for (const auto& output : translation.outputs)
    lines += std::to_string(index) + " ||| " + output.text + " ||| " + number(output.score) + "\n";
  return lines;
}

}  // namespace seq2seq
