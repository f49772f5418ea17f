#include "seq2seq/data/example_line.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <vector>

#include "seq2seq/core/error.h"
#include "seq2seq/core/join.h"
#include "seq2seq/core/json.h"
#include "seq2seq/core/log.h"
#include "seq2seq/core/nearest_name.h"
#include "seq2seq/core/plain_text.h"
#include "seq2seq/text/white_space.h"

namespace seq2seq {
namespace {

const std::array<ExampleKeys, 4> usual_keys = {ExampleKeys{"source", "target"}, ExampleKeys{"src", "tgt"},
                                               ExampleKeys{"article", "highlights"},
                                               ExampleKeys{"document", "summary"}};

std::string_view without_gz(std::string_view path) {
  if (path.ends_with(".gz")) path.remove_suffix(3);
  return path;
}

RawExample parse_tsv(std::string_view line, const std::string& place, TargetField target) {
  const size_t tab = line.find('\t');
  if (tab == std::string_view::npos) {
    if (target == TargetField::optional) return {std::string(line), {}, {}, {}};
    throw Error(place, "no tab between source and target", "write: source, tab, target");
  }
  if (line.find('\t', tab + 1) != std::string_view::npos)
    throw Error(place, "more than one tab", "write exactly two columns: source, tab, target");
  return {std::string(line.substr(0, tab)), std::string(line.substr(tab + 1)), {}, {}};
}

std::string text_of(const Json& value, const std::string& place, const std::string& key) {
  if (!value.is_string())
    throw Error(place, "'" + key + "' holds " + std::string(value.type_name()) + ", not text",
                "write a JSON string");
  return value.get<std::string>();
}

std::vector<std::string> texts_of(const Json& value, const std::string& place, const std::string& key) {
  if (!value.is_array())
    throw Error(place, "'" + key + "' holds " + std::string(value.type_name()) + ", not a list of texts",
                "write a JSON array of strings");
  std::vector<std::string> texts;
  texts.reserve(value.size());
  for (const auto& item : value) texts.push_back(text_of(item, place, key));
  return texts;
}

Json parse_object(std::string_view line, const std::string& place) {
  Json value;
  try {
    value = parse_without_duplicates(line, place);
  } catch (const Json::parse_error& failure) {
    throw Error(place, "not valid JSON at byte " + std::to_string(failure.byte),
                R"(write one object a line, {"source": "...", "target": "..."})");
  } catch (const Json::out_of_range&) {
    throw Error(place, "not valid JSON (a number is out of range)", "write a smaller one, or leave it out");
  }
  if (!value.is_object())
    throw Error(place, "holds " + std::string(value.type_name()) + ", not an object",
                R"(write {"source": "...", "target": "..."})");
  return value;
}

/// Null if there is none.
const Json* value_at(const Json& object, const std::string& key) {
  if (const auto found = object.find(key); found != object.end()) return &*found;
  const size_t dot = key.find('.');
  if (dot == std::string::npos) return nullptr;
  const auto outer = object.find(key.substr(0, dot));
  return outer != object.end() && outer->is_object() ? value_at(*outer, key.substr(dot + 1)) : nullptr;
}

std::vector<std::string> keys_of(const Json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

/// One side of a line.
struct TextField {
  const char* name;  ///< "source"
  std::string ExampleKeys::*of;
  std::string key = {};         ///< where it is read
  const Json* value = nullptr;  ///< null: the line lacks it

  void read_at(const Json& line, const std::string& wanted) {
    value = value_at(line, wanted);
    if (value != nullptr) key = wanted;
  }
};

[[noreturn]] void refuse_missing(const TextField& field, const std::string& wanted, const Json& line,
                                 const std::string& place) {
  const std::string missing = wanted.empty() ? field.name : wanted;
  const std::vector<std::string> keys = keys_of(line);
  const std::string meant = nearest_name(missing, keys);
  const std::string flag = std::string("--") + field.name + "-key";
  throw Error(place, "no '" + missing + "'",
              meant.empty() ? "every line needs one; " + flag + " names another key"
                            : "did you mean '" + meant + "'? then give " + flag + " " + meant);
}

/// Finds the fields that no given key leads to.
void find_usual(TextField& source, TextField& target, const Json& line) {
  const bool both = source.value == nullptr && target.value == nullptr;
  for (const ExampleKeys& usual : usual_keys) {
    if (!both || value_at(line, usual.source) == nullptr || value_at(line, usual.target) == nullptr) continue;
    source.read_at(line, usual.source);
    target.read_at(line, usual.target);
    return;
  }
  for (TextField* field : {&source, &target})
    for (const ExampleKeys& usual : usual_keys)
      if (field->value == nullptr) field->read_at(line, usual.*(field->of));
}

void read_source(const Json& value, const std::string& place, const std::string& key, RawExample& example) {
  if (!value.is_array()) {
    example.source = text_of(value, place, key);
    return;
  }
  example.source_sentences = texts_of(value, place, key);
  std::erase_if(example.source_sentences,
                [](const std::string& sentence) { return with_plain_spaces(sentence).empty(); });
  for (const auto& sentence : example.source_sentences)
    example.source += (example.source.empty() ? "" : " ") + sentence;
}

/// Whether the key, or the object that it leads into, is read.
bool leads_to(const std::string& read, const std::string& key) {
  return read == key || read.starts_with(key + ".");
}

RawExample example_in(const Json& value, const std::string& place, TargetField needed,
                      const ExampleKeys& keys, ExampleNotes* notes) {
  TextField source{"source", &ExampleKeys::source}, target{"target", &ExampleKeys::target};
  const auto may_lack = [&](const TextField& field) {
    return needed == (&field == &target ? TargetField::optional : TargetField::alone);
  };
  for (TextField* field : {&source, &target}) {
    const std::string& wanted = keys.*(field->of);
    if (wanted.empty()) continue;
    field->read_at(value, wanted);
    if (field->value == nullptr && keys.required && !may_lack(*field))
      refuse_missing(*field, wanted, value, place);
  }
  find_usual(source, target, value);
  for (const TextField* field : {&source, &target})
    if (field->value == nullptr && !may_lack(*field)) refuse_missing(*field, keys.*(field->of), value, place);
  RawExample example;
  if (source.value != nullptr && !may_lack(source)) read_source(*source.value, place, source.key, example);
  if (target.value != nullptr && (!may_lack(target) || target.value->is_string()))
    example.target = text_of(*target.value, place, target.key);
  const auto references = value.find("references");
  if (references != value.end()) example.references = texts_of(*references, place, "references");
  if (notes == nullptr) return example;
  notes->read_as(place, {needed == TargetField::alone ? "" : source.key, target.key}, keys);
  if (references != value.end()) return example;
  for (const std::string& key : keys_of(value))
    if (!leads_to(source.key, key) && !leads_to(target.key, key)) notes->not_read(place, key);
  return example;
}

}  // namespace

bool has_example_format(const std::string& path) {
  return without_gz(path).ends_with(".tsv") || without_gz(path).ends_with(".jsonl");
}

bool has_json_lines(const std::string& path) {
  return without_gz(path).ends_with(".jsonl");
}

ExampleFormat example_format(const std::string& path) {
  if (!has_example_format(path)) {
    std::array<char, 512> first{};
    std::ifstream file(path, std::ios::binary);
    file.read(first.data(), std::ssize(first));
    require_plain_text({first.data(), static_cast<size_t>(file.gcount())}, path);  // "train.jsonl.xz"
    throw Error(path, "its format is unknown",
                "name it .tsv or .jsonl (.gz may follow), or give source and target apart");
  }
  return without_gz(path).ends_with(".tsv") ? ExampleFormat::tsv : ExampleFormat::json_lines;
}

RawExample parse_example(std::string_view line, ExampleFormat format, const std::string& place,
                         TargetField target, const ExampleKeys& keys, ExampleNotes* notes) {
  return format == ExampleFormat::tsv ? parse_tsv(line, place, target)
                                      : example_in(parse_object(line, place), place, target, keys, notes);
}

RawExample parse_example_again(std::string_view line, ExampleFormat format, const std::string& place,
                               const ExampleKeys& keys) {
  return format == ExampleFormat::tsv
             ? parse_tsv(line, place, TargetField::required)
             : example_in(Json::parse(line), place, TargetField::required, keys, nullptr);
}

bool are_usual(const ExampleKeys& keys) {
  return std::any_of(usual_keys.begin(), usual_keys.end(), [&](const ExampleKeys& usual) {
    return usual.source == keys.source && (keys.target.empty() || usual.target == keys.target);
  });
}

void ExampleNotes::read_as(const std::string& place, const ExampleKeys& keys, const ExampleKeys& given) {
  const auto are = [&](const ExampleKeys& others) {
    return (keys.source.empty() || keys.source == others.source) &&
           (keys.target.empty() || keys.target == others.target);
  };
  if (are(usual_keys.front())) return;
  if (other_keys_.empty()) other_keys_ = keys;
  if (are(given) || !told_.insert("read as " + keys.source + " " + keys.target).second) return;
  std::vector<std::string> sides;
  if (!keys.source.empty()) sides.push_back("as source: '" + keys.source + "'");
  if (!keys.target.empty()) sides.push_back("as target: '" + keys.target + "'");
  log_info(place + ": read " + joined(sides));
}

void ExampleNotes::not_read(const std::string& place, const std::string& key) {
  if (!told_.insert("not read " + key).second) return;
  static const std::vector<std::string> meanings = {"references"};
  if (!nearest_name(key, meanings).empty())
    log_warning(place + ": the key '" + key + "' is not read; did you mean 'references'?");
}

}  // namespace seq2seq
