#include "seq2seq/decode/explanation.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <cmath>
#include <span>

#include "seq2seq/core/json.h"
#include "seq2seq/decode/target_scores.h"
#include "seq2seq/nn/ops/copy.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq {
namespace {

std::vector<double> numbers_of(const Tensor& values) {
  const Tensor plain = values.to(at::kCPU, at::kDouble).contiguous();
  return {plain.const_data_ptr<double>(), plain.const_data_ptr<double>() + plain.numel()};
}

Json rounded(double value) {
  return std::round(value * 1e4) / 1e4;
}

Json rounded(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double value : values) list.push_back(rounded(value));
  return list;
}

}  // namespace

Explanation explain(const TranslationModel& model, const NumberedSource& source,
                    const Translation::Output& output) {
  const c10::InferenceMode no_gradients;
  Seq2Seq network = model.model;
  TORCH_CHECK(network->has_attention(), "only attention can be explained");
  const Vocabulary& vocabulary = model.text.target->vocabulary();
  const Example example{0, source.ids, output.tokens};
  const TensorBatch batch = to_tensors(make_batch(std::span(&example, 1)), network->device());
  const Memory memory = network->encode(batch.source);
  const StepSequence steps = network->decode(memory, batch.target_input);
  const Tensor words = network->output()->log_probabilities(steps.features[0]).exp();  // [T, V]
  const Tensor known = batch.target_output[0].clamp_max(vocabulary.size() - 1);
  const auto likely = numbers_of(words.gather(1, known.unsqueeze(1)));
  Tensor copied, generated, gate;
  std::vector<double> slots;
  if (steps.copy_gate.defined()) {
    const CopyShares shares = copy_shares(steps, memory);
    copied = copied_probability(shares.copied, memory.copy_slots(), batch.target_output)[0];  // [T]
    generated = shares.generated[0].squeeze(1);
    gate = steps.copy_gate[0].select(1, 0).sigmoid();
    slots = numbers_of(memory.copy_slots()[0]);
  }

  Explanation result;
  for (size_t i = 0; i < source.tokens.size(); ++i)
    result.source.push_back(source.ids[i] == Vocabulary::begin ? "<s>" : source.tokens[i].surface);
  result.source.emplace_back("</s>");
  std::vector<double> coverage(result.source.size(), 0.0);
  const auto length = static_cast<int64_t>(output.tokens.size()) + 1;
  for (int64_t t = 0; t < length; ++t) {
    const int64_t id = t + 1 < length ? output.tokens[static_cast<size_t>(t)] : Vocabulary::end;
    Explanation::Token token;
    token.attention = numbers_of(steps.attention[0][t]);
    token.coverage = coverage;
    const double from_vocabulary = id < vocabulary.size() ? likely[static_cast<size_t>(t)] : 0.0;
    double copying = 0, share = 1;
    token.generation = 1;
    if (copied.defined()) {
      copying = copied[t].item<double>();
      share = generated[t].item<double>();
      token.generation = gate[t].item<double>();
    }
    token.copied = copying > share * from_vocabulary;
    token.probability = copying + share * from_vocabulary;
    // The position that a copied token was taken from, else the most attended one.
    std::vector<int64_t> eligible;
    for (size_t at = 0; at < source.tokens.size(); ++at)
      if (token.copied ? slots[at] == static_cast<double>(id) : source.ids[at] != Vocabulary::begin)
        eligible.push_back(static_cast<int64_t>(at));
    token.source_position = most_attended(std::span<const double>(token.attention), eligible);
    const bool unknown = id >= vocabulary.size();
    token.text =
        unknown ? result.source.at(static_cast<size_t>(id - vocabulary.size())) : vocabulary.token(id);
    for (size_t i = 0; i < coverage.size(); ++i) coverage[i] += token.attention[i];
    result.tokens.push_back(std::move(token));
  }
  return result;
}

std::string explanation_json(const Explanation& explanation, const Translation::Output& output, int64_t line,
                             int64_t rank) {
  Json tokens = Json::array();
  for (const auto& token : explanation.tokens)
    tokens.push_back({{"token", token.text},
                      {"copied", token.copied},
                      {"source_position", token.source_position},
                      {"probability", token.probability},
                      {"p_gen", rounded(token.generation)},
                      {"attention", rounded(token.attention)},
                      {"coverage", rounded(token.coverage)}});
  return dump_json({{"line", line},
                    {"output", rank},
                    {"text", output.text},
                    {"score", rounded(output.score)},
                    {"source", explanation.source},
                    {"tokens", std::move(tokens)}}) +
         "\n";
}

}  // namespace seq2seq
