// The switches between the published behaviour and the corrected one.
#include <algorithm>

#include "lmrnn/tasks.hpp"

namespace lmrnn {
namespace {

const std::vector<std::string>& switch_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> result;
    Semantics semantics;
    Semantics::fields(semantics,
                      [&](std::string_view name, bool, auto&&...) { result.emplace_back(name); });
    return result;
  }();
  return names;
}

}  // namespace

Semantics Semantics::published() {
  Semantics semantics;
  fields(semantics, [](std::string_view, bool& is_corrected, auto&&...) { is_corrected = false; });
  return semantics;
}

Semantics SemanticsConfig::resolve() const {
  for (const auto& [name, behaviour] : switches)
    if (std::ranges::find(switch_names(), name) == switch_names().end())
      throw UsageError("semantics: unknown switch \"" + name + "\"" +
                       did_you_mean(name, switch_names(), "; docs/concepts/battery.md lists them"));
  Semantics semantics =
      base == SemanticsBase::corrected ? Semantics::corrected() : Semantics::published();
  Semantics::fields(semantics, [&](std::string_view name, bool& is_corrected, auto&&...) {
    if (const auto found = switches.find(std::string(name)); found != switches.end())
      is_corrected = found->second == SemanticsBase::corrected;
  });
  return semantics;
}

void from_config(const ConfigValue& v, std::string_view key, SemanticsConfig& out, const Range&) {
  out = {};
  if (std::holds_alternative<std::string>(v.value)) return from_config(v, key, out.base, {});
  const auto* table = std::get_if<ConfigTable>(&v.value);
  if (!table) detail::wrong_type(v, key, R"("corrected", "published" or a table of switches)");
  std::vector<std::string> known{"base"};
  known.insert(known.end(), switch_names().begin(), switch_names().end());
  detail::check_known_keys(*table, key, known);
  for (const auto& [name, value] : *table)
    from_config(value, detail::dotted(key, name), name == "base" ? out.base : out.switches[name],
                {});
}

ConfigValue to_config(const SemanticsConfig& semantics) {
  ConfigTable table{{"base", to_config(semantics.base)}};
  for (const auto& [name, behaviour] : semantics.switches)
    table.emplace_back(name, to_config(behaviour));
  return {std::move(table), {}};
}

}  // namespace lmrnn
