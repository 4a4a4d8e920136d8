// int and seq without coupling: ramps that decrease to zero, each at its own rate.
#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <vector>

#include "analysis/autapse/pool_builder.hpp"

namespace lmrnn {
namespace {

using Eigen::VectorXcd;
using Eigen::VectorXd;

// When the drain is open: while the cue is on, while it is off, or always.
struct Drain {
  bool with_cue, without_cue;
  double rate(bool cue) const { return (cue ? with_cue : without_cue) ? 1 : 0; }
};

// Level of an integrator with drain `rate` and input `drive` while the stimulus is on, at step
// `decision_step` of the decision: exactly what the unit computes.
double level(double drive, double rate, const Drain& drain, const TrialTiming& timing,
             std::int32_t delay, std::int32_t decision_step) {
  double h = 0;
  for (std::int32_t t = 0; t < timing.stimulus; ++t)
    h = std::max(0.0, h + drive - rate * drain.rate(true));
  for (std::int32_t t = 0; t < delay; ++t) h = std::max(0.0, h - rate * drain.rate(true));
  for (std::int32_t t = 0; t <= decision_step; ++t) h = std::max(0.0, h - rate * drain.rate(false));
  return h;
}

}  // namespace

// The readout from ramp `j` of channel k to direction c depends only on c - k, so in the Fourier
// domain each frequency is a small least-squares problem over the elapsed times.
void build_ramps(PoolBuilder& pool, const Task& task, const TrialTiming& timing,
                 double omega_steps) {
  const Eigen::Index n = pool.n_ring();
  const Drain drain{task.interval != 0, task.sequence != 0};
  struct Moment {
    std::int32_t delay, step;
    Eigen::Index shift;
  };
  std::vector<Moment> moments;
  double longest = 1;
  for (const std::int32_t delay : timing.delays)
    for (std::int32_t step = 0; step < timing.decision; ++step) {
      const double turned = omega_steps * (task.interval * delay + task.sequence * step);
      const auto shift =
          static_cast<Eigen::Index>(std::lround(turned)) + (task.base_task().anti ? n / 2 : 0);
      moments.push_back({delay, step, (shift % n + n) % n});
      longest = std::max(longest, drain.rate(true) * (timing.stimulus + delay) +
                                      drain.rate(false) * (step + 1) + 1.0);
    }
  const double charge = bump_peak * timing.stimulus;
  const double shortest = drain.rate(true) * timing.stimulus + 0.5;
  const auto n_ramps = static_cast<Eigen::Index>(std::ceil(longest - shortest)) + 2;
  VectorXd rates(n_ramps);
  for (Eigen::Index j = 0; j < n_ramps; ++j)
    rates[j] = charge / (shortest + (longest + 1 - shortest) * static_cast<double>(j) /
                                        static_cast<double>(n_ramps - 1));
  const auto n_moments = static_cast<Eigen::Index>(moments.size());
  const VectorXd bump = pool.bump();
  std::vector<Eigen::MatrixXcd> features(static_cast<std::size_t>(n),
                                         Eigen::MatrixXcd(n_moments, n_ramps));
  Eigen::MatrixXcd targets(n_moments, n);
  for (Eigen::Index m = 0; m < n_moments; ++m) {
    const Moment& moment = moments[static_cast<std::size_t>(m)];
    targets.row(m) = fourier(pool.one(moment.shift)).transpose();
    for (Eigen::Index j = 0; j < n_ramps; ++j) {
      VectorXd levels(n);
      for (Eigen::Index k = 0; k < n; ++k)
        levels[k] = level(bump_peak * bump[k], rates[j], drain, timing, moment.delay, moment.step);
      const VectorXcd transformed = fourier(levels);
      for (Eigen::Index f = 0; f < n; ++f)
        features[static_cast<std::size_t>(f)](m, j) = transformed[f];
    }
  }
  Eigen::MatrixXcd solution(n_ramps, n);
  for (Eigen::Index f = 0; f < n; ++f) {
    const Eigen::MatrixXcd& x = features[static_cast<std::size_t>(f)];
    Eigen::MatrixXcd gram = x.adjoint() * x;
    gram.diagonal().array() += 1e-9 * gram.diagonal().real().mean() + 1e-12;
    solution.col(f) = gram.ldlt().solve(x.adjoint() * targets.col(f));
  }
  for (Eigen::Index j = 0; j < n_ramps; ++j) {
    const VectorXd filter = inverse_fourier(solution.row(j).transpose());
    for (Eigen::Index k = 0; k < n; ++k) {
      PoolUnit& unit = pool.add(1);
      pool.listen(unit, pool.one(k), 3);
      // -rate in the periods in which time counts, otherwise 0.
      unit.bias = -rates[j] * drain.rate(false);
      unit.input[0] = -rates[j] * (drain.rate(true) - drain.rate(false));
      for (Eigen::Index c = 0; c < n; ++c) unit.readout[1 + c] = filter[(c - k + n) % n];
    }
  }
  pool.set_fixation(-1e3);
}

}  // namespace lmrnn
