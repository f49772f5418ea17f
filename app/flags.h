#pragma once

// Options structs (core/options.h) on the command line: every field becomes a flag.

#include <memory>
#include <string>
#include <vector>

#include "commands.h"
#include "seq2seq/core/log.h"
#include "seq2seq/core/options.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace seq2seq {

/// Whether the subcommand reads options from `--config FILE` as well.
enum class ConfigFlag { none, offered };

/// The help group that --help shows for commands with --help-all.
inline constexpr const char* everyday_group = "Options";

/// Type-erased body of Flags.
class FlagSet {
 public:
  FlagSet(CLI::App& command, const std::vector<OptionField>& catalogue, ConfigFlag config);

  /// The options of --config, overridden by the flags given. Valid once the command line is parsed. Throws
  /// Error or UsageError for an invalid configuration file.
  OptionPatch patch() const;

 private:
  [[maybe_unused]] CLI::Option* config_ = nullptr;  // not used by the generator of docs/options.md
  struct Binding {
    std::string path, flag;
    CLI::Option* option;
    bool is_list;
  };
  std::vector<Binding> bindings_;
};

/// The option --quiet.
void quiet_field(auto& o, auto& f) {
  f("quiet", o.quiet, "print warnings and errors only");
}
/// Applies --quiet, if the command has it.
void set_quiet(const auto& options) {
  if constexpr (requires { options.quiet; })
    if (options.quiet) set_log_level(LogLevel::quiet);
}

/// Adds a flag to `command` for each field of `Options`: `--group.name VALUE`; for a boolean `--name`,
/// `--no-name` and `--name=VALUE`; a list takes several values and may be repeated, of all others the last
/// value counts.
template <class Options>
class Flags {
 public:
  explicit Flags(CLI::App& command, ConfigFlag config = ConfigFlag::none)
      : set_(command, option_catalogue<Options>(), config) {}

  /// Defaults < --config < flags. Applies --quiet. Throws UsageError naming the flag or key that is wrong or
  /// would change nothing; notes what changes nothing without harm.
  Options resolve() const {
    const OptionPatch given = patch();
    Options options;
    apply(options, given);
    set_quiet(options);
    check_as_given(options, given, [&] { check_conditions(options); });
    for (const std::string& line : idle_options(options, given)) log_info(line);
    return options;
  }

  /// The values given, without the defaults.
  OptionPatch patch() const { return set_.patch(); }

 private:
  FlagSet set_;
};

/// Adds the flags of `Options` to `command`, which calls `run` with their values.
template <class Options>
RunCommand run_with_flags(CLI::App& command, int (*run)(const Options& options)) {
  const auto flags = std::make_shared<Flags<Options>>(command);
  return [flags, run] { return run(flags->resolve()); };
}

}  // namespace seq2seq
