#include "seq2seq/data/unknown_tokens.h"

#include <algorithm>
#include <cstdio>

#include "seq2seq/core/log.h"

namespace seq2seq {
namespace {

constexpr uint64_t pairs_counted = 10'000;

/// Whether a token has text of its own: most tokenizers make tokens of spaces alone, which every vocabulary
/// knows, so that they would hide what is unknown.
bool has_text(const Token& token) {
  constexpr std::string_view space = "\u2581";
  std::string_view rest = token.text;
  while (rest.starts_with(space)) rest.remove_prefix(space.size());
  return !rest.empty();
}

void count_side(UnknownTokens& side, const std::vector<Token>& tokens, const std::vector<int64_t>& ids) {
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (!has_text(tokens[i])) continue;
    ++side.tokens;
    if (ids[i] != Vocabulary::unknown) continue;
    ++side.unknown;
    const auto end = side.examples.end();
    if (side.examples.size() < 3 && std::find(side.examples.begin(), end, tokens[i].text) == end)
      side.examples.push_back(tokens[i].text);
  }
}

}  // namespace

std::string UnknownTokens::describe(const std::string& side) const {
  char percent[32];
  std::snprintf(percent, sizeof percent, "%.1f%%", 100 * share());
  std::string text = std::string(percent) + " of the " + side + "'s tokens become <unk> in the first " +
                     format_count(static_cast<int64_t>(pairs)) + " pairs";
  for (size_t i = 0; i < examples.size(); ++i) text += (i == 0 ? ", such as '" : ", '") + examples[i] + "'";
  return text;
}

std::array<UnknownTokens, 2> count_unknown_tokens(const Corpus& corpus, const TextCodec& source,
                                                  const TextCodec& target, const TextForm& form) {
  std::array<UnknownTokens, 2> sides;
  const uint64_t pairs = std::min(corpus.size(), pairs_counted);
  for (UnknownTokens& side : sides) side.pairs = pairs;
  for (uint64_t index = 0; index < pairs; ++index) {
    const RawExample raw = corpus.at(index);
    const NumberedSource numbered = number_source(source, raw.source, raw.source_sentences, form);
    count_side(sides[0], numbered.tokens, numbered.ids);
    const std::vector<Token> tokens = target_tokens(target, raw.target);
    count_side(sides[1], tokens, number_target(target, tokens, numbered, form));
  }
  return sides;
}

}  // namespace seq2seq
