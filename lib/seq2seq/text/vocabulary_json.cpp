#include <cstdint>
#include <utility>

#include "seq2seq/core/error.h"
#include "seq2seq/core/json.h"
#include "seq2seq/text/vocabulary_file.h"

namespace seq2seq {
namespace {

constexpr const char* own_form = R"({"format": 1, "tokens": [...]})";

std::vector<FileToken> tokens_of_array(const Json& array, const std::string& place) {
  std::vector<FileToken> tokens;
  tokens.reserve(array.size());
  for (const Json& token : array) {
    const auto index = static_cast<int64_t>(tokens.size());
    if (!token.is_string())
      throw Error(place + "[" + std::to_string(index) + "]", token.dump() + " is not a string",
                  "write tokens in quotes");
    tokens.push_back({token.get<std::string>(), index, index});
  }
  return tokens;
}

ListedTokens listed_array(const Json& array, const std::string& place, SpecialTokens expected) {
  ListedTokens listed = without_special(tokens_of_array(array, place), expected);
  listed.place = [place](const FileToken& token) { return place + "[" + std::to_string(token.number) + "]"; };
  return listed;
}

ListedTokens listed_own(const Json& json, const std::string& origin) {
  const auto refuse = [&](const std::string& problem, const std::string& remedy) {
    throw Error(origin, problem, remedy);
  };
  if (!json.is_object() || !json.contains("tokens") || !json["tokens"].is_array())
    refuse("not a vocabulary", std::string("it must read ") + own_form);
  for (const auto& [key, value] : json.items())
    if (key != "format" && key != "tokens") refuse("unknown key '" + key + "'", "valid: format, tokens");
  if (!json.contains("format") || json["format"] != vocabulary_format)
    refuse("format " + (json.contains("format") ? json["format"].dump() : "is missing") +
               ", this program reads " + std::to_string(vocabulary_format),
           "use the program that wrote it, or make the vocabulary again");
  return listed_array(json["tokens"], origin + ": tokens", SpecialTokens::ours_first);
}

ListedTokens listed_ids(const Json& json, const std::string& path) {
  std::vector<FileToken> tokens;
  tokens.reserve(json.size());
  for (const auto& [token, id] : json.items()) {
    if (!id.is_number_unsigned() || id.get<uint64_t>() > INT64_MAX)
      throw Error(path + ": '" + token + "'", id.dump() + " is not an id",
                  R"(write {"token": id}, with ids counted from 0)");
    tokens.push_back({token, id.get<int64_t>(), 0});
  }
  ListedTokens listed = in_order_of_ids(std::move(tokens), path);
  listed.format = "a vocabulary of Hugging Face or Marian ({\"token\": id})";
  listed.place = [path](const FileToken& token) { return path + ": '" + token.text + "'"; };
  return listed;
}

}  // namespace

ListedTokens list_own_json(const std::string& text, const std::string& origin) {
  return listed_own(parse_json(text, origin), origin);
}

bool is_json_object(const std::string& text) {
  const size_t open = text.find('{');
  if (open > text.find_first_not_of("\uFEFF \t\r\n")) return false;
  const size_t key = open == std::string::npos ? open : text.find_first_not_of(" \t\r\n", open + 1);
  return key != std::string::npos && text[key] == '"' && Json::accept(text);
}

ListedTokens list_json(const std::string& text, const std::string& path) {
  const Json json = parse_json(text, path);
  if (json.is_array() && !json.empty() && json.front().is_string()) {
    ListedTokens listed = listed_array(json, path, SpecialTokens::first);
    listed.format = "an array of tokens";
    return listed;
  }
  if (json.is_object() && !json.empty()) {
    const auto model = json.find("model");
    if (model != json.end() && model->is_object() && model->contains("vocab"))
      throw Error(path, "is a tokenizer of Hugging Face, not a vocabulary",
                  "give its vocab.json, or what stands there as model.vocab in a file of its own");
    const auto tokens = json.find("tokens");
    if (json.begin()->is_number() && (tokens == json.end() || !tokens->is_array()))
      return listed_ids(json, path);
  }
  if (!json.is_object() || !json.contains("tokens"))
    throw Error(path, "not a vocabulary",
                std::string("it must read ") + own_form + R"(, {"token": id} or ["token", ...])");
  return listed_own(json, path);
}

}  // namespace seq2seq
