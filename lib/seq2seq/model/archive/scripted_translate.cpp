#include "seq2seq/model/archive/scripted_translate.h"

#include "seq2seq/model/archive/torchscript.h"
#include "seq2seq/text/token_escape.h"
#include "seq2seq/text/vocabulary.h"
#include "seq2seq/text/white_space.h"

namespace seq2seq {
namespace {

// Splits UTF-8 into characters: bytes that begin with the bits 10 continue a character.
constexpr const char* character_source = R"(
def tokenize(self, line: str) -> List[str]:
    words: List[str] = []
    begin = 0
    while begin < len(line):
        end = begin + 1
        while end < len(line) and ord(line[end]) >= 128 and ord(line[end]) < 192:
            end += 1
        words.append(line[begin:end])
        begin = end
    return words

def detokenize(self, words: List[str]) -> str:
    return "".join(words)
)";

constexpr const char* whitespace_source = R"(
def without_widthless(self, word: str) -> str:
    stripped = True
    while stripped:
        stripped = False
        for character in self.widthless:
            if word.startswith(character):
                word = word[len(character):]
                stripped = True
            if word.endswith(character):
                word = word[:len(word) - len(character)]
                stripped = True
    return word

def tokenize(self, line: str) -> List[str]:
    for space in self.wide_spaces:
        line = line.replace(space, " ")
    words: List[str] = []
    begin = 0
    for at in range(len(line) + 1):
        if at == len(line) or self.white_space.find(line[at]) >= 0:
            word = self.without_widthless(line[begin:at])
            if len(word) > 0:
                words.append(word)
            begin = at + 1
    return words

def detokenize(self, words: List[str]) -> str:
    kept: List[str] = []
    for word in words:
        if len(word) > 0:
            kept.append(word)
    return " ".join(kept)
)";

constexpr const char* translate_source = R"(
def translate_line(self, line: str) -> str:
    if len(line.strip(self.white_space)) == 0:
        return ""
    words = self.tokenize(line)[:self.maximum_length]
    if len(words) == 0:
        return ""
    ids: List[int] = []
    first: Dict[str, int] = {}
    for word in words:
        if word not in first:
            first[word] = len(ids)
        id = self.source_word_ids[word] if word in self.source_word_ids else UNKNOWN
        if self.copies and id == UNKNOWN:
            id = self.source_vocabulary_size + first[word]
        ids.append(id)
    lengths = torch.tensor([len(ids) + 1])
    source = torch.tensor([ids + [END]])
    tokens, attention = self.greedy_with_attention(source, lengths, 2 * len(ids) + 20)
    output: List[str] = []
    for step in range(tokens.size(1)):
        id = int(tokens[0, step])
        if id == END:
            break
        if id >= len(self.target_words):
            output.append(words[id - len(self.target_words)])
        elif id == UNKNOWN and self.attends:
            output.append(words[int(attention[0, step, :len(ids)].argmax())])
        else:
            output.append(self.target_words[id])
    return self.detokenize(output).replace(self.line_feed, " ").replace(self.carriage_return, " ")

def translate(self, lines: List[str]) -> List[str]:
    return [self.translate_line(line) for line in lines]
)";

c10::List<std::string> list_of(std::span<const std::string_view> texts) {
  c10::List<std::string> list;
  for (const std::string_view text : texts) list.push_back(std::string(text));
  return list;
}

bool is_character(const TextOptions& text) {
  return std::holds_alternative<CharTokenizerOptions>(text.tokenizer);
}

}  // namespace

std::string why_no_translate(const ModelOptions& model, const TextOptions& text) {
  if (!is_character(text) && !std::holds_alternative<WhitespaceTokenizerOptions>(text.tokenizer))
    return "the tokenizer is neither char nor whitespace";
  if (text.normalization.nfkc || text.normalization.lowercase) return "the text is normalized";
  if (std::holds_alternative<HierarchicalEncoderOptions>(model.encoder)) return "the encoder needs sentences";
  return "";
}

void add_translate(torch::jit::Module& archive, const TranslationModel& model) {
  const bool characters = is_character(model.text_options);
  // Tokens as in the text: TorchScript does not know their escapes.
  const auto plain = [&](const std::string& token) { return characters ? unescape_token(token) : token; };
  const Vocabulary &source = model.text.source->vocabulary(), &target = model.text.target->vocabulary();
  c10::Dict<std::string, int64_t> ids;
  for (int64_t id = Vocabulary::special_count; id < source.size(); ++id) {
    const std::string& token = source.token(id);
    if (!characters || escape_token(unescape_token(token)) == token) ids.insert(plain(token), id);
  }
  c10::List<std::string> words;
  for (int64_t id = 0; id < target.size(); ++id) words.push_back(plain(target.token(id)));
  const auto add = [&](const std::string& name, const at::IValue& value, const c10::TypePtr& type) {
    archive.register_attribute(name, type, value);
  };
  add("source_word_ids", ids, c10::DictType::create(c10::StringType::get(), c10::IntType::get()));
  add("target_words", words, c10::ListType::ofStrings());
  add("source_vocabulary_size", source.size(), c10::IntType::get());
  add("maximum_length", model.maximum_length, c10::IntType::get());
  add("copies", model.model_options.copying, c10::BoolType::get());
  add("attends", has_attention(model.model_options), c10::BoolType::get());
  add("white_space", std::string(" \t\r\n\v\f"), c10::StringType::get());
  if (!characters) {
    add("wide_spaces", list_of(multibyte_spaces()), c10::ListType::ofStrings());
    add("widthless", list_of(widthless_characters()), c10::ListType::ofStrings());
  }
  // Archives of LibTorch 2.15 cannot be read if a literal contains a carriage return.
  add("line_feed", std::string("\n"), c10::StringType::get());
  add("carriage_return", std::string("\r"), c10::StringType::get());
  archive.define(with_special_ids(characters ? character_source : whitespace_source));
  archive.define(with_special_ids(translate_source));
}

}  // namespace seq2seq
