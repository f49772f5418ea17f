#pragma once

// Options are declared once. A plain struct with defaults carries one visitor:
//
//   struct BeamOptions {
//     int64_t beam_size = 5;
//     static void fields(auto& o, auto& f) {
//       f("beam-size", o.beam_size, "hypotheses kept per sentence", in_range(1, 64));
//     }
//   };
//
// Flags, strict JSON in and out, --help and the reference table all follow from it.
// A struct that is one alternative of a `choice` or a `kind` also has `static constexpr const char* type`.
// An enum needs `std::span<const char* const> option_names(E)` found by argument-dependent lookup, in the
// order of its enumerators, which start at 0 without gaps.

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace seq2seq {

/// Inclusive bounds of a number, checked whichever way it is set.
struct OptionRange {
  double minimum = -std::numeric_limits<double>::infinity();
  double maximum = std::numeric_limits<double>::infinity();
  std::string describe() const;  // "1 to 64", "at least 0", ""
};
inline OptionRange in_range(double minimum, double maximum) {
  return {minimum, maximum};
}
inline OptionRange at_least(double minimum) {
  return {minimum, std::numeric_limits<double>::infinity()};
}

/// The name of an option's value.
template <class Enum>
std::string option_name(Enum value) {
  return option_names(Enum{})[static_cast<size_t>(value)];
}

/// Of a variant of options structs: the name of the selected alternative, and of all.
template <class... Alternative>
std::string option_name(const std::variant<Alternative...>& options) {
  return std::visit([](const auto& o) { return std::string(o.type); }, options);
}
template <class... Alternative>
std::span<const char* const> option_names(const std::variant<Alternative...>&) {
  static constexpr const char* names[] = {Alternative::type...};
  return names;
}

using OptionValue = std::variant<bool, int64_t, double, std::string, std::vector<std::string>>;

/// One option of one options struct, seen without its type.
struct OptionField {
  std::string path;  ///< dotted, as in JSON: "encoder.layers"
  std::string flag;  ///< as on the command line, without dashes
  std::string help;
  std::string only_with;       ///< "encoder.type=rnn": exists only in that alternative
  bool stands_beside = false;  ///< `only_with` is a `kind`: other alternatives take its default in silence
  OptionRange range;
  std::vector<std::string> valid;  ///< the names of an enum or of a variant's alternatives
  bool selects_type = false;       ///< setting it changes which other fields exist
  std::function<OptionValue()> get;
  std::function<void(const OptionValue&)> set;  ///< the value already has the field's alternative
};

/// How the flags of a group are spelled: "--optimizer.beta1" or, where no other name clashes,
/// "--train-source".
enum class GroupFlags { prefixed, plain };

/// The visitor that turns an options struct into a list of fields.
class OptionCollector {
 public:
  enum class Alternatives { selected, all };
  explicit OptionCollector(std::vector<OptionField>& out, Alternatives alternatives = Alternatives::selected)
      : out_(out), alternatives_(alternatives) {}

  template <class T>
  void operator()(std::string_view name, T& value, std::string_view help, OptionRange range = {});

  /// A nested struct. `owner` keeps a temporary alive while its fields are listed.
  template <class Group>
  void group(std::string_view name, Group& options, GroupFlags flags = GroupFlags::prefixed);

  /// A variant of structs; the field `name.type` selects the alternative.
  template <class... Alternative>
  void choice(std::string_view name, std::variant<Alternative...>& options, std::string_view help,
              GroupFlags flags = GroupFlags::prefixed);

  /// A variant of structs whose fields stand beside the one that selects the alternative: `attention`, and
  /// with `attention` multi-head also `heads`. Such a field may be said with another alternative, too, as
  /// long as it says its default.
  template <class... Alternative>
  void kind(std::string_view name, std::variant<Alternative...>& options, std::string_view help);

 private:
  OptionField field(std::string_view name, std::string_view help) const;
  template <class... Alternative>
  void select(OptionField field, std::variant<Alternative...>& options);
  template <class... Alternative>
  void alternatives(std::variant<Alternative...>& options, const std::string& selector);
  template <class Alternative, class Variant>
  void alternative(Variant& options, const std::string& selector);

  std::vector<OptionField>& out_;
  Alternatives alternatives_;
  std::string path_prefix_, flag_prefix_, only_with_;
  bool beside_ = false;
  std::shared_ptr<void> owner_;
};

/// The fields of `options` as it is now; setting through them changes `options`, which must outlive them.
template <class Options>
std::vector<OptionField> option_fields(Options& options) {
  std::vector<OptionField> result;
  OptionCollector collector(result);
  Options::fields(options, collector);
  return result;
}

/// The fields of every alternative, for help and documentation; setting them changes nothing lasting.
template <class Options>
std::vector<OptionField> option_catalogue() {
  auto options = std::make_shared<Options>();
  std::vector<OptionField> result;
  OptionCollector collector(result, OptionCollector::Alternatives::all);
  Options::fields(*options, collector);
  for (auto& field : result) field.get = [keep = options, get = field.get] { return get(); };
  return result;
}

// Visiting a large struct takes a compiler seconds: a header may declare that one file does so for all.
#define SEQ2SEQ_DECLARE_OPTIONS(Options)                                     \
  extern template std::vector<OptionField> option_fields<Options>(Options&); \
  extern template std::vector<OptionField> option_catalogue<Options>();
#define SEQ2SEQ_DEFINE_OPTIONS(Options)                               \
  template std::vector<OptionField> option_fields<Options>(Options&); \
  template std::vector<OptionField> option_catalogue<Options>();

/// Values for some paths, each with the place it came from. Later entries win.
class OptionPatch {
 public:
  /// A JSON object; nested objects become dotted paths, '_' in a key is read as '-'.
  static OptionPatch from_json(const std::string& text, const std::string& origin);
  static OptionPatch from_json_file(const std::string& path);

  /// A value typed on the command line; `flag` is the origin shown in errors.
  void set_text(const std::string& path, std::vector<std::string> words, const std::string& flag);
  void set(const std::string& path, OptionValue value, const std::string& origin);
  /// Where `later` chooses another alternative than this patch, what this patch says of the old one is
  /// dropped.
  void merge(const OptionPatch& later);
  /// Moves the entries below `group` ("model") into a patch of their own, with the prefix taken off.
  OptionPatch take_group(const std::string& group);
  bool contains(const std::string& path) const { return entries_.contains(path); }
  /// The typed value at `path`, removed from the patch; null when absent.
  std::unique_ptr<OptionValue> take(const std::string& path);

 private:
  struct Entry {
    OptionValue value;
    std::string origin;
    bool from_text = false;
    std::set<std::string> changed_since = {};  // paths to which later patches gave another value
  };
  std::map<std::string, Entry> entries_;
  friend class PatchApplication;
};

/// Type-erased body of `apply`.
void apply_patch(const std::function<std::vector<OptionField>()>& fields,
                 const std::vector<OptionField>& catalogue, const OptionPatch& patch);

/// Sets what `patch` names. Throws UsageError naming the origin, the value and the nearest valid name for an
/// unknown key, a key of an unselected alternative, a wrong type or a value out of range.
template <class Options>
void apply(Options& options, const OptionPatch& patch) {
  apply_patch([&options] { return option_fields(options); }, option_catalogue<Options>(), patch);
}

/// Pretty-printed JSON of all fields. `const_cast` is safe: only getters run.
std::string fields_to_json(const std::vector<OptionField>& fields);
template <class Options>
std::string options_to_json(const Options& options) {
  return fields_to_json(option_fields(const_cast<Options&>(options)));
}
template <class Options>
Options options_from_json(const std::string& text, const std::string& origin) {
  Options options;
  apply(options, OptionPatch::from_json(text, origin));
  return options;
}

/// Paths whose values differ, for "cannot be changed when resuming".
std::vector<std::string> differing_paths(const std::vector<OptionField>& a,
                                         const std::vector<OptionField>& b);

/// Shown in help and tables: `true`, `5`, `0.001`, `name`, `[]`.
std::string to_text(const OptionValue& value);

// Template bodies -------------------------------------------------------------------------------------------

template <class T>
void OptionCollector::operator()(std::string_view name, T& value, std::string_view help, OptionRange range) {
  OptionField entry = field(name, help);
  entry.range = range;
  auto keep = owner_;
  if constexpr (std::is_enum_v<T>) {
    for (const char* valid : option_names(T{})) entry.valid.emplace_back(valid);
    entry.get = [&value, keep] {
      return OptionValue(std::string(option_names(T{})[static_cast<size_t>(value)]));
    };
    entry.set = [&value, keep](const OptionValue& v) {
      const auto names = option_names(T{});
      for (size_t i = 0; i < names.size(); ++i)
        if (std::get<std::string>(v) == names[i]) value = static_cast<T>(i);
    };
  } else {
    static_assert(std::is_same_v<T, bool> || std::is_same_v<T, int64_t> || std::is_same_v<T, double> ||
                  std::is_same_v<T, std::string> || std::is_same_v<T, std::vector<std::string>>);
    entry.get = [&value, keep] { return OptionValue(value); };
    entry.set = [&value, keep](const OptionValue& v) { value = std::get<T>(v); };
  }
  out_.push_back(std::move(entry));
}

template <class Group>
void OptionCollector::group(std::string_view name, Group& options, GroupFlags flags) {
  OptionCollector inner = *this;
  inner.path_prefix_ += std::string(name) + ".";
  if (flags == GroupFlags::prefixed) inner.flag_prefix_ += std::string(name) + ".";
  Group::fields(options, inner);
}

template <class... Alternative>
void OptionCollector::choice(std::string_view name, std::variant<Alternative...>& options,
                             std::string_view help, GroupFlags flags) {
  OptionCollector inner = *this;
  inner.beside_ = false;
  inner.path_prefix_ += std::string(name) + ".";
  if (flags == GroupFlags::prefixed) inner.flag_prefix_ += std::string(name) + ".";
  OptionField type = field(name, help);  // --encoder rnn, --encoder.layers 2
  type.path += ".type";
  select(type, options);
  inner.alternatives(options, type.path);
}

template <class... Alternative>
void OptionCollector::kind(std::string_view name, std::variant<Alternative...>& options,
                           std::string_view help) {
  OptionCollector inner = *this;
  inner.beside_ = true;
  const OptionField type = field(name, help);
  select(type, options);
  inner.alternatives(options, type.path);
}

template <class... Alternative>
void OptionCollector::select(OptionField field, std::variant<Alternative...>& options) {
  using Variant = std::variant<Alternative...>;
  field.selects_type = true;
  field.valid = {Alternative::type...};
  auto keep = owner_;
  field.get = [&options, keep] { return OptionValue(option_name(options)); };
  field.set = [&options, keep](const OptionValue& v) {
    const auto& wanted = std::get<std::string>(v);
    auto select = [&]<class A>(std::type_identity<A>) {
      if (wanted == A::type && !std::holds_alternative<A>(options)) options = Variant(A{});
    };
    (select(std::type_identity<Alternative>{}), ...);
  };
  out_.push_back(std::move(field));
}

template <class... Alternative>
void OptionCollector::alternatives(std::variant<Alternative...>& options, const std::string& selector) {
  (alternative<Alternative>(options, selector), ...);
}

template <class Alternative, class Variant>
void OptionCollector::alternative(Variant& options, const std::string& selector) {
  OptionCollector inner = *this;
  inner.only_with_ = selector + "=" + Alternative::type;
  if (auto* selected = std::get_if<Alternative>(&options)) {
    Alternative::fields(*selected, inner);
  } else if (alternatives_ == Alternatives::all) {
    auto owner = std::make_shared<Alternative>();
    inner.owner_ = owner;
    Alternative::fields(*owner, inner);
  }
}

}  // namespace seq2seq
