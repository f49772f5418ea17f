#include "seq2seq/decode/output_formats.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "seq2seq/core/json.h"
#include "seq2seq/text/vocabulary.h"

namespace seq2seq {
namespace {

/// Empty where nothing was found.
std::string score_text(double score) {
  return std::isnan(score) ? "" : fmt::format("{:.4f}", score);
}

/// null where nothing was found.
Json score_json(double score) {
  return std::isnan(score) ? Json() : Json(score);
}

}  // namespace

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
  // A model trained on text with line breaks within lines (JSON) may generate them.
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return text;
}

std::string format_translation(const Translation& translation, int64_t index, int64_t n_best, bool scores) {
  if (n_best == 1) {
    const auto& best = translation.outputs.front();
    return scores ? score_text(best.score) + "\t" + best.text + "\n" : best.text + "\n";
  }
  std::string lines;
  for (const auto& output : translation.outputs)
    lines += fmt::format("{} ||| {} ||| {}\n", index, output.text, score_text(output.score));
  return lines;
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
  Json json{{"line", line},
            {"output", rank},
            {"text", output.text},
            {"score", score_json(output.score)},
            {"log_probability", score_json(output.log_probability)},
            {"source", std::move(source)},
            {"tokens", std::move(tokens)},
            {"token_log_probabilities", output.token_log_probabilities},
            {"alignment", std::move(alignment)}};
  if (!output.missing_texts.empty()) json["missing"] = output.missing_texts;
  return dump_json(json) + "\n";
}

std::string pharaoh_alignment(std::span<const int64_t> source_positions) {
  std::string text;
  for (size_t i = 0; i < source_positions.size(); ++i)
    if (source_positions[i] >= 0)
      text += fmt::format("{}{}-{}", text.empty() ? "" : " ", source_positions[i], i);
  return text;
}

}  // namespace seq2seq
