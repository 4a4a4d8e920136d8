// What all verbs share: how they describe themselves, and how they read a configuration.
//
// Conventions: data goes to stdout; log, warnings and progress to stderr. --json where a program
// would read the output. Exit status 0: done; 1: the run failed (RunError); 2: the request is
// invalid (UsageError, or words that cannot be parsed); 75: interrupted, all saved. Verbs throw;
// main turns exceptions into one line and the exit status.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lmrnn/config.hpp"
#include "lmrnn/random.hpp"

namespace lmrnn::cli {

/// Adds a verb (or a verb of a verb) to `parent`. `example` is shown at the end of its --help: one
/// or more complete command lines.
CLI::App* add_verb(CLI::App& parent, const std::string& name, const std::string& description,
                   const std::string& example);

/// `add_verb` for one that does something itself: `run` is called when the whole command line has
/// been understood.
CLI::App* add_verb(CLI::App& parent, const std::string& name, const std::string& description,
                   const std::string& example, std::function<void()> run);

/// Thrown by a verb that has done its work and reported what came out, when that is a failure:
/// exit status 1, or the one given, without a further message.
struct Unsuccessful {
  int status = 1;
};

/// Interrupted; can be resumed. BSD's EX_TEMPFAIL: what batch scripts look for to queue a
/// job again.
constexpr int interrupted_status = 75;

/// A message for the user, on stderr: "lmrnn: warning: ...".
void warn(std::string_view message);

/// A word of a shell command: in quotes, if the shell would change it otherwise.
std::string shell_word(const std::string& text);

/// --config FILE and --set KEY=VALUE (repeatable; later ones win, and all win over the file).
class ConfigOptions {
 public:
  /// `with_file` false: the verb takes its file by other means and passes it to `table`.
  void add_to(CLI::App& verb, bool with_file = true);

  /// The file, or an empty table if none was named.
  ConfigTable file() const;

  /// The file with the assignments applied.
  ConfigTable table() const { return assigned(file()); }
  ConfigTable table(const std::string& file) const { return assigned(read_toml(file)); }

  ConfigTable assigned(ConfigTable table) const;

  /// Section `name` of a whole configuration, for verbs that need only that one: the table with
  /// the assignments applied, and C{} where neither says anything. Other sections are left unread,
  /// but assignments to them are errors: they could have no effect.
  template <HasFields C>
  C section(std::string_view name, const ConfigTable& unassigned) const {
    check_assignments(name);
    const ConfigTable all = assigned(unassigned);
    C config{};
    if (const ConfigValue* value = find_key(all, name)) from_config(*value, name, config, Range{});
    return config;
  }
  template <HasFields C>
  C section(std::string_view name) const {
    return section<C>(name, file());
  }

 private:
  void check_assignments(std::string_view section) const;

  std::string file_;
  std::vector<std::string> assignments_;
};

/// What a number on the command line has to be; CLI11's own checks print the whole range of double.
CLI::Validator at_least_zero();
CLI::Validator more_than_zero();
/// CLI11's own conversion would wrap -1 and clamp what is too large.
CLI::Validator whole_number(std::int64_t least,
                            std::int64_t most = std::numeric_limits<std::int64_t>::max());

/// --seed N. CLI11's own conversions would clamp what is too large and wrap what is negative.
CLI::Option* add_seed(CLI::App& verb, std::optional<Seed>& seed, const std::string& meaning);

/// --threads N; 0, the default, means one per processor that the process may use.
void add_threads(CLI::App& verb, int& n_threads);

bool is_terminal(std::FILE* file);

/// Columns of the terminal that `file` is, or `otherwise` if it is none.
std::size_t terminal_width(std::FILE* file, std::size_t otherwise = 80);

}  // namespace lmrnn::cli
