#include "flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <stdexcept>

#include "seq2seq/core/join.h"

namespace seq2seq {
namespace {

/// A field that alternatives of a choice may share, with one flag for all of them.
struct MergedField {
  OptionField field;
  std::vector<std::string> only_with;  // the alternatives that have it
};

std::vector<MergedField> merge_fields(const std::vector<OptionField>& catalogue) {
  std::vector<MergedField> merged;
  for (const auto& field : catalogue) {
    const auto same =
        std::find_if(merged.begin(), merged.end(), [&](auto& m) { return m.field.flag == field.flag; });
    if (same == merged.end())
      merged.push_back({field, {field.only_with}});
    else if (same->field.path == field.path)
      same->only_with.push_back(field.only_with);
    else
      throw std::logic_error("--" + field.flag + " names both " + same->field.path + " and " + field.path);
  }
  return merged;
}

/// "only with --encoder rnn or transformer", from "encoder.type=rnn" etc.; empty if all alternatives have it.
std::string describe_alternatives(const MergedField& merged, const std::vector<OptionField>& catalogue) {
  std::string text, type_path;
  size_t alternatives = 0;
  for (const std::string& only_with : merged.only_with) {
    if (only_with.empty()) return {};
    const size_t equal = only_with.find('=');
    const bool another = only_with.substr(0, equal) != type_path;
    alternatives = another ? 1 : alternatives + 1;
    type_path = only_with.substr(0, equal);
    const auto type = std::ranges::find(catalogue, type_path, &OptionField::path);
    if (type == catalogue.end() || type->valid.size() == alternatives) return {};
    text +=
        (text.empty() ? "" : " or ") + (another ? "--" + type->flag + " " : "") + only_with.substr(equal + 1);
  }
  return "only with " + text;
}

std::string describe(const MergedField& merged, const std::vector<OptionField>& catalogue) {
  const OptionField& field = merged.field;
  std::vector<std::string> notes;
  if (!field.valid.empty()) notes.push_back(joined(field.valid, " | "));
  if (const auto range = field.range.describe(); !range.empty()) notes.push_back(range);
  if (const auto value = to_text(field.get()); !value.empty()) notes.push_back("default " + value);
  if (const auto where = describe_alternatives(merged, catalogue); !where.empty()) notes.push_back(where);
  return notes.empty() ? field.help : field.help + " (" + joined(notes, "; ") + ")";
}

/// The help group of an option that is not everyday: the outermost group of `path`; without one, `others`.
std::string help_group(const std::string& path, const char* others) {
  const size_t dot = path.find('.');
  if (dot == std::string::npos) return others;
  std::string group = path.substr(0, dot) + " options";
  std::replace(group.begin(), group.end(), '-', ' ');
  group[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(group[0])));
  return group;
}

std::string value_name(const OptionField& field) {
  if (!field.valid.empty()) return "NAME";
  static constexpr const char* names[] = {"", "N", "NUMBER", "TEXT", "TEXT..."};
  return names[field.get().index()];
}

/// The flag's names for CLI11, the current one first.
std::string names_of(const OptionField& field) {
  const bool flag = std::holds_alternative<bool>(field.get());
  std::string names;
  const auto add = [&](const std::string& name) {
    names += (names.empty() ? "--" : ",--") + name + (flag ? ",!--no-" + name : "");
  };
  add(field.flag);
  for (const std::string& former : field.former_flags) add(former);
  return names;
}

CLI::Option* add_flag(CLI::App& command, const MergedField& merged,
                      const std::vector<OptionField>& catalogue) {
  const OptionField& field = merged.field;
  const std::string help = describe(merged, catalogue);
  const OptionValue value = field.get();
  CLI::Option* option = nullptr;
  if (std::holds_alternative<bool>(value)) {
    option = command.add_flag(names_of(field), help);
  } else {
    option = command.add_option(names_of(field), help)->type_name(value_name(field));
    if (std::holds_alternative<std::vector<std::string>>(value))
      option->expected(1, CLI::detail::expected_max_vector_size)->allow_extra_args();
  }
  // Keep all values: of those that are no list, the last one counts (`patch`).
  return option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

}  // namespace

FlagSet::FlagSet(CLI::App& command, const std::vector<OptionField>& catalogue, ConfigFlag config) {
  const bool chosen = std::ranges::any_of(catalogue, [](auto& field) { return field.is(everyday); });
  if (chosen && command.get_help_all_ptr() == nullptr)
    command.set_help_all_flag("--help-all", "show all options and exit")->group(everyday_group);
  if (config == ConfigFlag::offered) {
    config_ = command.add_option("--config", "a JSON file with options; flags win over it")
                  ->type_name("FILE")
                  ->group(everyday_group)
                  ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
  for (const auto& merged : merge_fields(catalogue)) {
    const OptionField& field = merged.field;
    CLI::Option* option = add_flag(command, merged, catalogue);
    option->group(field.is(everyday) ? everyday_group
                                     : help_group(field.path, chosen ? "Further options" : everyday_group));
    bindings_.push_back(
        {field.path, field.flag, option, std::holds_alternative<std::vector<std::string>>(field.get())});
  }
}

OptionPatch FlagSet::patch() const {
  OptionPatch result;
  if (config_ && config_->count() > 0) result = OptionPatch::from_configuration(config_->as<std::string>());
  OptionPatch typed;
  for (const auto& [path, flag, option, is_list] : bindings_) {
    if (option->count() == 0) continue;
    std::vector<std::string> words = option->results();
    if (!is_list) words.erase(words.begin(), words.end() - 1);
    typed.set_text(path, std::move(words), "--" + flag);
  }
  result.merge(typed);
  return result;
}

}  // namespace seq2seq
