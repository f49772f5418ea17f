#include "seq2seq/decode/shortlist.h"

#include <algorithm>
#include <iterator>

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/json.h"

namespace seq2seq {
namespace {

constexpr int64_t shortlist_format = 1;

std::vector<int64_t> ids_of(const Json& tokens, const Vocabulary& vocabulary, const std::string& path) {
  std::vector<int64_t> ids;
  for (const Json& token : tokens) {
    const auto id = vocabulary.find(token.get<std::string>());
    if (!id)
      throw Error(path, "names " + dump_json(token) + ", which the model's target vocabulary lacks",
                  "make a shortlist with this model: seq2seq shortlist");
    ids.push_back(*id);
  }
  return ids;
}

}  // namespace

void Shortlist::save(const std::string& path, const Vocabulary& source, const Vocabulary& target) const {
  const auto tokens = [&](const std::vector<int64_t>& ids) {
    Json result = Json::array();
    for (const int64_t id : ids) result.push_back(target.token(id));
    return result;
  };
  Json words = Json::object();
  for (size_t id = 0; id < candidates.size(); ++id)
    if (!candidates[id].empty()) words[source.token(static_cast<int64_t>(id))] = tokens(candidates[id]);
  write_file(path, dump_json(Json{
                       {"format", shortlist_format}, {"frequent", tokens(frequent)}, {"candidates", words}}) +
                       "\n");
}

Shortlist Shortlist::load(const std::string& path, const Vocabulary& source, const Vocabulary& target) {
  const Json json = read_json_file(path);
  Shortlist result;
  result.candidates.resize(static_cast<size_t>(source.size()));
  try {
    if (json.at("format") != shortlist_format)
      throw Error(path, "format " + dump_json(json.at("format")) + " is not known", "make it again");
    result.frequent = ids_of(json.at("frequent"), target, path);
    for (const auto& [word, tokens] : json.at("candidates").items()) {
      const auto id = source.find(word);
      if (!id)
        throw Error(path, "names '" + word + "', which the model's source vocabulary lacks",
                    "make a shortlist with this model: seq2seq shortlist");
      result.candidates[static_cast<size_t>(*id)] = ids_of(tokens, target, path);
    }
  } catch (const Json::exception&) {
    throw Error(path, "is no shortlist", "make one with seq2seq shortlist");
  }
  return result;
}

std::vector<int64_t> Shortlist::words(std::span<const int64_t> source_ids, std::vector<int64_t> more) const {
  const auto add = [&](const std::vector<int64_t>& ids) { more.insert(more.end(), ids.begin(), ids.end()); };
  for (int64_t id = 0; id < Vocabulary::special_count; ++id) more.push_back(id);
  add(frequent);
  for (const int64_t id : source_ids)
    if (id < std::ssize(candidates)) add(candidates[static_cast<size_t>(id)]);
  std::sort(more.begin(), more.end());
  more.erase(std::unique(more.begin(), more.end()), more.end());
  return more;
}

}  // namespace seq2seq
