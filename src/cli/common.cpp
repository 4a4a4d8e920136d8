#include "common.hpp"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <system_error>
#include <utility>

#include "lmrnn/error.hpp"
#include "lmrnn/seed.hpp"

namespace lmrnn::cli {

CLI::App* add_verb(CLI::App& parent, const std::string& name, const std::string& description,
                   const std::string& example) {
  CLI::App* verb = parent.add_subcommand(name, description)->group("Verbs");
  std::string footer = "Example:";
  for (std::size_t begin = 0; begin < example.size();) {
    const std::size_t end = std::min(example.find('\n', begin), example.size());
    footer += "\n  " + example.substr(begin, end - begin);
    begin = end + 1;
  }
  verb->footer(footer);
  return verb;
}

CLI::App* add_verb(CLI::App& parent, const std::string& name, const std::string& description,
                   const std::string& example, std::function<void()> run) {
  CLI::App* verb = add_verb(parent, name, description, example);
  verb->final_callback(std::move(run));
  return verb;
}

void warn(std::string_view message) {
  // Where both go to one file or pipe, after what was said before.
  std::fflush(stdout);
  fmt::print(stderr, "lmrnn: warning: {}\n", message);
}

std::string shell_word(const std::string& text) {
  if (!text.empty() && text.find_first_of(" \t\n\"'\\$`!*?[](){}<>|&;#~") == std::string::npos)
    return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

void ConfigOptions::add_to(CLI::App& verb, bool with_file) {
  if (with_file)
    verb.add_option("--config", file_, "read the configuration from a TOML file")
        ->type_name("FILE");
  // One value per --set, or it would swallow the words that follow.
  verb.add_option("--set", assignments_, "set one key, e.g. battery.n_ring=32; may be repeated")
      ->type_name("KEY=VALUE")
      ->type_size(1)
      ->allow_extra_args(false);
}

ConfigTable ConfigOptions::file() const {
  return file_.empty() ? ConfigTable{} : read_toml(file_);
}

ConfigTable ConfigOptions::assigned(ConfigTable table) const {
  for (const std::string& assignment : assignments_) assign_key(table, assignment);
  return table;
}

void ConfigOptions::check_assignments(std::string_view section) const {
  const std::string wanted = std::string(section) + ".";
  for (const std::string& assignment : assignments_)
    if (!assignment.starts_with(wanted) && !assignment.starts_with(std::string(section) + "="))
      throw UsageError(fmt::format("--set {}: only keys of [{}] apply here, e.g. {}...", assignment,
                                   section, wanted));
}

CLI::Validator at_least_zero() {
  return {[](const std::string& text) {
            double value = 0;
            const bool good = CLI::detail::lexical_cast(text, value) && value >= 0;
            return good ? std::string() : text + " must be a number ≥ 0";
          },
          ""};
}

CLI::Validator more_than_zero() {
  return {[](const std::string& text) {
            double value = 0;
            const bool good = CLI::detail::lexical_cast(text, value) && value > 0;
            return good ? std::string() : text + " must be a number > 0";
          },
          ""};
}

CLI::Validator whole_number(std::int64_t least, std::int64_t most) {
  return {[=](const std::string& text) {
            std::int64_t value = 0;
            const char* const end = text.data() + text.size();
            const auto [last, error] = std::from_chars(text.data(), end, value);
            const bool good =
                error == std::errc() && last == end && value >= least && value <= most;
            return good ? std::string()
                        : fmt::format("{} must be a whole number from {} to {}", text, least, most);
          },
          ""};
}

CLI::Option* add_seed(CLI::App& verb, std::optional<Seed>& seed, const std::string& meaning) {
  return verb
      .add_option_function<std::string>(
          "--seed", [&seed](const std::string& text) { seed = seed_from("--seed", text); }, meaning)
      ->type_name("N");
}

void add_threads(CLI::App& verb, int& n_threads) {
  verb.add_option("--threads", n_threads, "0: one per available processor")
      ->check(whole_number(0, std::numeric_limits<int>::max()))
      ->capture_default_str();
}

bool is_terminal(std::FILE* file) {
  return ::isatty(::fileno(file)) == 1;
}

std::size_t terminal_width(std::FILE* file, std::size_t otherwise) {
  winsize size{};
  if (::ioctl(::fileno(file), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return otherwise;
  return size.ws_col;
}

}  // namespace lmrnn::cli
