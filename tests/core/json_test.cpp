#include "seq2seq/core/json.h"

#include <gmock/gmock.h>

#include "seq2seq/core/error.h"

namespace seq2seq {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing::ThrowsMessage;

TEST(Json, ErrorNamesTheLine) {
  EXPECT_THAT(
      [] { parse_json("{\n  \"a\": 1,\n  \"b\" 2\n}", "c.json"); },
      ThrowsMessage<Error>(AllOf(StartsWith("c.json:3: not valid JSON"), Not(HasSubstr("json.exception")))));
  EXPECT_THAT([] { parse_json("", "c.json"); }, ThrowsMessage<Error>(StartsWith("c.json:1: not valid JSON")));
  EXPECT_THAT([] { parse_json("{} {}", "c.json"); }, ThrowsMessage<Error>(StartsWith("c.json:1: ")));
}

TEST(Json, RefusesDuplicateKeysAtAnyDepthOnly) {
  EXPECT_THAT([] { parse_json(R"({"x": {"a": 1, "b": 2, "a": 3}})", "c.json"); },
              ThrowsMessage<Error>(HasSubstr("the key 'a' occurs twice")));
  EXPECT_EQ(parse_json(R"({"x": {"a": 1}, "y": {"a": 2}, "z": [{"a": 3}, {"a": 4}]})", "c")["z"][1]["a"], 4);
}

TEST(Json, RefusesWhatNestsTooDeep) {
  const auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_NO_THROW(parse_json(nested(500), "c.json"));
  EXPECT_THAT([&] { parse_json(nested(501), "c.json"); },
              ThrowsMessage<Error>(HasSubstr("nests more than 500 brackets")));
  EXPECT_THAT([&] { parse_json(std::string(1'000'000, '['), "c.json"); },
              ThrowsMessage<Error>(HasSubstr("nests more than 500 brackets")));
}

TEST(Json, KeepsTheOrderOfKeys) {
  EXPECT_EQ(dump_json(parse_json(R"({"z": 1, "a": {"y": 2, "b": [true, null]}})", "c")),
            R"({"z":1,"a":{"y":2,"b":[true,null]}})");
}

TEST(Json, FindsAKeyAmongMany) {
  Json object = Json::object();
  const auto key = [](int i) { return "key" + std::to_string(i); };
  for (int i = 0; i < 200'000; ++i)
    object[key(i)] = i;  // takes minutes if each key is compared with all others
  EXPECT_EQ(object.size(), 200'000U);
  EXPECT_EQ(object.at("key123456"), 123456);
  EXPECT_FALSE(object.contains("key"));
  EXPECT_EQ(object.begin().key(), "key0");
  object["key7"] = "seven";
  EXPECT_EQ(object.size(), 200'000U);
  Json copy = object;
  object.erase("key0");
  EXPECT_FALSE(object.contains("key0"));
  EXPECT_EQ(object.begin().key(), "key1");
  EXPECT_EQ(object.at("key199999"), 199'999);
  object["key0"] = "again";  // now the last
  EXPECT_EQ(std::prev(object.end()).key(), "key0");
  EXPECT_EQ(object.at("key0"), "again");
  EXPECT_EQ(object.at("key7"), "seven");
  EXPECT_EQ(copy.at("key0"), 0);
  object.clear();
  for (int i = 0; i < 100; ++i) object[key(99 - i)] = i;
  EXPECT_EQ(object.at("key0"), 99);
  EXPECT_EQ(object.begin().key(), "key99");
}

TEST(Json, DumpReplacesInvalidUtf8) {
  EXPECT_EQ(dump_json(Json("a\xff"
                           "b")),
            "\"a\xEF\xBF\xBD"
            "b\"");
}

TEST(Json, MissingFileIsNamed) {
  EXPECT_THAT([] { read_json_file("/nowhere/c.json"); },
              ThrowsMessage<Error>(StartsWith("/nowhere/c.json: ")));
}

TEST(Json, WholeNumbersAreWholeAndFit) {
  const Json json = parse_json(
      R"({"a": 7, "b": -9223372036854775808, "c": 9223372036854775808, "d": 3e58, "e": 1.0, "f": "7"})", "x");
  EXPECT_EQ(whole_number(json["a"]), 7);
  EXPECT_EQ(whole_number(json["b"]), INT64_MIN);
  for (const char* key : {"c", "d", "e", "f"}) EXPECT_THROW(whole_number(json[key]), Json::type_error) << key;
  EXPECT_EQ(whole_number_at(json, "a", 1), 7);
  EXPECT_EQ(whole_number_at(json, "z", 1), 1);
  EXPECT_EQ(whole_numbers(Json{1, 2}), (std::vector<int64_t>{1, 2}));
  EXPECT_THROW(whole_numbers(json["a"]), Json::type_error);
}

}  // namespace
}  // namespace seq2seq
