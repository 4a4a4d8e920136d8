// Types of units on the sheet: excitatory and inhibitory.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/shared/choose.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/files.hpp"
#include "lmrnn/seed.hpp"
#include "lmrnn/wiring.hpp"
#include "wiring/makers.hpp"

namespace lmrnn {
namespace {

bool is_near(WiringKind kind) noexcept {
  return kind == WiringKind::local || kind == WiringKind::random || kind == WiringKind::rewired;
}

void check_placement(const WiringConfig& config) {
  const bool by_file = config.excitatory_placement == UnitPlacement::file;
  if (config.excitatory_placement && !config.has_unit_types())
    throw UsageError(
        "wiring.excitatory_placement needs units of two types; set wiring.excitatory, e.g. to 0.8");
  if (by_file && config.excitatory_path.value_or("").empty())
    throw UsageError(
        "wiring.excitatory_placement = \"file\" needs wiring.excitatory_path, the file that says "
        "which units are excitatory");
  if (by_file && config.excitatory)
    throw UsageError(fmt::format(
        "wiring.excitatory = {} does not go with wiring.excitatory_placement = \"file\", where the "
        "file says which units are excitatory; leave one of them out",
        *config.excitatory));
  if (!by_file && config.excitatory_path)
    throw UsageError(
        "wiring.excitatory_path needs wiring.excitatory_placement = \"file\"; set it, or leave the "
        "path out");
}

void check_radii(const WiringConfig& config) {
  if (!config.has_pair_radii()) return;
  if (!config.has_unit_types())
    throw UsageError(
        "wiring.radius_ee, radius_ei, radius_ie and radius_ii need units of two types; set "
        "wiring.excitatory, e.g. to 0.8, or use wiring.radius alone");
  if (!is_near(config.kind))
    throw UsageError(fmt::format(
        "wiring.kind = \"{}\" has no radius, so wiring.radius_ee, radius_ei, radius_ie and "
        "radius_ii "
        "do not go with it; leave them out, or use \"local\", \"random\" or \"rewired\"",
        to_name(config.kind)));
}

/// Number of inhibitory units, before a lattice rounds it.
std::size_t n_inhibitory(const WiringConfig& config) {
  const auto n = static_cast<double>(config.sheet().n_units());
  return static_cast<std::size_t>(std::llround((1 - *config.excitatory) * n));
}

std::vector<std::uint8_t> types_from_file(const WiringConfig& config) {
  const std::string& path = *config.excitatory_path;
  const ArrayFile file = read_arrays(path);
  const std::vector<double> values =
      array_named(file, path, "excitatory", "a 1 or 0 for each unit").to_doubles();
  const std::size_t n = config.sheet().n_units();
  if (values.size() != n)
    throw UsageError(fmt::format("{}: says the types of {} units, but {} has {}; set {} to fit",
                                 path, values.size(), size_text(config), n, size_keys(config)));
  std::vector<std::uint8_t> types;
  for (const double value : values) {
    if (value != 0 && value != 1)
      throw UsageError(
          fmt::format("{}: the type of unit {} is {}; write 1 for excitatory units and 0 "
                      "for inhibitory ones",
                      path, types.size(), value));
    types.push_back(value == 1 ? 1 : 0);
  }
  if (std::ranges::find(types, 1) == types.end())
    throw UsageError(
        fmt::format("{}: all units are inhibitory; write 1 for excitatory units", path));
  return types;
}

/// `n` numbers of 0 ... n_all - 1, evenly spaced.
std::vector<std::size_t> evenly(std::size_t n, std::size_t n_all) {
  std::vector<std::size_t> places;
  for (std::size_t k = 0; k < n; ++k) places.push_back(k * n_all / n);
  return places;
}

/// The count of n units that is nearest to `wanted`, but at least 1.
std::size_t nearest_count(double wanted, std::size_t n) {
  const auto count = static_cast<std::size_t>(std::llround(std::max(0.0, wanted)));
  return std::clamp<std::size_t>(count, 1, n);
}

std::vector<std::uint32_t> lattice_units(const Sheet& sheet, double share) {
  const auto rows = static_cast<std::size_t>(sheet.rows);
  const auto cols = static_cast<std::size_t>(sheet.cols);
  const double n_wanted = share * static_cast<double>(sheet.n_units());
  const std::size_t n_rows = nearest_count(static_cast<double>(rows) * std::sqrt(share), rows);
  const std::size_t n_cols = nearest_count(n_wanted / static_cast<double>(n_rows), cols);
  std::vector<std::uint32_t> units;
  for (const std::size_t row : evenly(n_rows, rows))
    for (const std::size_t col : evenly(n_cols, cols))
      units.push_back(static_cast<std::uint32_t>(row * cols + col));
  return units;
}

/// Lattice units of the sheet, or of each area.
std::vector<std::uint32_t> lattice_units_of_all(const Sheet& sheet, double share) {
  if (!sheet.areas) return lattice_units(sheet, share);
  std::vector<std::uint32_t> units;
  for (std::size_t area = 0; area < sheet.areas->size(); ++area)
    for (const std::uint32_t unit : lattice_units(sheet.of_area(area), share))
      units.push_back(static_cast<std::uint32_t>(sheet.all_areas()[area].first) + unit);
  return units;
}

}  // namespace

bool is_placed_at_random(const WiringConfig& config) noexcept {
  const double share = config.excitatory.value_or(0);
  return share > 0 && share < 1 &&
         config.excitatory_placement.value_or(UnitPlacement::random) == UnitPlacement::random;
}

void check_unit_types(const WiringConfig& config) {
  check_ranges(config, "wiring");
  check_placement(config);
  check_radii(config);
  const double share = config.excitatory.value_or(0);
  if (share == 0 || share == 1) return;
  const std::size_t n = config.sheet().n_units(), n_others = n_inhibitory(config);
  if (n_others == 0 || n_others == n)
    throw UsageError(fmt::format(
        "wiring.excitatory = {} makes all of {} units {}; use another share, a larger sheet, or 1 "
        "for excitatory units alone",
        share, n, n_others == 0 ? "excitatory" : "inhibitory"));
}

std::vector<std::uint8_t> excitatory_units(const WiringConfig& config, Seed run_seed) {
  check_unit_types(config);
  if (!config.has_unit_types()) return {};
  if (config.excitatory_placement == UnitPlacement::file) return types_from_file(config);
  const Sheet sheet = config.sheet();
  std::vector<std::uint8_t> types(sheet.n_units(), 1);
  if (*config.excitatory == 1) return types;
  const Seed seed = config.seed ? seed_from("wiring.seed", *config.seed) : run_seed;
  const auto inhibitory = is_placed_at_random(config)
                              ? choose(wiring_key(seed, WiringDraw::inhibitory_units),
                                       sheet.n_units(), n_inhibitory(config))
                              : lattice_units_of_all(sheet, 1 - *config.excitatory);
  for (const std::uint32_t unit : inhibitory) types[unit] = 0;
  if (std::ranges::count(types, 1) == 0)
    throw UsageError(fmt::format(
        "wiring.excitatory = {}: a lattice of inhibitory units leaves none of {} units excitatory; "
        "use a larger share",
        *config.excitatory, sheet.n_units()));
  return types;
}

}  // namespace lmrnn
