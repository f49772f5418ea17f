#include "seq2seq/decode/search.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>

#include "seq2seq/core/error.h"
#include "seq2seq/decode/beam.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq {
namespace {

constexpr const char* penalty_names[] = {"none", "average", "wu"};
constexpr const char* coverage_names[] = {"none", "wu", "summary"};
constexpr double least_attention = 1e-10;  // its logarithm is finite

// Selecting the memory copies it, so that sentences leave only when a quarter of the batch can.
constexpr size_t leaving_share = 4;

std::vector<int64_t> to_vector(const Tensor& values) {
  const Tensor plain = values.to(at::kCPU).contiguous();
  return {plain.const_data_ptr<int64_t>(), plain.const_data_ptr<int64_t>() + plain.numel()};
}

/// One batch under way: `sentences_` are the memory's rows, each with `width_` rows of the state.
class BatchSearch {
 public:
  BatchSearch(Scorer& scorer, const SourceBatch& source, const SearchOptions& options)
      : scorer_(scorer), options_(options) {
    const auto lengths = to_vector(source.lengths), ids = to_vector(source.ids);
    for (size_t i = 0; i < lengths.size(); ++i) {
      sentences_.push_back(i);
      beams_.emplace_back(options, lengths[i] - 1);
      const int64_t* sentence = ids.data() + static_cast<int64_t>(i) * source.ids.size(1);
      std::vector<int64_t>& words = words_.emplace_back();
      for (int64_t position = 0; position + 1 < lengths[i]; ++position)
        if (sentence[position] != Vocabulary::begin) words.push_back(position);
    }
    scorer.begin(source);
    state_ = scorer.start();
    tokens_ =
        at::full({state_.count()}, Vocabulary::begin, at::TensorOptions(at::kLong).device(scorer.device()));
  }

  std::vector<std::vector<Hypothesis>> run() {
    do expand();
    while (regroup());
    std::vector<std::vector<Hypothesis>> results;
    for (const Beam& beam : beams_) results.push_back(beam.best());
    return results;
  }

 private:
  void expand();
  bool regroup();
  std::vector<int64_t> banned() const;
  std::vector<int64_t> source_positions(const Tensor& attention) const;
  void cover(const Tensor& attention);
  std::vector<double> coverage_scores() const;

  Scorer& scorer_;
  const SearchOptions& options_;
  std::vector<std::vector<int64_t>> words_;  // positions in each source, without </s> and sentence marks
  std::vector<Beam> beams_;
  std::vector<size_t> sentences_;
  int64_t width_ = 1, step_ = 0;
  State state_;
  Tensor tokens_;
  Tensor covered_;  // [N, S] past attention in double, with a coverage penalty
};

std::vector<int64_t> BatchSearch::banned() const {
  std::vector<int64_t> words{Vocabulary::padding, Vocabulary::begin};
  if (options_.ban_unknown) words.push_back(Vocabulary::unknown);
  if (step_ < options_.min_length) words.push_back(Vocabulary::end);
  return words;
}

std::vector<int64_t> BatchSearch::source_positions(const Tensor& attention) const {
  std::vector<int64_t> positions(sentences_.size() * static_cast<size_t>(width_), -1);
  if (!scorer_.has_attention()) return positions;
  const Tensor weights = attention.to(at::kCPU, at::kFloat).contiguous();  // [N, S]
  const float* row = weights.const_data_ptr<float>();
  for (size_t i = 0; i < positions.size(); ++i, row += weights.size(1)) {
    for (const int64_t word : words_[sentences_[i / static_cast<size_t>(width_)]])
      if (positions[i] < 0 || row[word] > row[positions[i]]) positions[i] = word;
  }
  return positions;
}

void BatchSearch::cover(const Tensor& attention) {
  if (options_.coverage_penalty == CoveragePenalty::none) return;
  const Tensor looked = attention.to(at::kCPU, at::kDouble);
  covered_ = (covered_.defined() ? covered_ + looked : looked).contiguous();
}

std::vector<double> BatchSearch::coverage_scores() const {
  if (!covered_.defined()) return {};
  std::vector<double> scores(sentences_.size() * static_cast<size_t>(width_));
  const double* row = covered_.const_data_ptr<double>();
  for (size_t i = 0; i < scores.size(); ++i, row += covered_.size(1)) {
    std::vector<double> looked;
    for (const int64_t word : words_[sentences_[i / static_cast<size_t>(width_)]])
      looked.push_back(row[word]);
    scores[i] = coverage_score(looked, options_);
  }
  return scores;
}

void BatchSearch::expand() {
  const auto without = banned();
  const int64_t each =
      std::min(options_.beam_size, scorer_.vocabulary_size() - static_cast<int64_t>(without.size()));
  if (each < 1)
    throw Error("vocabulary", "has no word that may be written", "train with a larger vocabulary");
  const Expansion expansion = scorer_.advance(tokens_, state_, each, without);
  const Tensor log_probabilities =
      expansion.best.log_probabilities.to(at::kCPU, at::kDouble).contiguous();                      // [N, k]
  const Tensor ends = expansion.best.end_log_probabilities.to(at::kCPU, at::kDouble).contiguous();  // [N]
  const Tensor words = expansion.best.tokens.to(at::kCPU).contiguous();                             // [N, k]
  const auto positions = source_positions(expansion.attention);
  cover(expansion.attention);
  const auto penalties = coverage_scores();
  for (size_t i = 0; i < sentences_.size(); ++i) {
    Beam& beam = beams_[sentences_[i]];
    const int64_t row = static_cast<int64_t>(i) * width_;
    if (!beam.done())
      beam.advance({each, log_probabilities.const_data_ptr<double>() + row * each,
                    words.const_data_ptr<int64_t>() + row * each, ends.const_data_ptr<double>() + row,
                    positions.data() + row, penalties.empty() ? nullptr : penalties.data() + row});
  }
  ++step_;
}

/// Lines up the live hypotheses for the next step; false when none is left.
bool BatchSearch::regroup() {
  size_t live_sentences = 0, width = 0;
  for (const size_t sentence : sentences_) {
    live_sentences += !beams_[sentence].done();
    width = std::max(width, beams_[sentence].live().size());
  }
  if (live_sentences == 0) return false;
  const size_t finished = sentences_.size() - live_sentences;
  const bool leave = finished > 0 && finished * leaving_share >= sentences_.size();

  std::vector<int64_t> kept, rows, tokens;
  std::vector<size_t> sentences;
  for (size_t i = 0; i < sentences_.size(); ++i) {
    const Beam& beam = beams_[sentences_[i]];
    if (leave && beam.done()) continue;
    kept.push_back(static_cast<int64_t>(i));
    sentences.push_back(sentences_[i]);
    for (size_t slot = 0; slot < width; ++slot) {
      // A sentence with fewer hypotheses fills up with rows that nobody looks at.
      const bool real = slot < beam.live().size();
      rows.push_back(static_cast<int64_t>(i) * width_ + (real ? beam.live()[slot].row : 0));
      tokens.push_back(real ? beam.live()[slot].token : Vocabulary::end);
    }
  }
  const auto on_device = [&](const std::vector<int64_t>& values) {
    return at::tensor(values, at::kLong).to(scorer_.device());
  };
  if (leave) scorer_.keep_sentences(on_device(kept));
  bool in_place = static_cast<int64_t>(rows.size()) == state_.count();
  for (size_t i = 0; in_place && i < rows.size(); ++i) in_place = rows[i] == static_cast<int64_t>(i);
  if (!in_place) {
    state_ = state_.select(on_device(rows));
    if (covered_.defined()) covered_ = covered_.index_select(0, at::tensor(rows, at::kLong));
  }
  tokens_ = on_device(tokens);
  sentences_ = std::move(sentences);
  width_ = static_cast<int64_t>(width);
  return true;
}

}  // namespace

std::span<const char* const> option_names(LengthPenalty) {
  return penalty_names;
}

std::span<const char* const> option_names(CoveragePenalty) {
  return coverage_names;
}

void check(const SearchOptions& options) {
  if (options.n_best > options.beam_size)
    throw UsageError("--n-best", std::to_string(options.n_best) + " is more than the beam size",
                     "give --beam-size " + std::to_string(options.n_best) + " or more");
  if (options.max_length > 0 && options.min_length > options.max_length)
    throw UsageError("--min-length", std::to_string(options.min_length) + " is more than --max-length",
                     "it must be at most " + std::to_string(options.max_length));
  if (options.length_penalty == LengthPenalty::none &&
      options.length_penalty_alpha != SearchOptions{}.length_penalty_alpha)
    throw UsageError("--length-penalty-alpha", "would change nothing", "add --length-penalty average or wu");
  if (options.coverage_penalty == CoveragePenalty::none &&
      (options.stepwise_penalty || options.coverage_penalty_beta != SearchOptions{}.coverage_penalty_beta))
    throw UsageError(options.stepwise_penalty ? "--stepwise-penalty" : "--coverage-penalty-beta",
                     "would change nothing", "add --coverage-penalty wu or summary");
}

double coverage_score(std::span<const double> attention, const SearchOptions& options) {
  double sum = 0;
  for (const double looked : attention)
    sum += options.coverage_penalty == CoveragePenalty::wu
               ? std::log(std::clamp(looked, least_attention, 1.0))
               : 1 - std::max(looked, 1.0);
  return options.coverage_penalty == CoveragePenalty::none ? 0.0 : options.coverage_penalty_beta * sum;
}

double hypothesis_score(double log_probability, int64_t length, const SearchOptions& options) {
  const auto n = static_cast<double>(length);
  switch (options.length_penalty) {
    case LengthPenalty::none:
      return log_probability;
    case LengthPenalty::average:
      return log_probability / std::pow(n, options.length_penalty_alpha);
    case LengthPenalty::wu:
      return log_probability / std::pow((5 + n) / 6, options.length_penalty_alpha);
  }
  return log_probability;
}

std::vector<std::vector<Hypothesis>> search(Scorer& scorer, const SourceBatch& source,
                                            const SearchOptions& options) {
  const c10::InferenceMode no_gradients;
  return BatchSearch(scorer, source, options).run();
}

}  // namespace seq2seq
