// What files know of measured networks besides which synapses exist: the places of units.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "lmrnn/error.hpp"
#include "lmrnn/files.hpp"
#include "wiring/makers.hpp"

namespace lmrnn {
namespace {

/// Throws unless the first axis has the units of the sheet.
void require_units(std::size_t n, const WiringConfig& config, const std::string& path,
                   std::string_view what) {
  const std::size_t n_units = config.sheet().n_units();
  if (n != n_units)
    throw UsageError(
        fmt::format("{}: has the {} of {} units, but a sheet of {} x {} has {}; set wiring.rows "
                    "and wiring.cols to fit",
                    path, what, n, config.rows, config.cols, n_units));
}

/// Mean over units of the distance to the nearest unit at another place; infinite if there is none.
double spacing_of(const Sheet& sheet) {
  double sum = 0;
  for (std::size_t a = 0; a < sheet.n_units(); ++a) {
    double nearest = std::numeric_limits<double>::infinity();
    for (std::size_t b = 0; b < sheet.n_units(); ++b)
      if (const double d = sheet.distance(a, b); d > 0) nearest = std::min(nearest, d);
    sum += nearest;
  }
  return sum / static_cast<double>(sheet.n_units());
}

void require_open(Boundary boundary) {
  if (boundary == Boundary::torus)
    throw UsageError(
        "wiring.coordinates_path: measured places have no opposite edges that meet; set "
        "wiring.boundary = \"open\" (now \"torus\")");
}

}  // namespace

const ArrayData& array_named(const ArrayFile& file, const std::string& path, std::string_view name,
                             std::string_view what) {
  if (const ArrayData* named = file.find(name)) return *named;
  if (file.arrays.size() == 1) return file.arrays.front().second;
  throw UsageError(fmt::format("{}: holds {} arrays; name the one with {} \"{}\"", path,
                               file.arrays.size(), what, name));
}

void check_measured(const WiringConfig& config) {
  const auto require_path = [](const std::optional<std::string>& path, std::string_view key) {
    if (path && path->empty())
      throw UsageError(fmt::format(
          "wiring.{} = \"\": give the path of an npy, npz or safetensors file, or leave it out",
          key));
  };
  require_path(config.coordinates_path, "coordinates_path");
  if (config.coordinates_path) require_open(config.boundary);
}

Sheet with_coordinates(Sheet grid, std::size_t n_dimensions, std::vector<double> values,
                       std::string_view name) {
  const std::size_t n_units = grid.n_units();
  if (n_dimensions != 2 && n_dimensions != 3)
    throw UsageError(fmt::format("{}: coordinates in {} dimensions; give (unit, 2) or (unit, 3)",
                                 name, n_dimensions));
  if (values.size() != n_units * n_dimensions)
    throw UsageError(
        fmt::format("{}: {} numbers for {} units in {} dimensions; give one place per "
                    "unit",
                    name, values.size(), n_units, n_dimensions));
  require_open(grid.boundary);
  for (std::size_t k = 0; k < values.size(); ++k)
    if (!std::isfinite(values[k]))
      throw UsageError(fmt::format(
          "{}: coordinate {} of unit {} is {}; every unit needs a place, so estimate it "
          "or leave the unit out",
          name, k % n_dimensions, k / n_dimensions, values[k]));
  auto places = std::make_shared<UnitCoordinates>();
  places->n_dimensions = n_dimensions;
  places->values = std::move(values);
  grid.coordinates = places;
  const double spacing = spacing_of(grid);
  if (!std::isfinite(spacing))
    throw UsageError(fmt::format(
        "{}: all units are at one place; give coordinates that differ, or leave them out", name));
  places->spacing = spacing;
  return grid;
}

Sheet make_sheet(const WiringConfig& config) {
  check_measured(config);
  Sheet sheet = config.sheet();
  if (!config.coordinates_path) return sheet;
  const std::string& path = *config.coordinates_path;
  const ArrayFile file = read_arrays(path);
  const ArrayData& data = array_named(file, path, "coordinates", "a place for each unit");
  if (data.shape.size() != 2)
    throw UsageError(
        fmt::format("{}: the coordinates have the shape ({}); give (unit, 2) or "
                    "(unit, 3)",
                    path, fmt::join(data.shape, ", ")));
  require_units(data.shape[0], config, path, "coordinates");
  return with_coordinates(std::move(sheet), data.shape[1], data.to_doubles(), path);
}

}  // namespace lmrnn
