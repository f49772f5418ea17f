#include "seq2seq/core/json.h"

#include <algorithm>
#include <limits>
#include <set>

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"

namespace seq2seq {
namespace {

double number_of(const Json& value) {
  return value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
}

template <class Value>
Value without_duplicates(std::string_view text, const std::string& origin) {
  using Event = Json::parse_event_t;
  constexpr int deepest = 500;  // deep nesting would exhaust the stack
  std::vector<std::set<std::string>> keys;
  const typename Value::parser_callback_t refuse = [&](int depth, Event event, Value& parsed) {
    if ((event == Event::object_start || event == Event::array_start) && depth >= deepest)
      throw Error(origin, "nests more than " + std::to_string(deepest) + " brackets", "write it plainer");
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key && !keys.back().insert(parsed.template get<std::string>()).second)
      throw Error(origin, "the key '" + parsed.template get<std::string>() + "' occurs twice",
                  "remove one of them");
    return true;
  };
  return Value::parse(text, refuse);
}

template <class Value>
Value checked_json(const std::string& text, const std::string& origin) {
  try {
    return without_duplicates<Value>(text, origin);
  } catch (const Json::parse_error& e) {
    const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(e.byte, text.size()));
    const auto line = std::count(text.begin(), end, '\n') + 1;
    std::string reason = e.what();  // "[json.exception...] parse error at line 1, column 2: syntax error ..."
    if (const auto at = reason.find("column "); at != std::string::npos)
      reason = reason.substr(reason.find(": ", at) + 2);
    throw Error(origin + ":" + std::to_string(line), "not valid JSON (" + reason + ")", "mend the file");
  } catch (const Json::out_of_range&) {
    throw Error(origin, "not valid JSON (a number is out of range)", "mend the file");
  }
}

}  // namespace

Json parse_without_duplicates(std::string_view text, const std::string& origin) {
  return without_duplicates<Json>(text, origin);
}

Json parse_json(const std::string& text, const std::string& origin) {
  return checked_json<Json>(text, origin);
}

SortedJson parse_sorted_json(const std::string& text, const std::string& origin) {
  return checked_json<SortedJson>(text, origin);
}

Json read_json_file(const std::string& path) {
  return parse_json(read_file(path), path);
}

std::string dump_json(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

double number_at(const Json& object, const std::string& key) {
  const auto found = object.find(key);
  return number_of(found == object.end() ? Json() : *found);
}

std::vector<double> numbers_at(const Json& object, const std::string& key) {
  std::vector<double> result;
  if (const auto found = object.find(key); found != object.end() && found->is_array())
    for (const Json& value : *found) result.push_back(number_of(value));
  return result;
}

}  // namespace seq2seq
