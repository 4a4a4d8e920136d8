// Sheet geometry, and the locality mask: Khona, Chandra, Ma & Fiete 2023.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "lmrnn/error.hpp"
#include "lmrnn/wiring.hpp"
#include "wiring/makers.hpp"

namespace lmrnn {
namespace {

/// Distance between positions a and b on an axis of n.
std::int64_t along_axis(std::int64_t a, std::int64_t b, std::int64_t n,
                        Boundary boundary) noexcept {
  const std::int64_t apart = std::abs(a - b);
  return boundary == Boundary::torus ? std::min(apart, n - apart) : apart;
}

/// Positions on an axis of n that are at most `reach` from `at`, ascending.
std::vector<std::int64_t> within_reach(std::int64_t at, double reach, std::int64_t n,
                                       Boundary boundary) {
  // In every metric, the distance along an axis is at most the whole distance.
  const auto steps = static_cast<std::int64_t>(std::min(reach, static_cast<double>(n)));
  std::vector<std::int64_t> positions;
  if (boundary == Boundary::torus && 2 * steps + 1 < n) {
    for (std::int64_t d = -steps; d <= steps; ++d) positions.push_back((at + d + n) % n);
    std::ranges::sort(positions);
  } else {
    const bool whole = boundary == Boundary::torus;
    const std::int64_t first = whole ? 0 : std::max<std::int64_t>(0, at - steps);
    const std::int64_t last = whole ? n - 1 : std::min(n - 1, at + steps);
    for (std::int64_t p = first; p <= last; ++p) positions.push_back(p);
  }
  return positions;
}

double on_grid(const Sheet& sheet, std::int64_t rows, std::int64_t cols, std::size_t unit_a,
               std::size_t unit_b) noexcept {
  const auto a = static_cast<std::int64_t>(unit_a), b = static_cast<std::int64_t>(unit_b);
  const auto down = static_cast<double>(along_axis(a / cols, b / cols, rows, sheet.boundary));
  const auto across = static_cast<double>(along_axis(a % cols, b % cols, cols, sheet.boundary));
  switch (sheet.metric) {
    case Metric::l1:
      return down + across;
    case Metric::l2:
      return std::sqrt(down * down + across * across);
    case Metric::linf:
      return std::max(down, across);
  }
  return down + across;
}

double between_places(const UnitCoordinates& places, std::size_t unit_a, std::size_t unit_b,
                      Metric metric) noexcept {
  const std::size_t n = places.n_dimensions;
  const double* a = places.values.data() + unit_a * n;
  const double* b = places.values.data() + unit_b * n;
  double sum = 0, squares = 0, largest = 0;
  for (std::size_t k = 0; k < n; ++k) {
    const double apart = std::abs(a[k] - b[k]);
    sum += apart;
    squares += apart * apart;
    largest = std::max(largest, apart);
  }
  return metric == Metric::l1 ? sum : metric == Metric::l2 ? std::sqrt(squares) : largest;
}

/// The radius of a synapse, by the types of its units.
class Radii {
 public:
  Radii(const WiringConfig& config, Seed seed)
      : radius_(config.radius),
        ee_(config.radius_ee.value_or(radius_)),
        ei_(config.radius_ei.value_or(radius_)),
        ie_(config.radius_ie.value_or(radius_)),
        ii_(config.radius_ii.value_or(radius_)) {
    if (config.has_pair_radii()) types_ = excitatory_units(config, seed);
  }

  double largest() const noexcept {
    return types_.empty() ? radius_ : std::max({ee_, ei_, ie_, ii_});
  }
  double of(std::size_t source, std::size_t target) const noexcept {
    if (types_.empty()) return radius_;
    if (types_[source] != 0) return types_[target] != 0 ? ee_ : ei_;
    return types_[target] != 0 ? ie_ : ii_;
  }

 private:
  double radius_, ee_, ei_, ie_, ii_;
  std::vector<std::uint8_t> types_;
};

/// Places are in no order, so all pairs are checked. On a grid with spacing 0.4, distances are 0.4
/// only up to rounding.
Mask local_between_places(const Sheet& sheet, const Radii& radii, const WiringConfig& config) {
  std::vector<std::uint32_t> offsets{0}, sources;
  for (std::size_t target = 0; target < sheet.n_units(); ++target) {
    for (std::size_t source = 0; source < sheet.n_units(); ++source)
      if (source == target
              ? config.autapses
              : sheet.distance(target, source) <= radii.of(source, target) * (1 + 1e-9))
        sources.push_back(static_cast<std::uint32_t>(source));
    offsets.push_back(static_cast<std::uint32_t>(sources.size()));
  }
  Mask mask(sheet.n_units(), sheet.n_units(), std::move(offsets), std::move(sources));
  const bool lateral = mask.n_synapses() > (config.autapses ? sheet.n_units() : 0);
  const bool meant = config.autapses && radii.largest() == 0;  // only autapses, on purpose
  if (!lateral && !meant)
    throw UsageError(fmt::format(
        "wiring.radius = {} reaches from no unit to another; the mean distance of a unit to the "
        "nearest one in wiring.coordinates_path is {:.4g}, so set a larger radius{}",
        config.radius, sheet.spacing(), config.autapses ? ", or 0 for autapses alone" : ""));
  return mask;
}

}  // namespace

double Sheet::distance(std::size_t unit_a, std::size_t unit_b) const noexcept {
  if (coordinates) return between_places(*coordinates, unit_a, unit_b, metric);
  if (!areas) return on_grid(*this, rows, cols, unit_a, unit_b);
  const std::size_t number = area_of(unit_a);
  if (area_of(unit_b) != number) return std::numeric_limits<double>::infinity();
  const Area& area = (*areas)[number];
  return on_grid(*this, area.rows, area.cols, unit_a - area.first, unit_b - area.first);
}

Mask make_local(const WiringConfig& config, Seed seed) {
  const Sheet sheet = make_sheet(config);
  const Radii radii(config, seed);
  if (sheet.coordinates) return local_between_places(sheet, radii, config);
  std::vector<std::uint32_t> offsets{0}, sources;
  for (std::int64_t row = 0; row < sheet.rows; ++row) {
    const auto near_rows = within_reach(row, radii.largest(), sheet.rows, sheet.boundary);
    for (std::int64_t col = 0; col < sheet.cols; ++col) {
      const auto target = static_cast<std::size_t>(row * sheet.cols + col);
      const auto near_cols = within_reach(col, radii.largest(), sheet.cols, sheet.boundary);
      for (const std::int64_t near_row : near_rows)
        for (const std::int64_t near_col : near_cols) {
          const auto source = static_cast<std::size_t>(near_row * sheet.cols + near_col);
          if (sheet.distance(target, source) <= radii.of(source, target) &&
              (config.autapses || source != target))
            sources.push_back(static_cast<std::uint32_t>(source));
        }
      offsets.push_back(static_cast<std::uint32_t>(sources.size()));
    }
  }
  return {sheet.n_units(), sheet.n_units(), std::move(offsets), std::move(sources)};
}

}  // namespace lmrnn
