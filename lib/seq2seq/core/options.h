#pragma once

// Options are declared once. A plain struct with defaults carries one visitor:
//
//   struct BeamOptions {
//     int64_t beam_size = 5;
//     bool sample = false;
//     double temperature = 1;
//     static void fields(auto& o, auto& f) {
//       f("beam-size", o.beam_size, "hypotheses kept per sentence", in_range(1, 64), everyday);
//       f("sample", o.sample, "draw each word");
//       f("temperature", o.temperature, "of drawing", at_least(0), only_if(o.sample, "add --sample"));
//     }
//   };
//
// Flags, strict JSON in and out, --help and the reference table all follow from it. After the help text come
// further attributes of an option, in any order. A struct that is one alternative of a `choice` or a `kind`
// also has `static constexpr const char* type`. An enum needs `std::span<const char* const> option_names(E)`
// found by argument-dependent lookup, in the order of its enumerators, which start at 0 without gaps.

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
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

/// What is known of an option beside its values.
enum class OptionTrait {
  file_path,         ///< names a file: a relative one in a study is taken from its folder
  on_resume_free,    ///< may change when a run is resumed
  same_in_a_study,   ///< must not differ between the runs of a study
  fixed_by_model,    ///< a model that training begins with decides it
  only_in_training,  ///< of those that a model fixes: may change, as a trained model has no use for it
  everyday,          ///< people change it: where a command has such, --help leaves the others to --help-all
};
using enum OptionTrait;

/// The option would change nothing unless `holds`. Another value than its default is refused, because what was
/// intended would not happen, or, where nothing is lost and sweeps and wrappers say it anyway, noted.
struct OptionCondition {
  bool holds;
  std::string remedy;  ///< "add --sample"; of what is noted, the circumstance: "without --sample"
  bool harmless = false;
};
inline OptionCondition only_if(bool holds, std::string remedy) {
  return {holds, std::move(remedy)};
}
inline OptionCondition noted_unless(bool holds, std::string circumstance) {
  return {holds, std::move(circumstance), true};
}

/// A name that its flag had in earlier versions, and still has.
struct FormerFlag {
  std::string name;
};
inline FormerFlag formerly(std::string name) {
  return {std::move(name)};
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
  std::set<OptionTrait> traits;
  std::vector<OptionCondition> conditions;
  std::vector<std::string> former_flags;
  /// The names of an enum or of a variant's alternatives, or those that a text may have: "spm:FILE" among
  /// these stands for "spm:" and the path of a file.
  std::vector<std::string> valid;
  bool selects_type = false;     ///< setting it changes which other fields exist
  const void* member = nullptr;  ///< what holds its value
  std::function<OptionValue()> get;
  std::function<void(const OptionValue&)> set;  ///< the value already has the field's alternative

  bool is(OptionTrait trait) const { return traits.contains(trait); }
  /// As its present value is typed: "--stem", "--no-stem". Errors name it so, unless it came from a file.
  std::string typed() const;

  void attach(OptionRange bounds) { range = bounds; }
  void attach(OptionTrait trait) { traits.insert(trait); }
  void attach(OptionCondition condition) { conditions.push_back(std::move(condition)); }
  void attach(std::vector<std::string> names) { valid = std::move(names); }
  void attach(FormerFlag former) { former_flags.push_back(std::move(former.name)); }
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

  /// An attribute is an OptionRange, OptionTrait, OptionCondition, FormerFlag or the valid names of a text.
  template <class T, class... Attribute>
  void operator()(std::string_view name, T& value, std::string_view help, Attribute... attributes);

  /// A nested struct, all of whose options have `traits` as well.
  template <class Group, std::same_as<OptionTrait>... Trait>
  void group(std::string_view name, Group& options, GroupFlags flags = GroupFlags::prefixed, Trait... traits);

  /// A variant of structs; the field `name.type` selects the alternative.
  template <class... Alternative, class... Attribute>
  void choice(std::string_view name, std::variant<Alternative...>& options, std::string_view help,
              Attribute... attributes);

  /// A variant of structs whose fields stand beside the one that selects the alternative: `attention`, and
  /// with `attention` multi-head also `heads`. Such a field may be said with another alternative, too, as
  /// long as it says its default.
  template <class... Alternative, class... Attribute>
  void kind(std::string_view name, std::variant<Alternative...>& options, std::string_view help,
            Attribute... attributes);

  /// Further attributes of the option that `member` holds, listed by a group that cannot see what they depend
  /// on.
  template <class... Attribute>
  void also(const void* member, const Attribute&... attributes);

 private:
  template <class... Attribute>
  OptionField field(std::string_view name, std::string_view help, Attribute... attributes) const;
  OptionField plain_field(std::string_view name, std::string_view help) const;
  template <class... Alternative>
  void select(OptionField field, std::variant<Alternative...>& options);
  template <class... Alternative>
  void alternatives(std::variant<Alternative...>& options, const std::string& selector);
  template <class Alternative, class Variant>
  void alternative(Variant& options, const std::string& selector);

  std::vector<OptionField>& out_;
  Alternatives alternatives_;
  std::string path_prefix_, flag_prefix_, only_with_;
  std::set<OptionTrait> traits_;  // of all fields of the group
  bool beside_ = false;
  std::shared_ptr<void> owner_;  // keeps a temporary alive while its fields are listed
};

/// The fields of `options` as it is now; setting through them changes `options`, which must outlive them.
template <class Options>
std::vector<OptionField> option_fields(Options& options) {
  std::vector<OptionField> result;
  OptionCollector collector(result);
  Options::fields(options, collector);
  return result;
}

/// The path of the option that `member` of `options` holds.
template <class Options>
std::string path_of(Options& options, const void* member) {
  for (const OptionField& field : option_fields(options))
    if (field.member == member) return field.path;
  return {};
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
  /// A JSON file: a preset, or the config.json of a run.
  static OptionPatch from_configuration(const std::string& path);

  /// A value typed on the command line; `flag` is the origin shown in errors.
  void set_text(const std::string& path, std::vector<std::string> words, const std::string& flag);
  void set(const std::string& path, OptionValue value, const std::string& origin);
  /// Where `later` chooses another alternative than this patch, what this patch says of the old one is
  /// dropped.
  void merge(const OptionPatch& later);
  /// Relative paths among the values become absolute ones, taken from `folder`.
  void resolve_paths(const std::vector<OptionField>& catalogue, const std::filesystem::path& folder);
  bool contains(const std::string& path) const { return entries_.contains(path); }
  /// Where the option's value came from ("c.json: encoder.layers"), or else its flag: what errors name it by.
  std::string place_of(const OptionField& field) const;
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

/// Type-erased body of `check_conditions`.
void check_field_conditions(const std::vector<OptionField>& fields,
                            const std::vector<OptionField>& catalogue);

/// Throws UsageError naming the flag of an option that would change nothing (`only_if`). `const_cast` is
/// safe: only getters run, here and below.
template <class Options>
void check_conditions(const Options& options) {
  check_field_conditions(option_fields(const_cast<Options&>(options)), option_catalogue<Options>());
}

/// Type-erased body of `idle_options`.
std::vector<std::string> idle_fields(const std::vector<OptionField>& fields,
                                     const std::vector<OptionField>& catalogue, const OptionPatch& given);

/// Of the options given, those that change nothing without harm (`noted_unless`), a line for each
/// circumstance: "--seed changes nothing without --sample".
template <class Options>
std::vector<std::string> idle_options(const Options& options, const OptionPatch& given) {
  return idle_fields(option_fields(const_cast<Options&>(options)), option_catalogue<Options>(), given);
}

/// Type-erased body of `check_values`.
void check_field_values(const std::vector<OptionField>& fields, const std::string& prefix);

/// Throws UsageError naming the flag of an option, behind `prefix`, that is out of its range: a program may
/// have set its member.
template <class Options>
void check_values(const Options& options, const std::string& prefix = "--") {
  check_field_values(option_fields(const_cast<Options&>(options)), prefix);
}

/// Calls `check`. An option that it refuses by its flag is named as `name` says instead.
void check_named(const std::vector<OptionField>& fields,
                 const std::function<std::string(const OptionField&)>& name,
                 const std::function<void()>& check);

/// The same with what `patch` has from a file named by its place there.
template <class Options>
void check_as_given(Options& options, const OptionPatch& patch, const std::function<void()>& check) {
  check_named(
      option_fields(options), [&](const OptionField& field) { return patch.place_of(field); }, check);
}

/// Relative paths among the options become absolute ones, taken from `folder`.
void resolve_field_paths(const std::vector<OptionField>& fields, const std::filesystem::path& folder);
template <class Options>
void resolve_paths(Options& options, const std::filesystem::path& folder) {
  resolve_field_paths(option_fields(options), folder);
}
/// `path` taken from `folder`; the empty path, which is none, stays so.
std::string absolute_path(const std::filesystem::path& folder, const std::string& path);

/// Pretty-printed JSON of all fields.
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

/// The fields of b that a lacks or has with another value, then those of a that b lacks.
std::vector<OptionField> fields_that_differ(const std::vector<OptionField>& a,
                                            const std::vector<OptionField>& b);
template <class Options>
std::vector<OptionField> differing_fields(Options& a, Options& b) {
  return fields_that_differ(option_fields(a), option_fields(b));
}

/// Shown in help and tables: `true`, `5`, `0.001`, `name`, `[]`.
std::string to_text(const OptionValue& value);

// Template bodies -------------------------------------------------------------------------------------------

template <class... Attribute>
OptionField OptionCollector::field(std::string_view name, std::string_view help,
                                   Attribute... attributes) const {
  OptionField result = plain_field(name, help);
  (result.attach(std::move(attributes)), ...);
  return result;
}

template <class T, class... Attribute>
void OptionCollector::operator()(std::string_view name, T& value, std::string_view help,
                                 Attribute... attributes) {
  OptionField entry = field(name, help, std::move(attributes)...);
  entry.member = &value;
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

template <class Group, std::same_as<OptionTrait>... Trait>
void OptionCollector::group(std::string_view name, Group& options, GroupFlags flags, Trait... traits) {
  OptionCollector inner = *this;
  (inner.traits_.insert(traits), ...);
  inner.path_prefix_ += std::string(name) + ".";
  if (flags == GroupFlags::prefixed) inner.flag_prefix_ += std::string(name) + ".";
  Group::fields(options, inner);
}

template <class... Attribute>
void OptionCollector::also(const void* member, const Attribute&... attributes) {
  for (OptionField& entry : out_)
    if (entry.member == member) (entry.attach(attributes), ...);
}

template <class... Alternative, class... Attribute>
void OptionCollector::choice(std::string_view name, std::variant<Alternative...>& options,
                             std::string_view help, Attribute... attributes) {
  OptionCollector inner = *this;
  inner.beside_ = false;
  inner.path_prefix_ += std::string(name) + ".";
  inner.flag_prefix_ += std::string(name) + ".";
  OptionField type = field(name, help, std::move(attributes)...);  // --encoder rnn, --encoder.layers 2
  type.path += ".type";
  select(type, options);
  inner.alternatives(options, type.path);
}

template <class... Alternative, class... Attribute>
void OptionCollector::kind(std::string_view name, std::variant<Alternative...>& options,
                           std::string_view help, Attribute... attributes) {
  OptionCollector inner = *this;
  inner.beside_ = true;
  const OptionField type = field(name, help, std::move(attributes)...);
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
