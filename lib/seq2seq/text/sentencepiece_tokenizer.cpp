#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <algorithm>
#include <cctype>
#include <unordered_map>
#include <utility>

#include "seq2seq/core/error.h"
#include "seq2seq/text/sentencepiece_model.h"
#include "seq2seq/text/token_escape.h"
#include "seq2seq/text/tokenizers.h"
#include "seq2seq/text/utf8.h"
#include "seq2seq/text/vocabulary.h"
#include "seq2seq/text/word_sample.h"

namespace seq2seq {
namespace {

namespace sp = sentencepiece;

// Word occurrences that a model is trained on, the larger of both: more cost memory and time but hardly
// change the model.
constexpr int64_t minimum_sample = 1'000'000, sample_per_piece = 125;

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(from, at), text.size());
    result += text.substr(at, end - at);
    if (end < text.size()) result += to;
    at = end + from.size();
  }
  return result;
}

std::unique_ptr<sp::SentencePieceProcessor> load_model(const std::string& model, const std::string& origin) {
  check_sentencepiece_model(model, origin);
  auto processor = std::make_unique<sp::SentencePieceProcessor>();
  bool loaded = false;
  try {
    loaded = processor->LoadFromSerializedProto(model).ok();
  } catch (const std::exception&) {  // of its trie
  }
  if (!loaded)
    throw Error(origin, "not a SentencePiece model", "make one with 'seq2seq vocab --type sentencepiece'");
  return processor;
}

// The byte of a byte-fallback piece: E2 of "<0xE2>".
char byte_of_piece(const std::string& piece) {
  return static_cast<char>(std::stoi(piece.substr(3, 2), nullptr, 16));
}

std::string replace_invalid_utf8(std::string text) {
  size_t from = 0;
  while (const auto invalid = find_invalid_utf8(std::string_view(text).substr(from))) {
    text.replace(from + *invalid, 1, "\uFFFD");
    from += *invalid + 3;
  }
  return text;
}

class SentencePieceTokenizer : public Tokenizer {
 public:
  SentencePieceTokenizer(std::string model, const std::string& origin,
                         const NormalizationOptions& normalization)
      : processor_(load_model(model, origin)), model_(std::move(model)), normalization_(normalization) {
    // SentencePiece does not expose whether a model adds a space before or after a line: try it.
    const std::vector<std::string> pieces = processor_->EncodeAsPieces("a");
    adds_prefix_ = !pieces.empty() && pieces.front().starts_with(space_mark);
    adds_suffix_ = !adds_prefix_ && !pieces.empty() && pieces.back().ends_with(space_mark);
  }

  std::vector<Token> tokenize(std::string_view line) const override {
    NormalizedText normalized = normalize_with_origins(line, normalization_);
    std::replace(normalized.text.begin(), normalized.text.end(), '\t', ' ');
    const auto encoded = processor_->EncodeAsImmutableProto(normalized.text);  // owns what `pieces` points to
    const auto pieces = encoded.pieces();
    std::vector<Token> tokens;
    tokens.reserve(pieces.size());
    size_t begin = 0;  // a surface form extends to the next piece, so that together they are the line
    for (size_t i = 0; i < pieces.size(); ++i) {
      const size_t end = i + 1 < pieces.size() ? normalized.origin(pieces[i + 1].begin()) : line.size();
      std::string surface = replace_all(line.substr(begin, end - begin), " ", space_mark);
      if (adds_prefix_ && i == 0) surface.insert(0, space_mark);
      if (adds_suffix_ && i + 1 == pieces.size()) surface += space_mark;
      tokens.push_back({pieces[i].piece(), std::move(surface)});
      begin = end;
    }
    return tokens;
  }

  std::string detokenize(std::span<const std::string> tokens) const override {
    std::string line;
    bool bytes = false;
    for (const std::string& token : tokens) {
      if (processor_->IsByte(processor_->PieceToId(token))) {
        line += byte_of_piece(token);
        bytes = true;
      } else {
        line += replace_all(token, space_mark, " ");
      }
    }
    if (adds_prefix_ && line.starts_with(' ')) line.erase(0, 1);
    if (adds_suffix_ && line.ends_with(' ')) line.pop_back();
    return bytes ? replace_invalid_utf8(std::move(line)) : line;
  }

  std::string state() const override { return model_; }

 private:
  std::unique_ptr<sp::SentencePieceProcessor> processor_;
  std::string model_;
  NormalizationOptions normalization_;
  bool adds_prefix_ = false, adds_suffix_ = false;
};

/// Yields each word as often as it occurs. SentencePiece would also accept counts, but ranks its seed pieces
/// without them, which costs half a percent more pieces on Multi30k.
class RepeatedWords : public sp::SentenceIterator {
 public:
  explicit RepeatedWords(std::vector<std::pair<std::string, int64_t>> words) : words_(std::move(words)) {}
  bool done() const override { return at_ == words_.size(); }
  void Next() override {
    if (++repeated_ < words_[at_].second) return;
    repeated_ = 0;
    ++at_;
  }
  const std::string& value() const override { return words_[at_].first; }
  sp::util::Status status() const override { return {}; }

 private:
  std::vector<std::pair<std::string, int64_t>> words_;
  size_t at_ = 0;
  int64_t repeated_ = 0;
};

// The number after `words` in SentencePiece's message; empty if there is none.
std::string number_after(const std::string& message, const std::string& words) {
  const size_t at = message.find(words);
  if (at == std::string::npos) return {};
  const size_t begin = at + words.size();
  return message.substr(begin,
                        std::min(message.find_first_not_of("0123456789", begin), message.size()) - begin);
}

[[noreturn]] void refuse_size(int64_t size, const std::string& message) {
  const std::string where = "SentencePiece model of " + std::to_string(size) + " tokens";
  if (const auto most = number_after(message, "a value <= "); !most.empty())
    throw Error(where, "the training text is too small for it", "give a size of at most " + most);
  if (const auto least = number_after(message, std::to_string(size) + " vs "); !least.empty())
    throw Error(where, "too small for the different characters of the training text",
                "give a size of at least " + least + " or a smaller character coverage");
  throw Error(where, "training failed (" + message + ")", "try another size");
}

}  // namespace

std::unique_ptr<Tokenizer> make_sentencepiece_tokenizer(std::string model, const std::string& origin,
                                                        const NormalizationOptions& normalization) {
  return std::make_unique<SentencePieceTokenizer>(std::move(model), origin, normalization);
}

std::string train_sentencepiece(const std::function<bool(std::string&)>& next_line, int64_t size,
                                const SentencePieceTokenizerOptions& options,
                                const NormalizationOptions& normalization, uint64_t seed) {
  const bool fewer_will_do = size == 0;
  if (fewer_will_do) size = default_sentencepiece_size;
  if (size <= Vocabulary::special_count)
    throw Error("SentencePiece model of " + std::to_string(size) + " tokens", "special tokens alone fill it",
                "give a larger size");
  WordSample words(seed);
  for (std::string line; next_line(line);) words.add(normalize(line, normalization));
  if (words.empty()) throw Error("SentencePiece model", "the training text is empty", "name files with text");

  const auto& special = Vocabulary::special_tokens();
  const std::unordered_map<std::string, std::string> arguments = {
      {"model_type", "unigram"},
      {"vocab_size", std::to_string(size)},
      {"hard_vocab_limit", fewer_will_do ? "false" : "true"},
      {"character_coverage", std::to_string(options.character_coverage)},
      {"pad_id", std::to_string(Vocabulary::padding)},
      {"unk_id", std::to_string(Vocabulary::unknown)},
      {"bos_id", std::to_string(Vocabulary::begin)},
      {"eos_id", std::to_string(Vocabulary::end)},
      {"pad_piece", special[Vocabulary::padding]},
      {"unk_piece", special[Vocabulary::unknown]},
      {"bos_piece", special[Vocabulary::begin]},
      {"eos_piece", special[Vocabulary::end]},
      {"normalization_rule_name", "identity"},
      {"max_sentence_length", std::to_string(1 << 21)},
      {"num_threads", "1"},
      {"minloglevel", "3"},
  };
  RepeatedWords iterator(words.take(std::max(minimum_sample, size * sample_per_piece)));
  std::string model;
  const auto status = sp::SentencePieceTrainer::Train(arguments, &iterator, &model);
  if (!status.ok()) refuse_size(size, status.ToString());
  return model;
}

std::vector<std::string> sentencepiece_tokens(const std::string& state, const std::string& origin) {
  const auto processor = load_model(state, origin);
  const auto& special = Vocabulary::special_tokens();
  std::vector<std::string> tokens;
  for (int id = 0; id < processor->GetPieceSize(); ++id) {
    if (processor->IsControl(id) || processor->IsUnknown(id) || processor->IsUnused(id)) continue;
    const std::string& piece = processor->IdToPiece(id);
    if (std::find(special.begin(), special.end(), piece) == special.end()) tokens.push_back(piece);
  }
  return tokens;
}

}  // namespace seq2seq
