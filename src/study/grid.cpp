#include "study/grid.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <span>

#include "core/shared/text.hpp"
#include "lmrnn/error.hpp"
#include "study/collect.hpp"
#include "study/keys.hpp"

namespace lmrnn {
namespace {

const ConfigTable& as_table(const ConfigValue& value, const std::string& what) {
  const auto* table = std::get_if<ConfigTable>(&value.value);
  if (!table)
    throw UsageError(fmt::format("{}: {} = {}; write a level as a table of keys, [axis.NAME.LEVEL]",
                                 value.where, what, detail::toml_value(value)));
  return *table;
}

Axis named_axis(const std::string& name, const ConfigValue& value) {
  Axis axis{name, {}};
  for (const auto& [level, keys] : as_table(value, "axis." + name))
    axis.levels.push_back(
        {level, file_name_part(level), as_table(keys, "axis." + name + "." + level)});
  if (axis.levels.empty())
    throw UsageError(fmt::format("{}: [axis.{}] has no levels; add [axis.{}.LEVEL] tables",
                                 value.where, name, name));
  return axis;
}

Axis grid_axis(const std::string& key, const ConfigValue& value) {
  const auto* list = std::get_if<ConfigList>(&value.value);
  if (!list || list->empty())
    throw UsageError(fmt::format("{}: grid.{} = {}; write the values of the key as a list",
                                 value.where, key, detail::toml_value(value)));
  Axis axis{key, {}};
  const std::string last = key.substr(key.rfind('.') + 1);  // npos + 1 is 0
  for (const ConfigValue& item : *list) {
    Level level{level_text(item), "", {}};
    // Text is clear without its key ("identity"); a number is not, so the key precedes it
    // ("batch4").
    const bool word = std::holds_alternative<std::string>(item.value);
    level.part = file_name_part(word ? level.name : last + level.name);
    assign_key(level.keys, key, item);
    axis.levels.push_back(std::move(level));
  }
  return axis;
}

// Axes become columns of the tables, and SQLite ignores the case of column names.
void check_axis_names(const std::vector<Axis>& axes, std::span<const double> marks) {
  std::set<std::string> taken;
  for (const std::string& column : table_columns(marks)) taken.insert(lowered(column));
  for (const Axis& axis : axes) {
    const bool printable = std::ranges::all_of(
        axis.name, [](unsigned char c) { return c >= 0x20 && c != 0x7f && c != '"'; });
    if (axis.name.empty() || !printable)
      throw UsageError(
          fmt::format("axis {}: the name of an axis is that of a column of the tables; use "
                      "letters, digits, dots and dashes",
                      detail::toml_value({axis.name, {}})));
    if (!taken.insert(lowered(axis.name)).second)
      throw UsageError(fmt::format(
          "axis \"{0}\": the tables have a column called {0} already; give the axis another name",
          axis.name));
  }
}

void check_size(const std::vector<Axis>& axes) {
  std::size_t n_cells = 1;
  std::string sizes;
  for (const Axis& axis : axes) {
    sizes += (sizes.empty() ? "" : " x ") + std::to_string(axis.levels.size());
    if (axis.levels.size() > most_runs / n_cells)
      throw UsageError(
          fmt::format("axes of {}{} levels make more than {} cells; leave out levels, or make "
                      "several studies of it",
                      sizes, &axis == &axes.back() ? "" : " x ...", most_runs));
    n_cells *= axis.levels.size();
  }
}

// Runs get their seeds from `seeds`; a seed set elsewhere would have no effect.
void refuse_seed(const ConfigTable& keys, const std::string& where) {
  if (const ConfigValue* seed = find_key(keys, "seed"))
    throw UsageError(fmt::format("{}: {}seed means nothing here; write seeds = [...] at the top",
                                 seed->where, where));
}

const Axis* find_axis(const std::vector<Axis>& axes, const std::string& name) {
  const auto found = std::ranges::find(axes, name, &Axis::name);
  return found == axes.end() ? nullptr : &*found;
}

std::vector<std::string> names_of(const auto& named) {
  std::vector<std::string> names;
  for (const auto& item : named) names.push_back(item.name);
  return names;
}

void require_level(const std::vector<Axis>& axes, const std::string& where,
                   const std::string& axis_name, const std::string* level) {
  const Axis* axis = find_axis(axes, axis_name);
  if (!axis) {
    const auto names = names_of(axes);
    const std::string all = fmt::format("; there are: {}", fmt::join(names, ", "));
    throw UsageError(fmt::format("{}: there is no axis \"{}\"{}", where, axis_name,
                                 did_you_mean(axis_name, names, all)));
  }
  if (level && std::ranges::find(axis->levels, *level, &Level::name) == axis->levels.end()) {
    const auto names = names_of(axis->levels);
    const std::string all = fmt::format("; it has: {}", fmt::join(names, ", "));
    throw UsageError(fmt::format("{}: axis \"{}\" has no level \"{}\"{}", where, axis_name, *level,
                                 did_you_mean(*level, names, all)));
  }
}

std::vector<std::string> wanted_levels(const ConfigValue& value) {
  std::vector<std::string> wanted;
  if (const auto* list = std::get_if<ConfigList>(&value.value))
    for (const ConfigValue& item : *list) wanted.push_back(level_text(item));
  else
    wanted.push_back(level_text(value));
  return wanted;
}

// `flatten` skips empty tables, because they have no leaves.
const ConfigValue* empty_table(const ConfigTable& table) {
  for (const auto& [key, value] : table)
    if (const auto* child = std::get_if<ConfigTable>(&value.value)) {
      if (child->empty()) return &value;
      if (const ConfigValue* below = empty_table(*child)) return below;
    }
  return nullptr;
}

bool applies(const StudyOverride& change, const std::vector<Axis>& axes, const Cell& cell) {
  for (const auto& [name, value] : flatten(change.when.table)) {
    const auto index = static_cast<std::size_t>(find_axis(axes, name) - axes.data());
    const auto wanted = wanted_levels(value);
    if (std::ranges::find(wanted, cell.levels[index]) == wanted.end()) return false;
  }
  return true;
}

}  // namespace

namespace {

// The tables set the values of the keys of [grid], so nothing else may set them.
void refuse_keys_of_grid(const StudyConfig& config, const ConfigTable& table, const char* what) {
  const auto grid = flatten(config.grid.table);
  for (const auto& [key, value] : flatten(table))
    if (std::ranges::find(grid, key, [](const auto& row) { return row.first; }) != grid.end())
      throw UsageError(fmt::format(
          "{}: {}{} sets a key of [grid], whose values the tables give; leave cells out with skip "
          "= "
          "true in [[override]], or define an [axis.NAME] with your own levels instead",
          value.where, what, key));
}

}  // namespace

std::vector<Axis> study_axes(const StudyConfig& config) {
  std::vector<Axis> axes;
  for (const auto& [name, value] : config.axis.table) axes.push_back(named_axis(name, value));
  for (const Axis& axis : axes)
    for (const Level& level : axis.levels)
      refuse_keys_of_grid(config, level.keys,
                          ("axis." + axis.name + "." + level.name + ".").c_str());
  if (const ConfigValue* nothing = empty_table(config.grid.table))
    throw UsageError(nothing->where +
                     ": [grid] holds {} where values are expected; write key = [values]");
  for (const auto& [key, value] : flatten(config.grid.table)) {
    if (find_axis(axes, key))
      throw UsageError(fmt::format("{}: there is an [axis.{}] already; give that another name",
                                   value.where, key));
    axes.push_back(grid_axis(key, value));
  }
  for (const Axis& axis : axes) {
    auto names = names_of(axis.levels);
    std::ranges::sort(names);
    if (const auto twice = std::ranges::adjacent_find(names); twice != names.end())
      throw UsageError(
          fmt::format("axis \"{}\" has the level \"{}\" twice; remove one", axis.name, *twice));
    for (const Level& level : axis.levels) refuse_seed(level.keys, "");
  }
  check_axis_names(axes, config.statistics.marks);
  check_size(axes);
  return axes;
}

void check_names(const StudyConfig& config, const std::vector<Axis>& axes) {
  for (const StudyOverride& change : config.overrides) {
    if (const ConfigValue* nothing = empty_table(change.when.table))
      throw UsageError(nothing->where +
                       ": override.when holds {} where a level is expected; write axis = level");
    for (const auto& [name, value] : flatten(change.when.table)) {
      const auto wanted = wanted_levels(value);
      if (wanted.empty())
        throw UsageError(
            fmt::format("{}: override.when.{} = [] names no level, so that it is for no "
                        "cell; name some, or remove the key to mean all",
                        value.where, name));
      for (const std::string& level : wanted)
        require_level(axes, value.where + ": override.when", name, &level);
    }
    if (change.set.table.empty() && !change.skip)
      throw UsageError(
          "[[override]]: changes nothing; write set = { key = value }, or skip = true to leave "
          "cells out");
    refuse_seed(change.set.table, "override.set.");
    refuse_keys_of_grid(config, change.set.table, "override.set.");
  }
  for (const ContrastConfig& c : config.contrasts) {
    require_level(axes, "[[contrast]]", c.axis, &c.a);
    require_level(axes, "[[contrast]]", c.axis, &c.b);
    if (c.a == c.b)
      throw UsageError(fmt::format(
          "[[contrast]] of axis \"{}\": a and b are both \"{}\"; name two levels", c.axis, c.a));
  }
  for (const BestConfig& b : config.best) require_level(axes, "[[best]]", b.axis, nullptr);
}

std::vector<std::pair<Cell, ConfigTable>> study_cells(const StudyConfig& config,
                                                      const std::vector<Axis>& axes) {
  std::size_t n_cells = 1;
  for (const Axis& axis : axes) n_cells *= axis.levels.size();
  std::vector<std::pair<Cell, ConfigTable>> cells;
  for (std::size_t number = 0; number < n_cells; ++number) {
    Cell cell;
    ConfigTable keys = config.config.table;
    std::size_t stride = n_cells;
    for (const Axis& axis : axes) {
      stride /= axis.levels.size();
      const Level& level = axis.levels[number / stride % axis.levels.size()];
      cell.name += (cell.name.empty() ? "" : "-") + level.part;
      cell.levels.push_back(level.name);
      overlay(keys, level.keys);
    }
    if (axes.empty()) cell.name = "run";
    bool skip = false;
    for (const StudyOverride& change : config.overrides) {
      if (!applies(change, axes, cell)) continue;
      overlay(keys, change.set.table);
      skip = skip || change.skip;
    }
    if (!skip) cells.emplace_back(std::move(cell), std::move(keys));
  }
  return cells;
}

}  // namespace lmrnn
