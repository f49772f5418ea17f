#include "seq2seq/core/json.h"

#include <algorithm>
#include <limits>
#include <unordered_set>

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"

namespace seq2seq {
namespace {

double number_of(const Json& value) {
  return value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
}

/// Refuses duplicate keys and deep nesting. (A callback of the parser's would be asked no less, but the parser then searches
/// all earlier entries of a list after each one.)
class KeyCheck : public nlohmann::json_sax<Json> {
 public:
  explicit KeyCheck(const std::string& origin) : origin_(origin) {}

  bool key(std::string& name) override {
    if (!keys_.back().insert(name).second)
      throw Error(origin_, "the key '" + name + "' occurs twice", "remove one of them");
    return true;
  }
  bool start_object(std::size_t) override { return enter(); }
  bool end_object() override { return leave(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_array() override { return leave(); }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override { return false; }

 private:
  bool enter() {
    constexpr size_t deepest = 500;  // deep nesting would exhaust the stack
    if (keys_.size() >= deepest)
      throw Error(origin_, "nests more than " + std::to_string(deepest) + " brackets", "write it plainer");
    keys_.emplace_back();
    return true;
  }
  bool leave() {
    keys_.pop_back();
    return true;
  }

  const std::string& origin_;
  std::vector<std::unordered_set<std::string>> keys_;  // of the brackets that are open
};

}  // namespace

Json parse_without_duplicates(std::string_view text, const std::string& origin) {
  KeyCheck check(origin);
  Json::sax_parse(text, &check);  // ends at a syntax error, which is told below
  return Json::parse(text);
}

Json parse_json(const std::string& text, const std::string& origin) {
  try {
    return parse_without_duplicates(text, origin);
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

Json read_json_file(const std::string& path) {
  return parse_json(read_file(path), path);
}

std::string dump_json(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

int64_t whole_number(const Json& value) {
  const bool fits = value.is_number_integer() &&
                    (!value.is_number_unsigned() || value.get<uint64_t>() <= uint64_t{INT64_MAX});
  if (!fits) throw Json::type_error::create(302, "not a whole number that fits", &value);
  return value.get<int64_t>();
}

std::vector<int64_t> whole_numbers(const Json& list) {
  if (!list.is_array()) throw Json::type_error::create(302, "not a list", &list);
  std::vector<int64_t> numbers;
  for (const Json& value : list) numbers.push_back(whole_number(value));
  return numbers;
}

int64_t whole_number_at(const Json& object, const std::string& key, int64_t otherwise) {
  return object.contains(key) ? whole_number(object.at(key)) : otherwise;
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
