#pragma once

// Private to the library: installed headers must not include it.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace seq2seq {

using Json = nlohmann::ordered_json;
/// For objects of many keys, each of which an ordered one compares with all before.
using SortedJson = nlohmann::json;

/// Parses JSON; refuses duplicate keys and more than 500 nested brackets. Throws Error naming `origin` and,
/// for syntax errors, the line.
Json parse_json(const std::string& text, const std::string& origin);
/// The same with the library's own Json::parse_error and Json::out_of_range for faults of syntax.
Json parse_without_duplicates(std::string_view text, const std::string& origin);
SortedJson parse_sorted_json(const std::string& text, const std::string& origin);
Json read_json_file(const std::string& path);

/// `value` as strict JSON; invalid UTF-8 is replaced instead of throwing.
std::string dump_json(const Json& value, int indent = -1);

/// Not a number where `key` is missing or null, which stands for what is not finite.
double number_at(const Json& object, const std::string& key);
std::vector<double> numbers_at(const Json& object, const std::string& key);

}  // namespace seq2seq
