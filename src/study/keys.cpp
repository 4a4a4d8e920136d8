#include "study/keys.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "lmrnn/run_config.hpp"

namespace lmrnn {
namespace {

void flatten_into(const ConfigTable& table, const std::string& prefix,
                  std::vector<std::pair<std::string, ConfigValue>>& out) {
  for (const auto& [key, value] : table) {
    const std::string name = detail::dotted(prefix, key);
    if (const auto* child = std::get_if<ConfigTable>(&value.value))
      flatten_into(*child, name, out);
    else
      out.emplace_back(name, value);
  }
}

void lay_over(ConfigTable& base, const ConfigTable& over) {
  for (const auto& [key, value] : over) {
    const auto found = std::ranges::find(base, key, &ConfigTable::value_type::first);
    if (found == base.end()) {
      base.emplace_back(key, value);
      continue;
    }
    auto* below = std::get_if<ConfigTable>(&found->second.value);
    const auto* above = std::get_if<ConfigTable>(&value.value);
    if (below && above)
      lay_over(*below, *above);
    else
      found->second = value;
  }
}

ConfigValue* find_value(ConfigTable& table, std::string_view dotted_key) {
  return const_cast<ConfigValue*>(find_key(std::as_const(table), dotted_key));
}

// Replaces former names of keys, so that no table has one key under two names.
void use_present_names(ConfigTable& table) {
  static const std::vector<FormerName> renamed = former_names<RunConfig>();
  for (const FormerName& r : renamed) {
    if (r.key == r.former_key || !find_key(table, r.former_key) || find_key(table, r.key)) continue;
    const std::size_t dot = r.key.rfind('.');  // keys are renamed, tables never
    ConfigTable* around =
        dot == std::string::npos
            ? &table
            : std::get_if<ConfigTable>(&find_value(table, r.key.substr(0, dot))->value);
    const std::string former = r.former_key.substr(r.former_key.rfind('.') + 1);
    std::ranges::find(*around, former, &ConfigTable::value_type::first)->first =
        r.key.substr(dot + 1);
  }
}

}  // namespace

void overlay(ConfigTable& base, const ConfigTable& over) {
  ConfigTable named = over;
  use_present_names(base);
  use_present_names(named);
  lay_over(base, named);
}

std::vector<std::pair<std::string, ConfigValue>> flatten(const ConfigTable& table) {
  std::vector<std::pair<std::string, ConfigValue>> out;
  flatten_into(table, "", out);
  return out;
}

std::string level_text(const ConfigValue& value) {
  if (const auto* text = std::get_if<std::string>(&value.value)) return *text;
  if (const auto* number = std::get_if<double>(&value.value)) return fmt::format("{}", *number);
  if (const auto* list = std::get_if<ConfigList>(&value.value)) {
    std::string joined;
    for (const ConfigValue& item : *list) joined += (joined.empty() ? "" : "-") + level_text(item);
    return joined;
  }
  return detail::toml_value(value);
}

std::string file_name_part(const std::string& text) {
  std::string out;
  for (const unsigned char c : text)
    out += std::isalnum(c) || c == '.' || c == '-' || c == '+' ? static_cast<char>(c) : '_';
  return out;
}

}  // namespace lmrnn
