#include "help_formatter.h"

#include "flags.h"
#include "seq2seq/core/wrap.h"

namespace seq2seq {
namespace {

/// Whether a clause ends before position `at`.
bool clause_ends(const std::string& text, size_t at) {
  for (const char* next : {"; ", ": ", ", ", " ("})
    if (text.compare(at, 2, next) == 0) return true;
  return false;
}

/// Removes repeated blank lines, which hidden groups leave.
std::string without_gaps(std::string text) {
  for (size_t at = text.find("\n\n\n"); at != std::string::npos; at = text.find("\n\n\n", at))
    text.erase(at, 1);
  return text;
}

}  // namespace

std::string first_clauses(const std::string& text, size_t width) {
  if (text.size() <= width) return text;
  std::string longest;
  for (size_t at = 0; at <= width; ++at) {
    if (!clause_ends(text, at)) continue;
    std::string clauses = text.substr(0, at);
    if (clauses.rfind('(') != std::string::npos && clauses.rfind('(') > clauses.rfind(')') + 1)
      clauses += ")";
    if (clauses.size() <= width) longest = clauses;
  }
  return longest.empty() ? text : longest;
}

std::string HelpFormatter::make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const {
  HelpFormatter formatter = *this;
  if (mode == CLI::AppFormatMode::Normal && app->get_help_all_ptr() != nullptr) {
    formatter.everyday_of_ = name;
    formatter.column_width(everyday_column);
  }
  return without_gaps(formatter.CLI::Formatter::make_help(app, std::move(name), CLI::AppFormatMode::Normal));
}

std::string HelpFormatter::make_option_name(const CLI::Option* option, bool is_positional) const {
  if (is_positional || option->get_lnames().empty() || !option->get_snames().empty())
    return Formatter::make_option_name(option, is_positional);
  // Former names are not shown, and CLI11 would spell the second name of a flag `--no-x{false}`.
  return (option->get_fnames().empty() ? "--" : "--[no-]") + option->get_lnames().front();
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  return option->get_type_size() == 0 ? "" : " " + option->get_type_name();
}

std::string HelpFormatter::make_option_desc(const CLI::Option* option) const {
  const std::string& text = option->get_description();
  const size_t room = width - get_column_width();
  return wrap(everyday_of_.empty() ? text : first_clauses(text, room), room);
}

std::string HelpFormatter::make_description(const CLI::App* app) const {
  return wrap(Formatter::make_description(app), width) + "\n";
}

// One blank line between the parts, where CLI11 leaves none or two.
std::string HelpFormatter::make_usage(const CLI::App* app, std::string name) const {
  return Formatter::make_usage(app, std::move(name)) + "\n";
}

std::string HelpFormatter::make_group(std::string group, bool is_positional,
                                      std::vector<const CLI::Option*> options) const {
  if (!everyday_of_.empty() && !is_positional && group != everyday_group) return "";
  const std::string text = Formatter::make_group(std::move(group), is_positional, std::move(options));
  return text.starts_with('\n') ? text.substr(1) : text;
}

std::string HelpFormatter::make_footer(const CLI::App* app) const {
  const std::string text = Formatter::make_footer(app);
  return everyday_of_.empty() ? text : text + "All options: " + everyday_of_ + " --help-all\n";
}

std::string HelpFormatter::make_subcommand(const CLI::App* subcommand) const {
  const std::string text = subcommand->get_description();
  std::stringstream out;
  CLI::detail::format_help(out, subcommand->get_name(), text.substr(0, text.find('\n')), 12);
  return out.str();
}

}  // namespace seq2seq
