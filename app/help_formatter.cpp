#include "help_formatter.h"

namespace seq2seq {
namespace {

std::string wrap_line(const std::string& text, size_t width) {
  std::string wrapped;
  size_t length = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    if (length > 0) {
      const bool full = length + 1 + end - at > width;
      wrapped += full ? '\n' : ' ';
      length = full ? 0 : length + 1;
    }
    wrapped += text.substr(at, end - at);
    length += end - at;
    at = end + 1;
  }
  return wrapped;
}

}  // namespace

std::string wrap(const std::string& text, size_t width) {
  std::string wrapped;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    wrapped += (at > 0 ? "\n" : "") + wrap_line(text.substr(at, end - at), width);
    at = end + 1;
  }
  return wrapped;
}

std::string HelpFormatter::make_option_name(const CLI::Option* option, bool is_positional) const {
  // CLI11 would spell the second name of such a flag `--no-x{false}`.
  if (is_positional || option->get_fnames().empty())
    return Formatter::make_option_name(option, is_positional);
  return "--[no-]" + option->get_lnames().front();
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  return option->get_type_size() == 0 ? "" : " " + option->get_type_name();
}

std::string HelpFormatter::make_option_desc(const CLI::Option* option) const {
  return wrap(option->get_description(), width - column);
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
  const std::string text = Formatter::make_group(std::move(group), is_positional, std::move(options));
  return text.starts_with('\n') ? text.substr(1) : text;
}

std::string HelpFormatter::make_subcommand(const CLI::App* subcommand) const {
  const std::string text = subcommand->get_description();
  std::stringstream out;
  CLI::detail::format_help(out, subcommand->get_name(), text.substr(0, text.find('\n')), 12);
  return out.str();
}

}  // namespace seq2seq
