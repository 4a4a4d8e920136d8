// Options that describe a mask: one for every key of [wiring], made from the field list of
// WiringConfig.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <utility>
#include <vector>

#include "common.hpp"
#include "lmrnn/wiring.hpp"

namespace lmrnn::cli {

/// --wiring, --sheet ROWSxCOLS, --radius, ...; --config and --set; options win over both.
class WiringOptions {
 public:
  void add_to(CLI::App& verb);

  /// Throws UsageError (impossible values). If the mask depends on a seed, `seed` is set: from
  /// --seed, wiring.seed or the configuration file's seed, in this order.
  WiringConfig config() const;

 private:
  void add_option(CLI::App& verb, const std::string& option, const std::string& key,
                  const std::string& meaning, const std::string& type, bool is_text);

  /// A key and value of [wiring] that an option gave.
  struct Given {
    std::string option, key, value;
    bool is_text;
  };
  ConfigOptions configuration_;
  std::vector<Given> given_;
};

}  // namespace lmrnn::cli
