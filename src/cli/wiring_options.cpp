#include "wiring_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>

#include "lmrnn/error.hpp"
#include "lmrnn/wiring_paths.hpp"

namespace lmrnn::cli {
namespace {

std::string option_name(std::string_view key) {
  std::string name = key == "kind" ? "wiring" : std::string(key);
  std::ranges::replace(name, '_', '-');
  return "--" + name;
}

/// A field's type as shown on the command line, where text needs no quotes: "l1|l2|linf".
std::string bare(std::string text) {
  if (text.starts_with("list")) return "TOML";
  std::erase(text, '"');
  std::erase(text, ' ');
  return text.substr(0, text.find(','));  // "integer, optional"
}

/// "32x64" as rows and columns.
std::pair<std::string, std::string> rows_and_cols(const std::string& text) {
  const std::size_t times = text.find('x');
  const auto is_number = [](std::string_view part) {
    return !part.empty() && std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
  };
  if (times == std::string::npos || !is_number(text.substr(0, times)) ||
      !is_number(text.substr(times + 1)))
    throw UsageError("--sheet " + text + ": write ROWSxCOLS, e.g. 32x32");
  return {text.substr(0, times), text.substr(times + 1)};
}

/// The text itself, or what `assign_key` parses it to, with the option's name as source.
ConfigValue value_of(const std::string& option, const std::string& text, bool is_text) {
  if (is_text) return {text, option};
  ConfigTable table;
  assign_key(table, "value=" + text);
  ConfigValue value = std::move(table.front().second);
  value.where = option;
  return value;
}

}  // namespace

void WiringOptions::add_option(CLI::App& verb, const std::string& option, const std::string& key,
                               const std::string& meaning, const std::string& type, bool is_text) {
  verb.add_option_function<std::string>(
          option,
          [this, option, key, is_text](const std::string& value) {
            given_.push_back({option, key, value, is_text});
          },
          meaning)
      ->type_name(type);
}

void WiringOptions::add_to(CLI::App& verb) {
  verb.add_option_function<std::string>(
          "--sheet",
          [this](const std::string& text) {
            const auto [rows, cols] = rows_and_cols(text);
            given_.push_back({"--sheet", "rows", rows, false});
            given_.push_back({"--sheet", "cols", cols, false});
          },
          "rows and columns of the sheet; default: 32x32")
      ->type_name("ROWSxCOLS");
  WiringConfig defaults;
  WiringConfig::fields(
      defaults, [&]<class T>(std::string_view key, T& value, std::string_view meaning, Range = {}) {
        if (key == "rows" || key == "cols") return;
        std::string help(meaning);
        if constexpr (!requires { value.has_value(); })
          if (const std::string text = detail::toml_value(to_config(value)); text != "\"\"")
            help += ", default " + text;
        add_option(verb, option_name(key), std::string(key), help, bare(config_type_name<T>()),
                   std::is_same_v<T, std::string> || std::is_same_v<T, std::optional<std::string>>);
      });
  configuration_.add_to(verb);
}

WiringConfig WiringOptions::config() const {
  const ConfigTable file = configuration_.file();
  auto config = configuration_.section<WiringConfig>("wiring", file);
  if (const ConfigValue* section = find_key(file, "wiring"))
    find_mask_files(config, std::get<ConfigTable>(section->value));
  for (const Given& given : given_) {
    const ConfigTable one{{given.key, value_of(given.option, given.value, given.is_text)}};
    read_config(config, one, "wiring");
  }
  if (!depends_on_seed(config) || config.seed) return config;
  if (const ConfigValue* seed = find_key(file, "seed"))
    from_config(*seed, "seed", config.seed, any_seed());
  if (!config.seed)
    throw UsageError(
        fmt::format("wiring \"{}\" is random; set its seed with --seed N", to_name(config.kind)));
  return config;
}

}  // namespace lmrnn::cli
