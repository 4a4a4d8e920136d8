// Command-line options that describe a task battery.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "common.hpp"
#include "lmrnn/tasks.hpp"

namespace lmrnn::cli {

/// [battery] of --config, with --tasks, --semantics, --timing, --n-ring and --dt on top, then
/// --set.
class BatteryOptions {
 public:
  /// `with_tasks`: whether the verb takes --tasks.
  void add_to(CLI::App& verb, bool with_tasks = true);

  BatteryConfig battery() const;

 private:
  ConfigOptions config_;
  std::optional<std::string> tasks_, semantics_, timing_;
  std::optional<std::int64_t> n_ring_;
  std::optional<double> dt_;
};

/// --seed. There is no default: without it, a fresh seed is taken from the system and named on
/// stderr, so that the user can repeat the command.
class SeedOption {
 public:
  void add_to(CLI::App& verb);
  Seed seed() const;

 private:
  std::optional<Seed> seed_;
};

}  // namespace lmrnn::cli
