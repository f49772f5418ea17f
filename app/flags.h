#pragma once

// The command-line face of an options struct (core/options.h): every field becomes a flag.

#include <string>
#include <vector>

#include "seq2seq/core/options.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace seq2seq {

/// Whether the subcommand reads options from `--config FILE` as well.
enum class ConfigFlag { none, offered };

/// Type-erased body of Flags.
class FlagSet {
 public:
  FlagSet(CLI::App& command, const std::vector<OptionField>& catalogue, ConfigFlag config);

  /// What --config names, overridden by the flags given. Valid once the command line is parsed.
  /// Throws Error or UsageError for a configuration file that cannot be used.
  OptionPatch patch() const;

 private:
  [[maybe_unused]] CLI::Option* config_ = nullptr;  // the reference of options has no use for it
  struct Binding {
    std::string path, flag;
    CLI::Option* option;
  };
  std::vector<Binding> bindings_;
};

/// Adds a flag to `command` for each field of `Options`: `--group.name VALUE`; a field that is true or false
/// becomes
/// `--name`, `--no-name` and `--name=VALUE`; a list takes several values and may be repeated.
template <class Options>
class Flags {
 public:
  explicit Flags(CLI::App& command, ConfigFlag config = ConfigFlag::none)
      : set_(command, option_catalogue<Options>(), config) {}

  /// Defaults < --config file < flags. Throws UsageError naming the flag or the key that is wrong.
  Options resolve() const {
    Options options;
    apply(options, patch());
    return options;
  }

  /// The same without the defaults.
  OptionPatch patch() const { return set_.patch(); }

 private:
  FlagSet set_;
};

}  // namespace seq2seq
