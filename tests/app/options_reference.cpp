// Prints docs/options.md: the options of every command, from their declarations. It is linked with the
// program's commands, but with this FlagSet in the place of the one that makes flags: commands hand it what
// they declare.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <map>

#include "commands.h"
#include "flags.h"

namespace seq2seq {
namespace {

struct Declaration {
  std::vector<OptionField> catalogue;
  ConfigFlag config = ConfigFlag::none;
};
std::map<const CLI::App*, std::vector<Declaration>> declared;

constexpr const char* introduction = R"(# Options

Made from the declarations in the code; a test compares. A *key* is the place in the JSON file of `--config` and in a
run's `config.json`: `a.b` is `{"a": {"b": ...}}`; a relative path there is taken from the present folder, as that of a flag
is. A flag `--[no-]x` is `--x`, `--no-x` or `--x=false`; *texts* are one or more words after the flag. An empty
default is the empty text or list.
)";

std::string name_of(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return parent->get_parent() == nullptr ? command.get_name() : name_of(*parent) + " " + command.get_name();
}

/// Help as Markdown: neither a table's bar nor an HTML tag.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '|' || c == '<') result += '\\';
    result += c;
  }
  return result;
}

std::string code(const std::string& text) {
  return text.empty() ? "" : "`" + text + "`";
}

std::string flag_of(const OptionField& field) {
  return code((std::holds_alternative<bool>(field.get()) ? "--[no-]" : "--") + field.flag);
}

std::string values_of(const OptionField& field) {
  static constexpr const char* kinds[] = {"true or false", "whole number", "number", "text", "texts"};
  std::string names;
  for (const auto& name : field.valid) names += (names.empty() ? "" : ", ") + code(name);
  if (!names.empty()) return names;
  const std::string range = field.range.describe();
  return kinds[field.get().index()] + (range.empty() ? "" : ", " + range);
}

void print_row(const std::vector<std::string>& cells) {
  for (const auto& text : cells) std::cout << "| " << text << " ";
  std::cout << "|\n";
}

void print_header(const std::vector<std::string>& titles) {
  std::cout << "\n";
  print_row(titles);
  print_row(std::vector<std::string>(titles.size(), "---"));
}

/// The outermost JSON group that a field belongs to.
std::string group_of(const OptionField& field) {
  return field.path.substr(0, field.path.find('.'));
}

/// "optimization.optimizer.type=adam" as "With `--optimizer adam`:".
std::string condition_text(const std::string& only_with, const std::vector<OptionField>& catalogue) {
  const size_t equal = only_with.find('=');
  const auto type = std::find_if(catalogue.begin(), catalogue.end(),
                                 [&](auto& field) { return field.path == only_with.substr(0, equal); });
  return "With " + code("--" + type->flag + " " + only_with.substr(equal + 1)) + ":";
}

/// Each value of `key` once, in the order in which they occur.
template <class Key>
std::vector<std::string> distinct(const std::vector<OptionField>& fields, Key key) {
  std::vector<std::string> values;
  for (const auto& field : fields)
    if (std::find(values.begin(), values.end(), key(field)) == values.end()) values.push_back(key(field));
  return values;
}

/// Those that hold always, then those of each alternative. Keys matter to --config alone.
void print_tables(std::vector<OptionField> fields, const std::vector<OptionField>& catalogue, bool keys) {
  std::stable_partition(fields.begin(), fields.end(), [](auto& field) { return field.only_with.empty(); });
  for (const auto& condition : distinct(fields, [](auto& field) { return field.only_with; })) {
    if (!condition.empty()) std::cout << "\n" << condition_text(condition, catalogue) << "\n";
    print_header(keys ? std::vector<std::string>{"flag", "key", "values", "default", "meaning"}
                      : std::vector<std::string>{"flag", "values", "default", "meaning"});
    for (const OptionField& field : fields) {
      if (field.only_with != condition) continue;
      std::vector<std::string> row{flag_of(field), values_of(field), code(to_text(field.get())),
                                   escaped(field.help)};
      if (keys) row.insert(row.begin() + 1, code(field.path));
      print_row(row);
    }
  }
}

void print_options(const Declaration& declaration) {
  const auto& [catalogue, config] = declaration;
  if (config == ConfigFlag::none) return print_tables(catalogue, catalogue, false);
  for (const auto& group : distinct(catalogue, group_of)) {
    std::vector<OptionField> fields;
    std::ranges::copy_if(catalogue, std::back_inserter(fields),
                         [&](auto& field) { return group_of(field) == group; });
    std::cout << "\n### " << group << "\n";
    print_tables(fields, catalogue, true);
  }
}

bool same_options(const std::vector<OptionField>& a, const std::vector<OptionField>& b) {
  return std::ranges::equal(a, b, {}, &OptionField::path, &OptionField::path);
}

/// Flags that a command adds itself, and --config. --help is everywhere.
void print_plain_flags(const CLI::App& command, bool config) {
  std::vector<const CLI::Option*> options = command.get_options();
  std::erase_if(options, [](auto* option) { return option->check_lname("help"); });
  if (options.empty() && !config) return;
  print_header({"flag", "meaning"});
  if (config) print_row({"`--config FILE`", "a JSON file with options; flags win over it"});
  for (const auto* option : options)
    print_row({code(option->get_name()), escaped(option->get_description())});
}

void print_command(const CLI::App& command) {
  static std::vector<std::pair<std::string, std::vector<OptionField>>> printed;
  const std::string name = name_of(command), text = command.get_description();
  std::cout << "\n## " << name << "\n\n" << text.substr(0, text.find('\n')) << "\n";
  const auto& declarations = declared[&command];
  print_plain_flags(command, std::ranges::any_of(declarations, [](auto& declaration) {
                      return declaration.config == ConfigFlag::offered;
                    }));
  for (const Declaration& declaration : declarations) {
    const auto before = std::ranges::find_if(
        printed, [&](auto& earlier) { return same_options(earlier.second, declaration.catalogue); });
    if (before != printed.end()) {
      std::cout << "\nIt takes the options of `" << before->first << "` as well.\n";
      continue;
    }
    print_options(declaration);
    printed.emplace_back(name, declaration.catalogue);
  }
  for (const CLI::App* inner : command.get_subcommands({})) print_command(*inner);
}

}  // namespace

FlagSet::FlagSet(CLI::App& command, const std::vector<OptionField>& catalogue, ConfigFlag config) {
  declared[&command].push_back({catalogue, config});
}

OptionPatch FlagSet::patch() const {
  return {};
}

}  // namespace seq2seq

int main() {
  using namespace seq2seq;
  CLI::App app("", "seq2seq");
  add_commands(app, commands());
  std::cout << introduction;
  auto all = app.get_subcommands({});
  std::ranges::sort(all, {}, [](auto* command) { return command->get_name(); });
  // Not by std::ranges, which clang 14 cannot compile.
  std::stable_partition(all.begin(), all.end(),
                        [](auto* command) { return command->get_subcommands({}).empty(); });
  for (const CLI::App* command : all) print_command(*command);
}
