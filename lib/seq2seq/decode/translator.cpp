#include "seq2seq/decode/translator.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <exception>
#include <mutex>
#include <thread>

#include "seq2seq/core/log.h"
#include "seq2seq/data/batch.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq {
namespace {

constexpr size_t batches_ahead = 64;

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", value);
  return text;
}

}  // namespace

Translator::Translator(TextCodecs text, int64_t maximum_length, std::vector<std::unique_ptr<Scorer>> scorers,
                       const TranslatorOptions& options)
    : text_(std::move(text)),
      maximum_length_(maximum_length),
      scorers_(std::move(scorers)),
      options_(options) {
  check(options.search);
  TORCH_CHECK(!scorers_.empty(), "a translator needs a scorer");
}

size_t Translator::window() const {
  return batches_ahead * static_cast<size_t>(options_.batch_size);
}

/// Without ids when there is nothing to decode.
NumberedSource Translator::numbered(const SourceLine& line) {
  ++counts_.lines;
  if (!line.problem.empty()) {
    ++counts_.bad_lines;
    log_warning(line.problem + " (its output line is empty)");
    return {};
  }
  NumberedSource source =
      number_source(*text_.source, line.text, line.sentences, text_.form, maximum_length_);
  if (source.whole_length > maximum_length_ && counts_.cut_lines++ == 0)
    log_warning(line.place + ": cut from " + format_count(source.whole_length) + " to " +
                format_count(maximum_length_) + " tokens, as all longer lines will be; split such lines");
  return source;
}

std::vector<Translation> Translator::translate(std::span<const SourceLine> lines) {
  std::vector<Translation> results(lines.size());
  std::vector<Translation*> sentences;
  for (size_t i = 0; i < lines.size(); ++i) {
    results[i].source = numbered(lines[i]);
    if (!results[i].source.ids.empty()) sentences.push_back(&results[i]);
  }
  // Longest first, so that the workers end at about the same time.
  std::stable_sort(sentences.begin(), sentences.end(), [](const Translation* a, const Translation* b) {
    return a->source.ids.size() > b->source.ids.size();
  });
  decode(sentences);
  for (Translation& result : results) {
    if (result.outputs.empty()) result.outputs.emplace_back();
    counts_.output_tokens += std::ssize(result.outputs.front().tokens);
  }
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
  if (workers <= 1) {
    work(*scorers_.front());
  } else {
    const int all_threads = at::get_num_threads();
    {
      std::vector<std::jthread> threads;
      for (size_t i = 0; i < workers; ++i)
        threads.emplace_back([&, i] {
          at::set_num_threads(std::max(1, all_threads / static_cast<int>(workers)));
          work(*scorers_[i]);
        });
    }
    at::set_num_threads(all_threads);  // the workers' setting is partly global
  }
  if (failure) std::rethrow_exception(failure);
}

void Translator::decode_batch(Scorer& scorer, std::span<Translation* const> batch) const {
  std::vector<Example> examples;
  for (const Translation* sentence : batch) examples.push_back({examples.size(), sentence->source.ids, {}});
  const auto found = search(scorer, to_tensors(make_batch(examples)).source, options_.search);
  const UnknownWords unknown = options_.replace_unknown ? UnknownWords::replace : UnknownWords::keep;
  for (size_t i = 0; i < batch.size(); ++i)
    for (const Hypothesis& hypothesis : found[i])
      batch[i]->outputs.push_back({written(hypothesis, *text_.target, batch[i]->source.tokens, unknown),
                                   hypothesis.score, hypothesis.tokens});
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

Translator make_translator(const TranslationModel& model, const TranslatorOptions& options, int64_t workers) {
  if (workers == 0) workers = model.model->device().is_cpu() ? at::get_num_threads() : 1;
  std::vector<std::unique_ptr<Scorer>> scorers;
  for (int64_t i = 0; i < workers; ++i) scorers.push_back(std::make_unique<ModelScorer>(model.model));
  return Translator(model.text, model.maximum_length, std::move(scorers), options);
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
