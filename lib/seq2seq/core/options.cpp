#include "seq2seq/core/options.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "seq2seq/core/error.h"
#include "seq2seq/core/file.h"
#include "seq2seq/core/join.h"
#include "seq2seq/core/json.h"
#include "seq2seq/core/nearest_name.h"

namespace seq2seq {
namespace {

std::string short_number(double value) {
  constexpr double exact = 1e15;  // whole numbers below are written out
  if (value == std::floor(value) && std::abs(value) < exact)
    return std::to_string(static_cast<int64_t>(value));
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return {text, end};
}

std::string normalize_key(std::string key) {
  std::replace(key.begin(), key.end(), '_', '-');
  return key;
}

template <class T>
bool parse_number(const std::string& text, T& value) {
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  return result.ec == std::errc() && result.ptr == end && !text.empty();
}

std::string type_name(const OptionValue& value) {
  static constexpr const char* names[] = {"true or false", "a whole number", "a number", "a text",
                                          "a list of texts"};
  return names[value.index()];
}

/// `value` as the alternative that `wanted` has, or an error text.
OptionValue convert(const OptionValue& value, const OptionValue& wanted, bool from_text,
                    std::string& problem) {
  if (value.index() == wanted.index()) return value;
  const auto fail = [&] {
    problem = "'" + to_text(value) + "' is not " + type_name(wanted);
    return wanted;
  };
  if (!from_text) {
    if (std::holds_alternative<double>(wanted) && std::holds_alternative<int64_t>(value))
      return static_cast<double>(std::get<int64_t>(value));
    if (std::holds_alternative<int64_t>(wanted) && std::holds_alternative<double>(value)) {
      const double number = std::get<double>(value);
      if (number == std::floor(number) && std::abs(number) < 9e15) return static_cast<int64_t>(number);
    }
    if (std::holds_alternative<std::vector<std::string>>(wanted) &&
        std::holds_alternative<std::string>(value))
      return std::vector<std::string>{std::get<std::string>(value)};
    return fail();
  }
  const auto& words = std::get<std::vector<std::string>>(value);
  if (words.size() != 1) {
    problem = "is given " + std::to_string(words.size()) + " times";
    return wanted;
  }
  const std::string& text = words.front();
  if (std::holds_alternative<std::string>(wanted)) return text;
  if (std::holds_alternative<bool>(wanted)) {
    if (text == "true" || text == "1" || text == "yes" || text == "on") return true;
    if (text == "false" || text == "0" || text == "no" || text == "off") return false;
    return fail();
  }
  if (int64_t whole = 0; std::holds_alternative<int64_t>(wanted))
    return parse_number(text, whole) ? whole : fail();
  double number = 0;
  return parse_number(text, number) ? OptionValue(number) : fail();
}

/// "spm:" of "spm:FILE"; empty for another valid name.
std::string file_prefix(const std::string& valid) {
  constexpr std::string_view file = "FILE";
  return valid.ends_with(":FILE") ? valid.substr(0, valid.size() - file.size()) : std::string();
}

/// Where the path in `text` begins: behind the prefix of a valid name such as "spm:FILE", or at 0 in an
/// option that names a file; npos if `text` is no path.
size_t path_begin(const OptionField& field, const std::string& text) {
  for (const std::string& valid : field.valid) {
    const std::string prefix = file_prefix(valid);
    if (!prefix.empty() && text.starts_with(prefix)) return prefix.size();
  }
  return field.is(file_path) ? 0 : std::string::npos;
}

std::string with_absolute_path(const OptionField& field, const std::string& text,
                               const std::filesystem::path& folder) {
  const size_t begin = path_begin(field, text);
  return begin == std::string::npos ? text
                                    : text.substr(0, begin) + absolute_path(folder, text.substr(begin));
}

bool is_valid_name(const std::vector<std::string>& all_valid, const std::string& name) {
  return std::any_of(all_valid.begin(), all_valid.end(), [&](const std::string& valid) {
    const std::string prefix = file_prefix(valid);
    return prefix.empty() ? name == valid : name.starts_with(prefix) && name.size() > prefix.size();
  });
}

void check_value(const OptionField& field, const OptionValue& value, const std::string& origin) {
  const auto number = std::holds_alternative<int64_t>(value)  ? static_cast<double>(std::get<int64_t>(value))
                      : std::holds_alternative<double>(value) ? std::get<double>(value)
                                                              : std::nan("");
  const bool numeric = value.index() == 1 || value.index() == 2;
  // JSON cannot hold what is not finite.
  if (numeric && !(std::isfinite(number) && number >= field.range.minimum && number <= field.range.maximum)) {
    const std::string range = field.range.describe();
    throw UsageError(origin, to_text(value) + " is out of range",
                     "give " + (range.empty() ? "a finite number" : range));
  }
  if (!field.valid.empty()) {
    const auto& name = std::get<std::string>(value);
    if (!is_valid_name(field.valid, name))
      throw UsageError(origin, "'" + name + "' is unknown", suggest_name(name, field.valid));
  }
}

const OptionField* find_field(const std::vector<OptionField>& fields, const std::string& path) {
  const auto found = std::find_if(fields.begin(), fields.end(), [&](auto& f) { return f.path == path; });
  return found == fields.end() ? nullptr : &*found;
}

/// "encoder.type" of a field that exists only with "encoder.type=rnn".
std::string selector_of(const OptionField& field) {
  return field.only_with.substr(0, field.only_with.find('='));
}

/// "rnn" of the same.
std::string alternative_of(const OptionField& field) {
  return field.only_with.substr(field.only_with.find('=') + 1);
}

/// Whether the field has its default; also of one that has no such.
bool has_default(const OptionField& field, const std::vector<OptionField>& catalogue) {
  const auto usual = std::find_if(catalogue.begin(), catalogue.end(), [&](const OptionField& other) {
    return other.path == field.path && other.only_with == field.only_with;
  });
  return usual == catalogue.end() || usual->get() == field.get();
}

// No option has a longer path, and no options struct as many: a file could make them take hours to compare.
constexpr size_t longest_path = 200, most_options = 500;

void flatten(const Json& value, const std::string& prefix, const std::string& origin,
             const std::function<void(const std::string&, OptionValue)>& emit) {
  const std::string where = origin + ": " + prefix;
  if (prefix.size() > longest_path) throw UsageError(where, "is not an option", "give a shorter name");
  if (value.is_object()) {
    for (const auto& [key, inner] : value.items())
      flatten(inner, prefix.empty() ? normalize_key(key) : prefix + "." + normalize_key(key), origin, emit);
  } else if (prefix.empty()) {
    throw UsageError(origin, "is not a JSON object", "write {\"option\": value, ...}");
  } else if (value.is_boolean()) {
    emit(prefix, value.get<bool>());
  } else if (value.is_number_integer()) {
    if (value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX))
      throw UsageError(where, value.dump() + " is too large");
    emit(prefix, value.get<int64_t>());
  } else if (value.is_number()) {
    emit(prefix, value.get<double>());
  } else if (value.is_string()) {
    emit(prefix, value.get<std::string>());
  } else if (value.is_array() &&
             std::all_of(value.begin(), value.end(), [](auto& v) { return v.is_string(); })) {
    emit(prefix, value.get<std::vector<std::string>>());
  } else {
    throw UsageError(where, "'" + value.dump() + "' is not an option's value",
                     "give a number, a text or a list of texts");
  }
}

}  // namespace

std::string OptionRange::describe() const {
  const bool low = std::isfinite(minimum), high = std::isfinite(maximum);
  if (low && high) return short_number(minimum) + " to " + short_number(maximum);
  if (low) return "at least " + short_number(minimum);
  return high ? "at most " + short_number(maximum) : "";
}

std::string to_text(const OptionValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* whole = std::get_if<int64_t>(&value)) return std::to_string(*whole);
  if (const auto* number = std::get_if<double>(&value)) return short_number(*number);
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return joined(std::get<std::vector<std::string>>(value), " ");
}

OptionField OptionCollector::plain_field(std::string_view name, std::string_view help) const {
  OptionField result;
  result.path = path_prefix_ + std::string(name);
  result.flag = flag_prefix_ + std::string(name);
  result.help = help;
  result.only_with = only_with_;
  result.stands_beside = beside_;
  result.traits = traits_;
  return result;
}

std::string OptionField::typed() const {
  return (get() == OptionValue(false) ? "--no-" : "--") + flag;
}

OptionPatch OptionPatch::from_json(const std::string& text, const std::string& origin) {
  OptionPatch patch;
  flatten(parse_json(text, origin), "", origin, [&](const std::string& path, OptionValue value) {
    if (!patch.entries_.emplace(path, Entry{std::move(value), origin + ": " + path}).second)
      throw UsageError(origin + ": " + path, "occurs twice", "remove one of them");
    if (patch.entries_.size() > most_options)
      throw UsageError(origin, "has more than " + std::to_string(most_options) + " options",
                       "leave some out");
  });
  return patch;
}

OptionPatch OptionPatch::from_configuration(const std::string& path) {
  OptionPatch patch = from_json(read_file(path), path);
  patch.entries_.erase("format");  // of a run's config.json
  return patch;
}

void OptionPatch::set_text(const std::string& path, std::vector<std::string> words, const std::string& flag) {
  entries_[path] = Entry{std::move(words), flag, true};
}

void OptionPatch::set(const std::string& path, OptionValue value, const std::string& origin) {
  entries_[path] = Entry{std::move(value), origin};
}

void OptionPatch::merge(const OptionPatch& later) {
  for (const auto& [path, entry] : later.entries_) {
    const auto present = entries_.find(path);
    if (present == entries_.end() || to_text(present->second.value) == to_text(entry.value)) continue;
    for (auto& [other, earlier] : entries_) earlier.changed_since.insert(path);
  }
  for (const auto& [path, entry] : later.entries_) entries_[path] = entry;
}

void OptionPatch::resolve_paths(const std::vector<OptionField>& catalogue,
                                const std::filesystem::path& folder) {
  for (const OptionField& field : catalogue) {
    const auto entry = entries_.find(field.path);
    if (entry == entries_.end()) continue;
    if (auto* text = std::get_if<std::string>(&entry->second.value))
      *text = with_absolute_path(field, *text, folder);
  }
}

std::string OptionPatch::place_of(const OptionField& field) const {
  const auto found = entries_.find(field.path);
  return found == entries_.end() || found->second.from_text ? field.typed() : found->second.origin;
}

std::unique_ptr<OptionValue> OptionPatch::take(const std::string& path) {
  const auto found = entries_.find(path);
  if (found == entries_.end()) return nullptr;
  auto value = std::make_unique<OptionValue>(std::move(found->second.value));
  entries_.erase(found);
  return value;
}

/// One patch on its way into options.
class PatchApplication {
 public:
  using Entry = OptionPatch::Entry;
  PatchApplication(const std::function<std::vector<OptionField>()>& fields,
                   const std::vector<OptionField>& catalogue, const OptionPatch& patch)
      : fields_(fields), catalogue_(catalogue), entries_(patch.entries_) {}

  void run() const {
    select_alternatives();
    const auto current = fields_();
    for (const auto& [path, entry] : entries_) {
      const auto* field = find_field(current, path);
      if (is_outdated(entry, field != nullptr ? field : find_field(catalogue_, path))) continue;
      if (field == nullptr)
        accept_default(path, entry, current);
      else if (!field->selects_type)
        field->set(value_for(*field, entry));
    }
  }

 private:
  /// Outermost first: each decides which fields there are.
  void select_alternatives() const {
    std::multimap<size_t, const std::pair<const std::string, Entry>*> by_depth;
    for (const auto& named : entries_)
      if (const auto* field = find_field(catalogue_, named.first); field && field->selects_type)
        by_depth.emplace(selectors_above(*field).size(), &named);
    for (const auto& [depth, named] : by_depth) {
      const auto current = fields_();
      const auto* field = find_field(current, named->first);
      if (field && field->selects_type && !is_outdated(named->second, field))
        field->set(value_for(*field, named->second));
    }
  }

  /// The paths that decide, one above the other, whether the field exists.
  std::vector<std::string> selectors_above(const OptionField& field) const {
    std::vector<std::string> above;
    for (const auto* at = &field; at && !at->only_with.empty(); at = find_field(catalogue_, above.back()))
      above.push_back(selector_of(*at));
    return above;
  }

  /// Whether it was said of an alternative that a later patch has replaced.
  bool is_outdated(const Entry& entry, const OptionField* field) const {
    if (field == nullptr || entry.changed_since.empty()) return false;
    const auto above = selectors_above(*field);
    return std::ranges::any_of(above, [&](auto& path) { return entry.changed_since.contains(path); });
  }

  static OptionValue value_for(const OptionField& field, const Entry& entry) {
    std::string problem;
    OptionValue value = convert(entry.value, field.get(), entry.from_text, problem);
    if (!problem.empty()) throw UsageError(entry.origin, problem);
    check_value(field, value, entry.origin);
    return value;
  }

  /// Throws unless `path`, which is no current field, is one of a kind that is not selected, and says its
  /// default.
  void accept_default(const std::string& path, const Entry& entry,
                      const std::vector<OptionField>& current) const {
    const bool typed = entry.origin.starts_with("--");
    std::string owners;  // who has such a field
    for (const OptionField& field : catalogue_) {
      if (field.path != path || !field.stands_beside || !find_field(current, selector_of(field))) continue;
      if (value_for(field, entry) == field.get()) return;
      owners += owners.empty() ? selection(field, typed) : " or " + alternative_of(field);
    }
    if (!owners.empty()) refuse_alternative(entry, to_text(entry.value) + " applies only with " + owners);
    if (const auto* other = find_field(catalogue_, path))
      refuse_alternative(entry, "applies only with " + selection(*other, typed));
    std::vector<std::string> names;
    for (const auto& field : current) names.push_back(typed ? "--" + field.flag : field.path);
    throw UsageError(entry.origin, "is not an option", suggest_name(typed ? entry.origin : path, names));
  }

  /// What selects the alternative that has the field: "--encoder rnn", in a file "encoder.type=rnn".
  std::string selection(const OptionField& field, bool typed) const {
    if (!typed) return field.only_with;
    return "--" + find_field(catalogue_, selector_of(field))->flag + " " + alternative_of(field);
  }

  [[noreturn]] static void refuse_alternative(const Entry& entry, const std::string& problem) {
    throw UsageError(entry.origin, problem, "choose that, or leave this out");
  }

  const std::function<std::vector<OptionField>()>& fields_;
  const std::vector<OptionField>& catalogue_;
  const std::map<std::string, Entry>& entries_;
};

void apply_patch(const std::function<std::vector<OptionField>()>& fields,
                 const std::vector<OptionField>& catalogue, const OptionPatch& patch) {
  PatchApplication(fields, catalogue, patch).run();
}

std::string fields_to_json(const std::vector<OptionField>& fields) {
  Json root = Json::object();
  for (const auto& field : fields) {
    Json* at = &root;
    std::string_view rest = field.path;
    for (size_t dot = rest.find('.'); dot != std::string_view::npos; dot = rest.find('.')) {
      at = &(*at)[std::string(rest.substr(0, dot))];
      rest.remove_prefix(dot + 1);
    }
    std::visit([&](const auto& value) { (*at)[std::string(rest)] = value; }, field.get());
  }
  return dump_json(root, 2);
}

void check_field_conditions(const std::vector<OptionField>& fields,
                            const std::vector<OptionField>& catalogue) {
  for (const OptionField& field : fields)
    for (const OptionCondition& condition : field.conditions)
      if (!condition.holds && !condition.harmless && !has_default(field, catalogue))
        throw UsageError(field.typed(), "would change nothing", condition.remedy);
}

std::vector<std::string> idle_fields(const std::vector<OptionField>& fields,
                                     const std::vector<OptionField>& catalogue, const OptionPatch& given) {
  std::vector<std::pair<std::string, std::vector<std::string>>> by_circumstance;
  for (const OptionField& field : fields)
    for (const OptionCondition& condition : field.conditions) {
      if (condition.holds || !condition.harmless || !given.contains(field.path) ||
          has_default(field, catalogue))
        continue;
      auto same =
          std::ranges::find(by_circumstance, condition.remedy, &decltype(by_circumstance)::value_type::first);
      if (same == by_circumstance.end()) same = by_circumstance.insert(same, {condition.remedy, {}});
      same->second.push_back(given.place_of(field));
    }
  std::vector<std::string> lines;
  for (const auto& [circumstance, places] : by_circumstance)
    lines.push_back(joined(places) + (places.size() == 1 ? " changes" : " change") + " nothing " +
                    circumstance);
  return lines;
}

void check_field_values(const std::vector<OptionField>& fields, const std::string& prefix) {
  for (const OptionField& field : fields) check_value(field, field.get(), prefix + field.flag);
}

void check_named(const std::vector<OptionField>& fields,
                 const std::function<std::string(const OptionField&)>& name,
                 const std::function<void()>& check) {
  try {
    check();
  } catch (const UsageError& error) {
    for (const OptionField& field : fields)
      if (error.place() == "--" + field.flag || error.place() == field.typed())
        throw UsageError(name(field), error.problem(), error.remedy());
    throw;
  }
}

std::string absolute_path(const std::filesystem::path& folder, const std::string& path) {
  return path.empty() ? path : std::filesystem::absolute(folder / path).lexically_normal().string();
}

void resolve_field_paths(const std::vector<OptionField>& fields, const std::filesystem::path& folder) {
  for (const OptionField& field : fields)
    if (const OptionValue value = field.get(); std::holds_alternative<std::string>(value))
      field.set(with_absolute_path(field, std::get<std::string>(value), folder));
}

std::vector<OptionField> fields_that_differ(const std::vector<OptionField>& a,
                                            const std::vector<OptionField>& b) {
  std::vector<OptionField> result;
  for (const OptionField& field : b) {
    const OptionField* other = find_field(a, field.path);
    if (other == nullptr || other->get() != field.get()) result.push_back(field);
  }
  for (const OptionField& field : a)
    if (find_field(b, field.path) == nullptr) result.push_back(field);
  return result;
}

}  // namespace seq2seq
