#pragma once

#include <CLI/CLI.hpp>

namespace seq2seq {

/// Help in two columns: text is wrapped, a boolean flag is one line, and a list of subcommands shows the
/// first line of each description. For a command with --help-all, --help shows only the everyday flags
/// (flags.h), in one line each.
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
  std::string everyday_of_;  // the command's full name if only everyday flags are shown
};

/// As many clauses of `text` as fit into `width`; the whole text if none does.
std::string first_clauses(const std::string& text, size_t width);

}  // namespace seq2seq
