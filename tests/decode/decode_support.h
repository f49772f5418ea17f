#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "seq2seq/decode/scorer.h"
#include "seq2seq/decode/source_lines.h"
#include "seq2seq/decode/translation.h"
#include "seq2seq/model/text_options.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq {

using Words = std::vector<int64_t>;

inline SourceBatch source_batch(const std::vector<Words>& sentences) {
  std::vector<Example> examples;
  for (const Words& sentence : sentences) examples.push_back({0, sentence, {}});
  return to_tensors(make_batch(examples)).source;
}

/// A model defined by a table: log-probabilities of the next token given the first source token and the
/// tokens generated so far. Tokens without an entry have probability 0. All attention is on the source
/// position that `looks_at` returns.
class TableScorer : public Scorer {
 public:
  using Table = std::function<std::map<int64_t, double>(int64_t first_source_word, const Words& prefix)>;
  TableScorer(int64_t vocabulary, Table table, std::function<int64_t(const Words&)> looks_at = {})
      : vocabulary_(vocabulary), table_(std::move(table)), looks_at_(std::move(looks_at)) {}

  void begin(const SourceBatch& source) override {
    ++batches;
    ids_ = source.ids;
  }
  // A state row: the number of tokens generated, then the tokens.
  State start() override { return State({at::zeros({ids_.size(0), 1 + longest}, at::kLong)}); }
  Distribution distribution(const Tensor& tokens, State& state) override {
    const Tensor rows = state.tensors[0].clone();
    const Tensor scores =
        at::full({rows.size(0), vocabulary_}, -std::numeric_limits<double>::infinity(), at::kDouble);
    const Tensor attention = at::zeros({rows.size(0), ids_.size(1)}, at::kDouble);
    for (int64_t n = 0; n < rows.size(0); ++n) {
      int64_t* row = rows[n].mutable_data_ptr<int64_t>();
      if (const auto token = tokens[n].item<int64_t>(); token != Vocabulary::begin) row[++row[0]] = token;
      const Words prefix(row + 1, row + 1 + row[0]);
      const auto first = ids_[n * ids_.size(0) / rows.size(0)][0].item<int64_t>();
      for (const auto& [word, value] : table_(first, prefix)) scores[n][word] = value;
      if (looks_at_) attention[n][std::min(looks_at_(prefix), ids_.size(1) - 1)] = 1.0;
    }
    state = State({rows});
    return {scores, attention};
  }
  // The probabilities of a table need not sum to 1.
  Expansion expand(const Tensor& tokens, State& state, int64_t k, const std::vector<int64_t>& banned,
                   const Adjustments& adjustments) override {
    constexpr double impossible = -std::numeric_limits<double>::infinity();
    const auto [scores, attention] = distribution(tokens, state);
    const Tensor ends = scores.select(1, Vocabulary::end).clone();
    for (const int64_t word : banned) scores.select(1, word).fill_(impossible);
    if (adjustments.empty()) {
      const auto [values, words] = scores.topk(k, 1);
      return {{values, words, ends, {}, {}}, attention};
    }
    const Tensor plain = scores.clone();
    std::vector<double> adjusted;
    for (int64_t row = 0; row < scores.size(0); ++row)
      for (const Adjustment& one : adjustments.of(static_cast<size_t>(row))) {
        adjusted.push_back(plain[row][one.index].item<double>());
        if (adjusted.back() != impossible)
          scores[row][one.index] = adjusted.back() * (1 + one.factor) + one.added;
      }
    const auto [values, words] = scores.sort(/*stable=*/true, /*dim=*/1, /*descending=*/true);
    const Tensor best = words.narrow(1, 0, k);
    return {{plain.gather(1, best).masked_fill(values.narrow(1, 0, k).eq(impossible), impossible), best, ends,
             at::tensor(adjusted, at::kDouble), plain.amax(1)},
            attention};
  }
  void keep_sentences(const Tensor& rows) override { ids_ = ids_.index_select(0, rows); }
  int64_t vocabulary_size() const override { return vocabulary_; }
  bool has_attention() const override { return static_cast<bool>(looks_at_); }
  at::Device device() const override { return at::kCPU; }

  int batches = 0;  ///< number of calls of `begin`

 private:
  static constexpr int64_t longest = 64;
  int64_t vocabulary_;
  Table table_;
  std::function<int64_t(const Words&)> looks_at_;
  Tensor ids_;
};

/// Ids: a 4, b 5, c 6, d 7.
inline TextCodecs letters() {
  const auto codec = std::make_shared<const TextCodec>(WordTokenizerOptions{}, NormalizationOptions{}, "",
                                                       Vocabulary({"a", "b", "c", "d"}));
  return {codec, codec, {}};
}

/// Generates the first source token twice (<unk> if unknown), attending to the source positions in turn.
template <class Echo = TableScorer>
std::unique_ptr<Echo> echo_scorer() {
  return std::make_unique<Echo>(
      8,
      [](int64_t first, const Words& prefix) -> std::map<int64_t, double> {
        return prefix.size() < 2 ? std::map<int64_t, double>{{first, -0.5}, {7, -3.0}}
                                 : std::map<int64_t, double>{{Vocabulary::end, -0.25}, {7, -3.0}};
      },
      [](const Words& prefix) { return static_cast<int64_t>(prefix.size()); });
}

template <class One>
std::vector<std::unique_ptr<Scorer>> list_of(std::unique_ptr<One> scorer) {
  std::vector<std::unique_ptr<Scorer>> list;
  list.push_back(std::move(scorer));
  return list;
}

inline std::vector<std::unique_ptr<Scorer>> echo_scorers(int count) {
  std::vector<std::unique_ptr<Scorer>> list;
  for (int i = 0; i < count; ++i) list.push_back(echo_scorer());
  return list;
}

inline std::vector<SourceLine> lines_of(const std::vector<std::string>& texts) {
  std::vector<SourceLine> lines;
  for (const auto& text : texts) lines.push_back({text, {}, "in:" + std::to_string(lines.size() + 1), {}});
  return lines;
}

inline std::vector<std::string> best_texts(const std::vector<Translation>& translations) {
  std::vector<std::string> texts;
  for (const auto& translation : translations) texts.push_back(translation.outputs.front().text);
  return texts;
}

}  // namespace seq2seq
