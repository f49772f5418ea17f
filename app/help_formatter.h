#pragma once

#include <CLI/CLI.hpp>

namespace seq2seq {

/// Help in columns: text is wrapped, a flag that is true or false is one line, and a list of subcommands
/// shows the first line of each. Of a command with --help-all, --help shows everyday flags alone (flags.h), a
/// line each.
class HelpFormatter : public CLI::Formatter {
 public:
  static constexpr size_t column = 36, everyday_column = 28, width = 80;

  HelpFormatter() { column_width(column); }
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override;
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
  std::string make_option_desc(const CLI::Option* option) const override;
  std::string make_usage(const CLI::App* app, std::string name) const override;
  std::string make_group(std::string group, bool is_positional,
                         std::vector<const CLI::Option*> options) const override;
  std::string make_description(const CLI::App* app) const override;
  std::string make_footer(const CLI::App* app) const override;
  std::string make_subcommand(const CLI::App* subcommand) const override;

 private:
  std::string everyday_of_;  // the command's whole name where only everyday flags are shown
};

/// `text` as far as it fits into `width`, ended where a clause ends; all of it where no clause fits.
std::string first_clauses(const std::string& text, size_t width);

}  // namespace seq2seq
