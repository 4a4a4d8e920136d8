// Tests 3 and 4: slow points along the ring, and the Jacobian there.
#include <algorithm>
#include <cmath>

#include "analysis/fixed_points/fixed_points.hpp"
#include "analysis/numerics/numerics.hpp"
#include "analysis/ring/tests.hpp"
#include "analysis/work.hpp"

namespace lmrnn {

using Eigen::VectorXd;

namespace {

const double slowest_decay = std::exp(-0.1 / 3);  // per 100 ms, at a time constant of 3 s

}  // namespace

void RingTests::slow_loop() {
  slow_points_.resize(s_.n_trials);
  for_each_item(s_.context, s_.n_trials, "slow point", [&](std::size_t k) {
    const RingPoint& p = s_.points[k];
    conditions_[k].speed =
        speed(s_.dynamics, p.state, p.current) * tau_per_100ms_ / std::max(p.radius, 1e-12);
    // The minimisation stops at slow points: a slowly leaking memory has only one true fixed point,
    // to which all states finally decay.
    slow_points_[k] = minimise_speed(s_.dynamics, p.state, p.current,
                                     {.slow_enough = 0.002 * p.radius / tau_per_100ms_});
    conditions_[k].slow_angle = degrees(s_.decoder->angle(slow_points_[k]));
  });
  const double slow = share([](const RingCondition& x) { return x.speed < 0.01; });
  const std::string claim = "states on the ring hardly move, and slow points form one loop";
  add(3, claim, "share of ring states slower than 1% of the radius per 100 ms", slow, ">= 0.9",
      slow >= enough);
  double widest = 0;
  for (std::size_t m = 0; m < 2; ++m) {
    std::vector<double> angles;
    for (std::size_t a = 0; a < s_.n_angles; ++a)
      angles.push_back(conditions_[m * s_.n_angles + a].slow_angle);
    std::ranges::sort(angles);
    for (std::size_t a = 0; a + 1 < angles.size(); ++a)
      widest = std::max(widest, angles[a + 1] - angles[a]);
    widest = std::max(widest, angles.front() + 360 - angles.back());
  }
  add(3, claim, "widest gap between the angles of neighbouring slow points, degrees", widest,
      "< 22.5", widest < 2 * most_angle);
}

void RingTests::spectrum() {
  for_each_item(s_.context, s_.n_trials, "spectrum", [&](std::size_t k) {
    const RingPoint& p = s_.points[k];
    const VectorXd slope = s_.dynamics.slope(slow_points_[k], p.current);
    const Eigen::Index n = std::min<Eigen::Index>(6, s_.dynamics.n_units());
    const Spectrum spectrum = leading_spectrum(s_.dynamics, slope, n, true);
    RingCondition& row = conditions_[k];
    row.first = std::pow(std::abs(spectrum.values[0]), per_100ms_);
    row.second =
        spectrum.values.size() > 1 ? std::pow(std::abs(spectrum.values[1]), per_100ms_) : 0;
    const VectorXd direction = spectrum.vectors.col(0).real();
    row.along =
        std::abs(direction.dot(p.tangent)) / std::max(direction.norm() * p.tangent.norm(), 1e-300);
  });
  const auto neutral = [](const RingCondition& c) {
    return c.first > slowest_decay && c.first < 1 / slowest_decay;
  };
  const std::string claim = "one neutral direction, along the ring; all others decay";
  const double one = share(neutral);
  add(4, claim, "share with an eigenvalue near 1 (time constant above 3 s)", one, ">= 0.9",
      one >= enough);
  const double along = share([](const RingCondition& c) { return c.along > 0.9; });
  add(4, claim, "share whose first eigenvector lies along the tangent (cosine above 0.9)", along,
      ">= 0.9", along >= enough);
  const double decay = share([](const RingCondition& c) { return c.second < 0.8; });
  add(4, claim, "share whose second eigenvalue is below 0.8 per 100 ms", decay, ">= 0.9",
      decay >= enough);
}

}  // namespace lmrnn
