#include "seq2seq/data/example_line.h"

#include <array>
#include <fstream>
#include <vector>

#include "seq2seq/core/error.h"
#include "seq2seq/core/json.h"
#include "seq2seq/core/nearest_name.h"
#include "seq2seq/data/plain_text.h"
#include "seq2seq/text/utf8.h"

namespace seq2seq {
namespace {

const std::array<std::string, 3> known_keys = {"source", "target", "references"};

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
    value = Json::parse(line);
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

RawExample parse_json_line(std::string_view line, const std::string& place, TargetField target) {
  const Json value = parse_object(line, place);
  RawExample example;
  for (const auto& [key, item] : value.items()) {
    if (key == "source" && item.is_array()) {
      example.source_sentences = texts_of(item, place, key);
      std::erase_if(example.source_sentences, [](const std::string& sentence) { return is_blank(sentence); });
      for (const auto& sentence : example.source_sentences)
        example.source += (example.source.empty() ? "" : " ") + sentence;
    } else if (key == "source") {
      example.source = text_of(item, place, key);
    } else if (key == "target") {
      example.target = text_of(item, place, key);
    } else if (key == "references") {
      example.references = texts_of(item, place, key);
    } else if (const auto meant = nearest_name(key, known_keys); !meant.empty()) {
      throw Error(place, "unknown key '" + key + "'", "did you mean '" + meant + "'?");
    }
  }
  if (!value.contains("source")) throw Error(place, "no 'source'", "every line needs one");
  if (target == TargetField::required && !value.contains("target"))
    throw Error(place, "no 'target'", "every line needs one");
  return example;
}

}  // namespace

bool has_example_format(const std::string& path) {
  return without_gz(path).ends_with(".tsv") || without_gz(path).ends_with(".jsonl");
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
                         TargetField target) {
  return format == ExampleFormat::tsv ? parse_tsv(line, place, target) : parse_json_line(line, place, target);
}

}  // namespace seq2seq
