// Classifies points, and merges duplicates.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "analysis/fixed_points/fixed_points.hpp"

namespace lmrnn {

std::string_view stability_name(Stability stability) {
  switch (stability) {
    case Stability::attractor:
      return "attractor";
    case Stability::marginal:
      return "marginal";
    case Stability::rotation:
      return "rotation";
    case Stability::saddle:
      return "saddle";
    case Stability::repeller:
      return "repeller";
  }
  return "?";
}

double growth(std::complex<double> lambda, double alpha) {
  return (std::abs(lambda) - 1) / alpha;
}

Stability classify(std::span<const std::complex<double>> eigenvalues, std::size_t n_units,
                   double alpha, double tolerance, std::size_t& n_unstable,
                   std::size_t& n_marginal) {
  n_unstable = n_marginal = 0;
  bool real_marginal = false;
  for (const std::complex<double>& lambda : eigenvalues) {
    const double g = growth(lambda, alpha);
    if (g > tolerance) ++n_unstable;
    if (std::abs(g) > tolerance) continue;
    ++n_marginal;
    real_marginal = real_marginal || std::abs(lambda - 1.0) <= alpha * tolerance;
  }
  if (n_unstable == n_units) return Stability::repeller;
  if (n_unstable > 0) return Stability::saddle;
  if (real_marginal) return Stability::marginal;
  return n_marginal > 0 ? Stability::rotation : Stability::attractor;
}

std::vector<FixedPoint> merge_points(std::vector<FixedPoint> points, double distance, double slow) {
  std::vector<FixedPoint> kept;
  for (FixedPoint& point : points) {
    if (!(point.speed <= slow)) continue;
    const auto twin = std::ranges::find_if(kept, [&](const FixedPoint& other) {
      return (other.state - point.state).norm() <= distance;
    });
    if (twin == kept.end()) {
      kept.push_back(std::move(point));
    } else {
      twin->n_starts += point.n_starts;
      if (point.speed < twin->speed) {
        twin->state = std::move(point.state);
        twin->speed = point.speed;
      }
    }
  }
  return kept;
}

double time_constant(double modulus, double dt) {
  if (!(modulus > 0)) return 0;
  return std::abs(modulus - 1) < 1e-15 ? std::numeric_limits<double>::infinity()
                                       : -dt / std::log(modulus);
}

}  // namespace lmrnn
