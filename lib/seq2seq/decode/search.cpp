#include "seq2seq/decode/search.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "seq2seq/core/error.h"
#include "seq2seq/decode/beam.h"
#include "seq2seq/decode/steering.h"
#include "seq2seq/decode/target_scores.h"
#include "seq2seq/nn/engine/part_clock.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq {
namespace {

constexpr const char* penalty_names[] = {"none", "average", "wu"};
constexpr const char* stopping_names[] = {"patience", "first", "exhaustive"};
constexpr const char* coverage_names[] = {"none", "wu", "summary"};
constexpr double least_attention = 1e-10;  // its logarithm is finite

// Where selecting rows copies the memory, finished sentences are removed once they are a quarter of the batch.
constexpr size_t leaving_share = 4;

std::vector<int64_t> ids_of(const Tensor& values) {
  const Tensor plain = values.to(at::kCPU).contiguous();
  return {plain.const_data_ptr<int64_t>(), plain.const_data_ptr<int64_t>() + plain.numel()};
}

Candidates on_cpu(const Candidates& best) {
  const auto moved = [](const Tensor& x) {
    return x.defined() ? x.to(at::kCPU, at::kDouble).contiguous() : Tensor();
  };
  return {moved(best.log_probabilities), best.tokens.to(at::kCPU).contiguous(),
          moved(best.end_log_probabilities), moved(best.adjusted), moved(best.likeliest)};
}

bool holds_nan(std::span<const double> values) {
  return std::any_of(values.begin(), values.end(), [](double value) { return std::isnan(value); });
}

using OfferedTokens = std::vector<std::vector<Candidate>>;  // of each live hypothesis of a sentence

void advance(Beam& beam, const OfferedTokens& offered, const double* ends, const int64_t* positions,
             const double* penalties) {
  size_t each = 1;
  for (const auto& row : offered) each = std::max(each, row.size());
  std::vector<double> log_probabilities(offered.size() * each, -std::numeric_limits<double>::infinity()),
      adjustments(offered.size() * each, 0.0);
  std::vector<int64_t> tokens(offered.size() * each, Vocabulary::padding);
  for (size_t slot = 0; slot < offered.size(); ++slot)
    for (size_t j = 0; j < offered[slot].size(); ++j) {
      tokens[slot * each + j] = offered[slot][j].token;
      log_probabilities[slot * each + j] = offered[slot][j].log_probability;
      adjustments[slot * each + j] = offered[slot][j].adjustment;
    }
  beam.advance({static_cast<int64_t>(each), log_probabilities.data(), tokens.data(), ends, positions,
                penalties, adjustments.data()});
}

/// The search of one batch: `sentences_` are the rows of the memory, each has `width_` rows of the state.
class BatchSearch {
 public:
  BatchSearch(Scorer& scorer, const SourceBatch& source, const SearchOptions& options,
              const OutputRules& rules, std::span<const SentenceRules> sentence_rules)
      : scorer_(scorer),
        options_(options),
        rules_(rules),
        sentence_rules_(sentence_rules),
        steered_(Steering::needed(options, rules, sentence_rules)) {
    const auto lengths = ids_of(source.lengths);
    phrases_.reserve(steered_ ? lengths.size() : 0);  // beams point to them
    for (size_t i = 0; i < lengths.size(); ++i) {
      sentences_.push_back(i);
      beams_.emplace_back(options, lengths[i] - 1, steered_ ? &add_phrases(i) : nullptr,
                          steered_ && rises(output_rules(i)));
    }
    could_write_.assign(steered_ ? lengths.size() : 0, false);
    words_ = word_positions(source);
    scorer.begin_with(source, demanded_);
    state_ = scorer.start();
    tokens_ =
        at::full({state_.count()}, Vocabulary::begin, at::TensorOptions(at::kLong).device(scorer.device()));
  }

  std::vector<SentenceOutputs> run() {
    do expand();
    while (regroup());
    std::vector<SentenceOutputs> results;
    for (size_t i = 0; i < beams_.size(); ++i) {
      results.push_back(beams_[i].best());
      if (results.back().empty() && results.back().why == NoOutput::none)
        results.back().why = why_without_output(i);
    }
    return results;
  }

 private:
  void expand();
  void expand_by_likelihood();
  void expand_by_rules();
  OfferedTokens selected(size_t i, const Candidates& best, const std::vector<int64_t>& positions);
  void expand_by_draws();
  OfferedTokens drawn(size_t i, std::span<const double> rows, const std::vector<int64_t>& positions);
  void adjust();
  Steering::PartialHypothesis partial(size_t sentence, size_t slot) const;
  bool regroup();
  const SentenceRules* rules_of(size_t sentence) const {
    return sentence_rules_.empty() ? nullptr : &sentence_rules_[sentence];
  }
  const OutputRules& output_rules(size_t sentence) const {
    const SentenceRules* own = rules_of(sentence);
    return own != nullptr && own->output != nullptr ? *own->output : rules_;
  }
  static bool rises(const OutputRules& rules) {
    return std::any_of(rules.biased.begin(), rules.biased.end(), [](auto& one) { return one.second > 0; });
  }
  const SentencePhrases& add_phrases(size_t sentence);
  static std::vector<int64_t> demanded_by(const SentencePhrases& phrases, const OutputRules& output);
  NoOutput why_without_output(size_t sentence) const;
  bool fail_if_wrong(Beam& beam, int64_t first_row) const;
  std::vector<int64_t> banned() const;
  std::vector<int64_t> source_positions(const Tensor& attention) const;
  void cover(const Tensor& attention);
  std::vector<double> coverage_scores() const;

  Scorer& scorer_;
  const SearchOptions& options_;
  const OutputRules& rules_;
  std::span<const SentenceRules> sentence_rules_;
  bool steered_;
  // With rules: by those of the outputs; by sentence, also whether the model would have let a word follow at last.
  std::map<const OutputRules*, Steering> steerings_;
  std::vector<const Steering*> steering_;
  std::vector<SentencePhrases> phrases_;
  std::vector<bool> could_write_;
  std::vector<std::vector<int64_t>> demanded_;  // tokens that outputs must be able to hold
  // By rows of the state, those of the current step.
  std::vector<Steering::PartialHypothesis> partial_;
  AdjustmentRows adjustments_;
  std::vector<std::vector<int64_t>> words_;  // positions in each source, without </s> and <s>
  std::vector<Beam> beams_;
  std::vector<size_t> sentences_;
  int64_t width_ = 1, step_ = 0;
  State state_;
  Tensor tokens_;
  Tensor covered_;  // [N, S] float64, sum of past attention; only with a coverage penalty
};

const SentencePhrases& BatchSearch::add_phrases(size_t sentence) {
  const PartScope timed(Part::rules);
  const SentenceRules* own = rules_of(sentence);
  const OutputRules& output = output_rules(sentence);
  const Steering& steering = steerings_.try_emplace(&output, options_, output).first->second;
  steering_.push_back(&steering);
  phrases_.push_back({&steering.phrases(), PhraseSet(own == nullptr ? std::vector<Phrase>{} : own->required),
                      own == nullptr ? Phrase() : own->prefix, output.unknown_is_replaced});
  demanded_.push_back(demanded_by(phrases_.back(), output));
  return phrases_.back();
}

std::vector<int64_t> BatchSearch::demanded_by(const SentencePhrases& phrases, const OutputRules& output) {
  std::vector<int64_t> demanded;
  const auto add = [&](const Phrase& phrase) {
    const auto tokens = phrase.usual_tokens();
    demanded.insert(demanded.end(), tokens.begin(), tokens.end());
  };
  add(phrases.prefix);
  for (size_t i = 0; i < phrases.required.size(); ++i) add(phrases.required[i]);
  for (const auto& [phrase, bias] : output.biased)
    if (bias > 0) add(phrase);
  return demanded;
}

NoOutput BatchSearch::why_without_output(size_t sentence) const {
  if (beams_[sentence].closed()) return NoOutput::endless;
  const bool restricted = steered_ ? could_write_[sentence] : options_.ban_unknown || options_.min_length > 0;
  return restricted ? NoOutput::rules : NoOutput::zeros;
}

/// Whether the probabilities of the last step are no distribution for a hypothesis of this beam.
bool BatchSearch::fail_if_wrong(Beam& beam, int64_t first_row) const {
  if (scorer_.sums().empty()) return false;
  for (const double sum : scorer_.sums().subspan(static_cast<size_t>(first_row), beam.live().size())) {
    if (std::abs(sum - 1) <= renormalized_within) continue;
    beam.fail(std::isnan(sum) ? NoOutput::not_numbers : NoOutput::not_distribution);
    return true;
  }
  return false;
}

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
  for (size_t i = 0; i < positions.size(); ++i, row += weights.size(1))
    positions[i] = most_attended(std::span(row, static_cast<size_t>(weights.size(1))),
                                 words_[sentences_[i / static_cast<size_t>(width_)]]);
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
  if (steered_) adjust();
  if (steered_ && options_.sample)
    expand_by_draws();
  else if (steered_)
    expand_by_rules();
  else
    expand_by_likelihood();
  ++step_;
}

Steering::PartialHypothesis BatchSearch::partial(size_t sentence, size_t slot) const {
  const Beam& beam = beams_[sentence];
  const Beam::Live& live = beam.live()[slot];
  const Standing& standing = beam.standing(live);
  return {.length = step_,
          .wanted = beam.wanted(live),
          .begun = &standing.output,
          .rules = rules_of(sentence),
          .in_prefix = standing.prefix,
          .may_end = step_ >= beam.minimum_length(),
          .slot = static_cast<int64_t>(slot)};
}

/// Lists what rules do to the next token of each live hypothesis.
void BatchSearch::adjust() {
  const PartScope timed(Part::rules);
  partial_.clear();
  adjustments_.clear();
  std::vector<int64_t> newest_first;
  for (const size_t sentence : sentences_)
    for (size_t slot = 0; slot < static_cast<size_t>(width_); ++slot) {
      const auto& live = beams_[sentence].live();
      partial_.push_back(slot < live.size() ? partial(sentence, slot) : Steering::PartialHypothesis{});
      if (slot < live.size()) {
        beams_[sentence].read_history(live[slot], newest_first);
        steering_[sentence]->adjust(partial_.back(), newest_first, adjustments_);
      }
      adjustments_.end_row();
    }
}

/// Uses the full distribution of each hypothesis, which is slower.
void BatchSearch::expand_by_draws() {
  const Distribution next = scorer_.distribution(tokens_, state_);
  const Tensor all = next.log_probabilities.to(at::kCPU, at::kDouble).contiguous();  // [N, W]
  const Tensor ends = all.select(1, Vocabulary::end).contiguous();
  const auto positions = source_positions(next.attention);
  cover(next.attention);
  const auto penalties = coverage_scores();
  for (size_t i = 0; i < sentences_.size(); ++i) {
    Beam& beam = beams_[sentences_[i]];
    const int64_t first = static_cast<int64_t>(i) * width_;
    if (beam.done() || fail_if_wrong(beam, first)) continue;
    const std::span rows(all.const_data_ptr<double>() + first * all.size(1),
                         beam.live().size() * static_cast<size_t>(all.size(1)));
    if (holds_nan(rows))
      beam.fail(NoOutput::not_numbers);
    else
      advance(beam, drawn(i, rows, positions), ends.const_data_ptr<double>() + first,
              positions.data() + first, penalties.empty() ? nullptr : penalties.data() + first);
  }
}

/// `rows`: the log-probabilities of each live hypothesis of sentence `i` of the batch.
OfferedTokens BatchSearch::drawn(size_t i, std::span<const double> rows,
                                 const std::vector<int64_t>& positions) {
  const PartScope timed(Part::rules);
  const size_t sentence = sentences_[i], first = i * static_cast<size_t>(width_);
  const size_t live = beams_[sentence].live().size(), words = rows.size() / live;
  // The first step draws `beam_size` tokens; later, each hypothesis draws one.
  const int64_t count = step_ > 0 ? 1 : options_.beam_size;
  OfferedTokens offered;
  could_write_[sentence] = false;
  for (size_t slot = 0; slot < live; ++slot) {
    const std::span row = rows.subspan(slot * words, words);
    for (size_t word = 0; word < words && !could_write_[sentence]; ++word)
      could_write_[sentence] =
          std::isfinite(row[word]) && word != Vocabulary::padding && word != Vocabulary::begin;
    offered.push_back(steering_[sentence]->drawn(partial_[first + slot], row,
                                                 adjustments_.collected().of(first + slot),
                                                 positions[first + slot], count));
  }
  return offered;
}

/// Uses the candidates that the scorer selects by score.
void BatchSearch::expand_by_rules() {
  const std::vector<int64_t> never{Vocabulary::padding, Vocabulary::begin};
  const bool heeds_replaced =
      std::any_of(steering_.begin(), steering_.end(), [](auto* one) { return one->heeds_replaced(); });
  const int64_t each = std::min(options_.beam_size + (heeds_replaced ? 1 : 0),
                                scorer_.vocabulary_size() - static_cast<int64_t>(never.size()));
  const Expansion expansion = scorer_.expand(tokens_, state_, each, never, adjustments_.collected());
  const Candidates best = on_cpu(expansion.best);
  const auto positions = source_positions(expansion.attention);
  cover(expansion.attention);
  const auto penalties = coverage_scores();
  for (size_t i = 0; i < sentences_.size(); ++i) {
    Beam& beam = beams_[sentences_[i]];
    const int64_t first = static_cast<int64_t>(i) * width_;
    if (beam.done() || fail_if_wrong(beam, first)) continue;
    const size_t live = beam.live().size();
    const std::span ends(best.end_log_probabilities.const_data_ptr<double>() + first, live);
    const std::span found(best.log_probabilities.const_data_ptr<double>() + first * each,
                          live * static_cast<size_t>(each));
    if (holds_nan(ends) || holds_nan(found))
      beam.fail(NoOutput::not_numbers);
    else
      advance(beam, selected(i, best, positions), ends.data(), positions.data() + first,
              penalties.empty() ? nullptr : penalties.data() + first);
  }
}

/// The candidates of each live hypothesis of sentence `i` of the batch.
OfferedTokens BatchSearch::selected(size_t i, const Candidates& best, const std::vector<int64_t>& positions) {
  const PartScope timed(Part::rules);
  const size_t sentence = sentences_[i], first = i * static_cast<size_t>(width_);
  const auto each = static_cast<size_t>(best.tokens.size(1));
  const Adjustments& adjustments = adjustments_.collected();
  const double* likeliest = best.likeliest.const_data_ptr<double>();
  OfferedTokens offered;
  could_write_[sentence] = false;
  for (size_t row = first; row < first + beams_[sentence].live().size(); ++row) {
    could_write_[sentence] = could_write_[sentence] || std::isfinite(likeliest[row]);
    const auto own = adjustments.of(row);
    const Steering::Found found{
        .tokens = {best.tokens.const_data_ptr<int64_t>() + row * each, each},
        .log_probabilities = {best.log_probabilities.const_data_ptr<double>() + row * each, each},
        .adjustments = own,
        .adjusted = {best.adjusted.const_data_ptr<double>() + adjustments.begins[row], own.size()}};
    offered.push_back(steering_[sentence]->candidates(partial_[row], found, positions[row]));
  }
  return offered;
}

/// Uses the candidates that the scorer selects.
void BatchSearch::expand_by_likelihood() {
  const auto without = banned();
  const int64_t each =
      std::min(options_.beam_size, scorer_.vocabulary_size() - static_cast<int64_t>(without.size()));
  if (each < 1)
    throw Error("vocabulary", "has no word that may be written", "train with a larger vocabulary");
  const Expansion expansion = scorer_.expand(tokens_, state_, each, without, {});
  const Candidates best = on_cpu(expansion.best);
  const auto positions = source_positions(expansion.attention);
  cover(expansion.attention);
  const auto penalties = coverage_scores();
  for (size_t i = 0; i < sentences_.size(); ++i) {
    Beam& beam = beams_[sentences_[i]];
    const int64_t row = static_cast<int64_t>(i) * width_;
    if (!beam.done() && !fail_if_wrong(beam, row))
      beam.advance({each, best.log_probabilities.const_data_ptr<double>() + row * each,
                    best.tokens.const_data_ptr<int64_t>() + row * each,
                    best.end_log_probabilities.const_data_ptr<double>() + row, positions.data() + row,
                    penalties.empty() ? nullptr : penalties.data() + row});
  }
}

/// Selects the rows of the live hypotheses for the next step; returns false if there are none.
bool BatchSearch::regroup() {
  size_t live_sentences = 0, width = 0;
  for (const size_t sentence : sentences_) {
    live_sentences += !beams_[sentence].done();
    width = std::max(width, beams_[sentence].live().size());
  }
  if (live_sentences == 0) return false;
  const size_t finished = sentences_.size() - live_sentences;
  const bool leave =
      finished > 0 && (scorer_.keeps_cheaply() || finished * leaving_share >= sentences_.size());

  std::vector<int64_t> kept, rows, tokens;
  std::vector<size_t> sentences;
  for (size_t i = 0; i < sentences_.size(); ++i) {
    const Beam& beam = beams_[sentences_[i]];
    if (leave && beam.done()) continue;
    kept.push_back(static_cast<int64_t>(i));
    sentences.push_back(sentences_[i]);
    for (size_t slot = 0; slot < width; ++slot) {
      // A sentence with fewer hypotheses is padded with rows that are ignored.
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
    const PartScope timed(Part::framework);
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

std::span<const char* const> option_names(Stopping) {
  return stopping_names;
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
  if (options.beam_size % options.beam_groups != 0)
    throw UsageError("--beam-groups", std::to_string(options.beam_groups) + " does not divide the beam size",
                     "give a --beam-size that is a multiple of it");
  if (options.sample && options.beam_groups > 1)
    throw UsageError("--beam-groups", "has no meaning for drawn outputs", "leave it or --sample out");
  if (options.max_length_ratio > 0 && options.min_length_ratio > options.max_length_ratio)
    throw UsageError("--min-length-ratio", "is more than --max-length-ratio", "lower it");
  check_conditions(options);
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

std::vector<SentenceOutputs> search(Scorer& scorer, const SourceBatch& source, const SearchOptions& options,
                                    const OutputRules& rules, std::span<const SentenceRules> sentence_rules) {
  const c10::InferenceMode no_gradients;
  TORCH_CHECK(sentence_rules.empty() || std::ssize(sentence_rules) == source.ids.size(0),
              "rules for every sentence, or for none");
  return BatchSearch(scorer, source, options, rules, sentence_rules).run();
}

}  // namespace seq2seq
