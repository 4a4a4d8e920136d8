// Synapses whose probability falls exponentially with distance, as measured in cortex:
// Ercsey-Ravasz et al., Neuron 80 (2013), the exponential distance rule.
//
//   P(synapse between units at distance d > 0) = min(1, A exp(-d / length))
//
// A is set so that the expected share of all pairs, including autapses, is `density`. With
// autapses, every unit has one, as in the other wirings; without, none has.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lmrnn/error.hpp"
#include "wiring/makers.hpp"

namespace lmrnn {
namespace {

/// Ordered pairs of units that are `rows` and `cols` apart.
struct Displacement {
  double distance;
  double n_pairs;
};

/// Every displacement between two different units; with coordinates, one for every pair. `apart`
/// ignores the boundary.
std::vector<Displacement> displacements(const Sheet& sheet) {
  // 0 apart: n ordered pairs on an axis of n; more: n - apart in each direction.
  const auto n_pairs = [](std::int64_t apart, std::int64_t n) {
    return static_cast<double>(apart == 0 ? n : 2 * (n - apart));
  };
  std::vector<Displacement> all;
  if (sheet.coordinates) {
    for (std::size_t a = 0; a < sheet.n_units(); ++a)
      for (std::size_t b = 0; b < a; ++b) all.push_back({sheet.distance(a, b), 2});
    return all;
  }
  for (std::int64_t down = 0; down < sheet.rows; ++down)
    for (std::int64_t across = 0; across < sheet.cols; ++across)
      if (down + across > 0)
        all.push_back({sheet.distance(0, static_cast<std::size_t>(down * sheet.cols + across)),
                       n_pairs(down, sheet.rows) * n_pairs(across, sheet.cols)});
  return all;
}

double probability(double distance, double log_amplitude, double length) noexcept {
  return std::exp(std::min(0.0, log_amplitude - distance / length));
}

/// log A with which `n_expected` synapses are expected, without autapses.
double calibrate(std::span<const Displacement> all, double length, double n_expected) {
  double farthest = 0;
  for (const Displacement& d : all) farthest = std::max(farthest, d.distance);
  double low = -750;                // exp gives 0
  double high = farthest / length;  // every pair is connected
  for (int step = 0; step < 100; ++step) {
    const double middle = 0.5 * (low + high);
    double n = 0;
    for (const Displacement& d : all) n += d.n_pairs * probability(d.distance, middle, length);
    (n < n_expected ? low : high) = middle;
  }
  return high;
}

}  // namespace

Mask make_exponential(const WiringConfig& config, Seed seed) {
  const Sheet sheet = make_sheet(config);
  const std::size_t n = sheet.n_units();
  const auto n_units = static_cast<double>(n);
  const double n_autapses = config.autapses ? n_units : 0;
  const double n_expected = config.density * n_units * n_units - n_autapses;
  const double n_pairs = n_units * (n_units - 1);
  // Half a synapse of tolerance, so that a density printed with few digits is accepted.
  if (n_expected < -0.5 || n_expected > n_pairs + 0.5)
    throw UsageError(fmt::format(
        "wiring.density = {} is impossible with {} units and autapses = {}; give {:.6g} to {:.6g}",
        config.density, n, config.autapses, n_autapses / (n_units * n_units),
        (n_autapses + n_pairs) / (n_units * n_units)));

  const double log_amplitude =
      n_expected <= 0 ? -HUGE_VAL : calibrate(displacements(sheet), config.length, n_expected);
  std::vector<std::uint32_t> offsets{0}, sources;
  for (std::size_t target = 0; target < n; ++target) {
    const Key key = wiring_key(seed, WiringDraw::exponential, target);
    for (std::size_t source = 0; source < n; ++source) {
      const auto index = static_cast<std::uint32_t>(source);
      if (source == target ? config.autapses
                           : uniform(key, index) < probability(sheet.distance(target, source),
                                                               log_amplitude, config.length))
        sources.push_back(index);
    }
    offsets.push_back(static_cast<std::uint32_t>(sources.size()));
  }
  return {n, n, std::move(offsets), std::move(sources)};
}

}  // namespace lmrnn
