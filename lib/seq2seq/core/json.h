#pragma once

// Private to the library: installed headers must not include it.

#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace seq2seq {

/// The entries of a JSON object in their order. Unlike in its base, a key among many is found by its hash, so that an
/// object of a hundred thousand keys is read in no time.
template <class Key, class Value, class Less, class Allocator>
class JsonEntries : public nlohmann::ordered_map<Key, Value, Less, Allocator> {
  using Base = nlohmann::ordered_map<Key, Value, Less, Allocator>;
  using Places = std::unordered_multimap<size_t, size_t>;  // of the entries, by the hashes of their keys

 public:
  using typename Base::const_iterator;
  using typename Base::iterator;
  using typename Base::size_type;
  using typename Base::value_type;

  using Base::Base;
  JsonEntries() = default;
  JsonEntries(const JsonEntries& other)
      : Base(other), places_(other.places_ ? std::make_unique<Places>(*other.places_) : nullptr) {}
  JsonEntries(JsonEntries&&) noexcept = default;
  JsonEntries& operator=(const JsonEntries& other) { return *this = JsonEntries(other); }
  JsonEntries& operator=(JsonEntries&&) noexcept = default;
  ~JsonEntries() = default;

  iterator find(std::string_view key) { return this->begin() + place_of(key); }
  const_iterator find(std::string_view key) const { return this->begin() + place_of(key); }
  size_type count(std::string_view key) const { return find(key) == this->end() ? 0 : 1; }
  Value& at(std::string_view key) { return const_cast<Value&>(std::as_const(*this).at(key)); }
  const Value& at(std::string_view key) const {
    const auto found = find(key);
    if (found == this->end()) throw std::out_of_range("key not found");
    return found->second;
  }
  std::pair<iterator, bool> emplace(std::string_view key, Value&& value) {
    if (const auto found = find(key); found != this->end()) return {found, false};
    Base::emplace_back(Key(key), std::move(value));
    if (this->size() >= many) remember_places();
    return {std::prev(this->end()), true};
  }
  Value& operator[](std::string_view key) { return emplace(key, Value{}).first->second; }
  const Value& operator[](std::string_view key) const { return at(key); }
  std::pair<iterator, bool> insert(value_type&& entry) {
    return emplace(entry.first, std::move(entry.second));
  }
  std::pair<iterator, bool> insert(const value_type& entry) {
    return emplace(entry.first, Value(entry.second));
  }
  template <std::input_iterator Iterator>
  void insert(Iterator first, Iterator last) {
    for (; first != last; ++first) insert(*first);
  }
  template <class What>
  auto erase(What&& what) {
    places_.reset();
    return Base::erase(std::forward<What>(what));
  }
  iterator erase(iterator first, iterator last) {
    places_.reset();
    return Base::erase(first, last);
  }
  void clear() {
    places_.reset();
    Base::clear();
  }

 private:
  static constexpr size_type many = 32;

  static size_t hash(std::string_view key) { return std::hash<std::string_view>{}(key); }
  const Key& key_at(size_type place) const { return this->data()[place].first; }
  /// The size if it is not there.
  std::ptrdiff_t place_of(std::string_view key) const {
    if (places_ && places_->size() == this->size()) {
      const auto [begin, end] = places_->equal_range(hash(key));
      for (auto found = begin; found != end; ++found)
        if (key_at(found->second) == key) return static_cast<std::ptrdiff_t>(found->second);
      return static_cast<std::ptrdiff_t>(this->size());
    }
    size_type place = 0;
    while (place < this->size() && key_at(place) != key) ++place;
    return static_cast<std::ptrdiff_t>(place);
  }
  void remember_places() {
    if (!places_) places_ = std::make_unique<Places>();
    for (size_type place = places_->size(); place < this->size(); ++place)
      places_->emplace(hash(key_at(place)), place);
  }

  std::unique_ptr<Places> places_;  // of all entries where there are many
};

using Json = nlohmann::basic_json<JsonEntries>;

/// Parses JSON; refuses duplicate keys and more than 500 nested brackets. Throws Error naming `origin` and,
/// for syntax errors, the line.
Json parse_json(const std::string& text, const std::string& origin);
/// The same with the library's own Json::parse_error and Json::out_of_range for faults of syntax.
Json parse_without_duplicates(std::string_view text, const std::string& origin);
Json read_json_file(const std::string& path);

/// `value` as strict JSON; invalid UTF-8 is replaced instead of throwing.
std::string dump_json(const Json& value, int indent = -1);

/// `value` as int64. Throws Json::type_error for anything else: to the library, any number is one, which is undefined
/// where it is out of range.
int64_t whole_number(const Json& value);
std::vector<int64_t> whole_numbers(const Json& list);
/// That of `key`; `otherwise` where it is missing.
int64_t whole_number_at(const Json& object, const std::string& key, int64_t otherwise);

/// Not a number where `key` is missing or null, which stands for what is not finite.
double number_at(const Json& object, const std::string& key);
std::vector<double> numbers_at(const Json& object, const std::string& key);

}  // namespace seq2seq
