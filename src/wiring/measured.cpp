// Data of measured networks in addition to the synapses: places of units, types of cells, weights.
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

/// Throws unless the first axis has as many entries as the sheet has units.
void require_units(std::size_t n, const WiringConfig& config, const std::string& path,
                   std::string_view what) {
  const std::size_t n_units = config.sheet().n_units();
  if (n != n_units)
    throw UsageError(fmt::format("{}: has the {} of {} units, but {} has {}; set {} to fit", path,
                                 what, n, size_text(config), n_units, size_keys(config)));
}

/// Mean over units of the distance to the nearest unit at another place; infinite if all are at one
/// place.
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

/// The factor with which the squares of a unit's weights add up to 1, on average over units with
/// synapses.
double fan_in_factor(const Mask& mask, std::span<const double> weights) {
  double largest = 0, squares = 0;  // relative to the largest, because squares could overflow
  for (const double w : weights) largest = std::max(largest, std::abs(w));
  for (const double w : weights) squares += (w / largest) * (w / largest);
  const auto offsets = mask.row_offsets();
  double n = 0;
  for (std::size_t i = 0; i < mask.n_targets(); ++i) n += offsets[i + 1] > offsets[i];
  return std::sqrt(n / squares) / largest;
}

/// The weights of a matrix (target, source) at the synapses of `mask`, in its order.
std::vector<double> by_synapse(std::span<const double> matrix, const Mask& mask, bool autapses,
                               const std::string& path) {
  const std::size_t n = mask.n_targets();
  std::vector<double> weights;
  weights.reserve(mask.n_synapses());
  for (std::size_t target = 0; target < n; ++target) {
    const auto sources = mask.sources_of(target);
    auto next = sources.begin();
    for (std::size_t source = 0; source < n; ++source) {
      const double w = matrix[target * n + source];
      if (!std::isfinite(w))
        throw UsageError(fmt::format("{}: the weight at [{}, {}] is {}; write a finite number",
                                     path, target, source, w));
      if (next != sources.end() && *next == source) {
        weights.push_back(w);
        ++next;
      } else if (w != 0 && (autapses || source != target)) {
        throw UsageError(fmt::format(
            "{}: the weight at [{}, {}] (from unit {} onto unit {}) is {}, but there is no such "
            "synapse in [wiring]; rows must be targets (transpose the matrix if they are sources), "
            "and weights of other pairs 0",
            path, target, source, source, target, w));
      }
    }
  }
  return weights;
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
  require_path(config.types_path, "types_path");
  require_path(config.weights_path, "weights_path");
  if (config.coordinates_path) require_open(config.boundary);
  if (config.weights_scale && !config.weights_path)
    throw UsageError(
        "wiring.weights_scale needs wiring.weights_path, the file with the initial weights; set "
        "it, or use network.gain for weights that are drawn");
  if (config.weights_path && config.initial.kind != SubsetKind::all)
    throw UsageError(fmt::format(
        "wiring.initial.kind = \"{}\" does not go with wiring.weights_path, which says every "
        "initial weight; write 0 into the file for synapses that begin without one",
        to_name(config.initial.kind)));
  if (config.gains == GainGroups::types && !config.types_path && !config.has_unit_types())
    throw UsageError(
        "wiring.gains = \"types\" needs types of units; set wiring.types_path, or "
        "wiring.excitatory, or use \"targets\", \"sources\" or \"all\"");
  if (config.gains && config.plastic.kind == SubsetKind::none)
    throw UsageError(
        "wiring.gains does not go with wiring.plastic.kind = \"none\", which trains no recurrent "
        "synapse; leave one of them out");
}

Sheet with_coordinates(Sheet grid, std::size_t n_dimensions, std::vector<double> values,
                       std::string_view name) {
  const std::size_t n_units = grid.n_units();
  if (n_dimensions != 2 && n_dimensions != 3)
    throw UsageError(
        fmt::format("{}: a place has {} numbers; give (unit, 2) or (unit, 3)", name, n_dimensions));
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

std::vector<std::uint32_t> cell_types(const WiringConfig& config) {
  if (!config.types_path) return {};
  const std::string& path = *config.types_path;
  const ArrayFile file = read_arrays(path);
  const std::vector<double> values =
      array_named(file, path, "types", "a whole number for each unit").to_doubles();
  require_units(values.size(), config, path, "types");
  std::vector<std::uint32_t> types;
  constexpr double most = std::numeric_limits<std::int32_t>::max();
  for (const double value : values) {
    if (!(value >= 0 && value <= most) || value != std::floor(value))
      throw UsageError(
          fmt::format("{}: the type of unit {} is {}; give each type of cell a whole number from 0",
                      path, types.size(), value));
    types.push_back(static_cast<std::uint32_t>(value));
  }
  return types;
}

std::vector<float> weights_from_file(const WiringConfig& config, const Mask& mask,
                                     std::span<const std::uint8_t> excitatory) {
  if (!config.weights_path) return {};
  const std::string& path = *config.weights_path;
  const ArrayFile file = read_arrays(path);
  const ArrayData& data = array_named(file, path, "weights", "a weight for each pair of units");
  const std::size_t n = mask.n_targets();
  if (data.shape != std::vector{n, n})
    throw UsageError(
        fmt::format("{}: the weights have the shape ({}), but {} units need ({}, {}), target first",
                    path, fmt::join(data.shape, ", "), n, n, n));
  std::vector<double> weights = by_synapse(data.to_doubles(), mask, config.autapses, path);
  if (std::ranges::all_of(weights, [](double w) { return w == 0; }))
    throw UsageError(
        fmt::format("{}: all weights are 0; leave wiring.weights_path out to draw them", path));
  const bool counts = std::ranges::none_of(weights, [](double w) { return w < 0; });
  if (counts && !excitatory.empty())
    for (std::size_t k = 0; k < weights.size(); ++k)
      if (excitatory[mask.sources()[k]] == 0) weights[k] = -weights[k];
  if (config.weights_scale == WeightsScale::fan_in) {
    const double factor = fan_in_factor(mask, weights);
    for (double& w : weights) w *= factor;
  }
  std::vector<float> result;
  for (const double w : weights) {
    if (std::abs(w) > std::numeric_limits<float>::max())
      throw UsageError(fmt::format(
          "{}: the weight {} is too large for single precision; scale the weights", path, w));
    result.push_back(static_cast<float>(w));
  }
  if (std::ranges::all_of(result, [](float w) { return w == 0; }))
    throw UsageError(
        fmt::format("{}: all weights are 0 in single precision; scale the weights", path));
  return result;
}

}  // namespace lmrnn
