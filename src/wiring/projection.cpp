// Masks between the sheet and the outside: input channels, output classes.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "core/shared/choose.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/wiring.hpp"
#include "wiring/makers.hpp"

namespace lmrnn {
namespace {

/// Numbers of the areas that take part, ascending: those named, or all.
std::vector<std::size_t> chosen_areas(const ProjectionConfig& config, const Sheet& sheet) {
  std::vector<std::string> names;
  for (const Area& area : sheet.all_areas()) names.push_back(area.name);
  std::vector<std::size_t> chosen;
  if (config.areas && names.empty())
    throw UsageError(fmt::format(
        "areas = [\"{}\"] of network.input or network.readout needs wiring.areas; list the areas "
        "there, or leave it out",
        fmt::join(*config.areas, "\", \"")));
  if (config.areas && config.areas->empty())
    throw UsageError(
        "areas = [] of network.input or network.readout; name at least one of wiring.areas, or "
        "leave it out for all");
  for (const std::string& name : config.areas.value_or(names)) {
    const auto found = std::ranges::find(names, name);
    if (found == names.end())
      throw UsageError(fmt::format(
          "areas of network.input or network.readout: \"{}\" is not one of \"{}\"{}", name,
          fmt::join(names, "\", \""), did_you_mean(name, names, "; name one of wiring.areas")));
    chosen.push_back(static_cast<std::size_t>(found - names.begin()));
  }
  std::ranges::sort(chosen);
  if (const auto twice = std::ranges::adjacent_find(chosen); twice != chosen.end())
    throw UsageError(fmt::format(
        "areas of network.input or network.readout: \"{}\" is named twice; name it once",
        names[*twice]));
  return chosen;
}

/// Units of one sheet that take part, ascending.
std::vector<std::uint32_t> patch_units(const std::vector<std::int64_t>& patch, const Sheet& sheet) {
  if (!patch.empty() && patch.size() != 4)
    throw UsageError(fmt::format("patch = [{}] has {} numbers; write [row, col, rows, cols]",
                                 fmt::join(patch, ", "), patch.size()));
  std::int64_t row = 0, col = 0, rows = sheet.rows, cols = sheet.cols;
  if (!patch.empty()) row = patch[0], col = patch[1], rows = patch[2], cols = patch[3];
  // Compared without sums, because these could overflow.
  if (row < 0 || col < 0 || rows < 1 || cols < 1 || rows > sheet.rows || cols > sheet.cols ||
      row > sheet.rows - rows || col > sheet.cols - cols)
    throw UsageError(fmt::format(
        "patch = [{}] leaves the sheet of {} x {} or is empty; write [row, col, rows, cols] within "
        "it",
        fmt::join(patch, ", "), sheet.rows, sheet.cols));
  std::vector<std::uint32_t> units;
  for (std::int64_t r = row; r < row + rows; ++r)
    for (std::int64_t c = col; c < col + cols; ++c)
      units.push_back(static_cast<std::uint32_t>(r * sheet.cols + c));
  return units;
}

/// Units of all areas that take part, ascending.
std::vector<std::uint32_t> chosen_units(const ProjectionConfig& config, const Sheet& sheet) {
  const std::vector<std::size_t> areas = chosen_areas(config, sheet);
  if (areas.empty()) return patch_units(config.patch, sheet);
  if (!config.patch.empty() && areas.size() > 1)
    throw UsageError(fmt::format(
        "patch = [{}] is a rectangle of one sheet, but {} areas take part; name one of them, e.g. "
        "areas = [\"{}\"]",
        fmt::join(config.patch, ", "), areas.size(), sheet.all_areas()[areas[0]].name));
  std::vector<std::uint32_t> units;
  for (const std::size_t area : areas)
    for (const std::uint32_t unit : patch_units(config.patch, sheet.of_area(area)))
      units.push_back(static_cast<std::uint32_t>(sheet.all_areas()[area].first) + unit);
  return units;
}

/// (unit, other) pairs: all pairs of the patch's units and the others, thinned to the density.
std::vector<std::pair<std::uint32_t, std::uint32_t>> draw_pairs(const ProjectionConfig& config,
                                                                const Sheet& sheet,
                                                                std::size_t n_others,
                                                                const Key& key) {
  if (!(config.density >= 0 && config.density <= 1))
    throw UsageError(fmt::format("density = {} is impossible; give 0 to 1", config.density));
  const auto units = chosen_units(config, sheet);
  const std::size_t n_pairs = units.size() * n_others;
  const auto n_kept =
      static_cast<std::size_t>(std::llround(config.density * static_cast<double>(n_pairs)));
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
  for (const std::uint32_t k : choose(key, n_pairs, n_kept))
    pairs.emplace_back(units[k / n_others], static_cast<std::uint32_t>(k % n_others));
  return pairs;
}

}  // namespace

Mask make_input_mask(const ProjectionConfig& config, const Sheet& sheet, std::size_t n_channels,
                     Seed seed) {
  return {sheet.n_units(), n_channels,
          draw_pairs(config, sheet, n_channels, wiring_key(seed, WiringDraw::input))};
}

Mask make_readout_mask(const ProjectionConfig& config, const Sheet& sheet, std::size_t n_classes,
                       Seed seed) {
  const Mask by_unit(sheet.n_units(), n_classes,
                     draw_pairs(config, sheet, n_classes, wiring_key(seed, WiringDraw::readout)));
  return by_unit.transposed();
}

}  // namespace lmrnn
