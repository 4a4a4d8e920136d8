#include "analysis/units/unit_epochs.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/numerics/dynamics.hpp"
#include "analysis/simulate.hpp"

namespace lmrnn {

using Eigen::VectorXd;

double per_time_constant(double lambda, double alpha) {
  return alpha == 1 ? lambda : 1 + (lambda - 1) / alpha;  // avoids rounding: exactly lambda at 1
}

UnitClass class_of(double lambda, double alpha, double active, const AutapseOptions& o) {
  if (active <= o.silent) return UnitClass::silent;
  // Below 0 the state changes its sign at every step. What counts is how much of it is left.
  const double factor = per_time_constant(std::abs(lambda), alpha);
  if (factor < o.relay) return UnitClass::relay;
  if (factor < o.memory) return UnitClass::memory;
  return factor <= o.integrator ? UnitClass::integrator : UnitClass::grower;
}

Epochs watch_task(const Subject& subject, std::size_t task, std::size_t n_trials, Seed seed) {
  const Architecture& a = subject.network.architecture();
  const Dynamics dynamics(subject.network);
  const TrialBatch trials = test_trials(subject.battery, task, n_trials, seed, false);
  const Simulation run = simulate(subject.network, subject.battery, trials);
  const std::size_t n = a.n_units();
  const float* readout = subject.network.parameters().data() + subject.network.layout().readout;
  Epochs e{task, {}, {}, std::vector<double>(n, 0)};
  std::array<double, n_periods> n_steps{};
  double n_decisions = 0;
  for (std::size_t k = 0; k < n_trials; ++k)
    for (const PeriodSpan& span : trials.spans[k]) {
      const auto p = period_index(span.period);
      e.active[p].resize(n, 0);
      e.slope[p].resize(n, 0);
      for (auto step = span.first; step < span.last; ++step) {
        const auto t = static_cast<std::size_t>(step);
        ++n_steps[p];
        // f' is computed from the unit's input. The output, (h[t] - (1 - alpha) h[t-1]) / alpha, is
        // rounding noise in a unit that only decays, and its sign often says "active".
        const VectorXd before =
            t > 0 ? run.state_at(t - 1, k) : VectorXd(VectorXd::Zero(static_cast<Eigen::Index>(n)));
        const VectorXd slope = dynamics.slope(before, dynamics.current(trials, t, k));
        for (std::size_t i = 0; i < n; ++i) {
          const double s = slope[static_cast<Eigen::Index>(i)];
          e.active[p][i] += s > 1e-3;
          e.slope[p][i] += s;
        }
        if (span.period != Period::decision) continue;
        const auto right = static_cast<std::size_t>(trials.targets[trials.index(t, k)]);
        std::size_t other = right == 0 ? 1 : 0;
        const auto logit = [&](std::size_t c) {
          return run.logits[(t * run.n_classes + c) * n_trials + k];
        };
        for (std::size_t c = 0; c < run.n_classes; ++c)
          if (c != right && logit(c) > logit(other)) other = c;
        ++n_decisions;
        for (std::size_t i = 0; i < n; ++i)
          e.margin[i] += run.state(t, i, k) *
                         static_cast<double>(readout[right * n + i] - readout[other * n + i]);
      }
    }
  for (std::size_t p = 0; p < n_periods; ++p)
    for (std::size_t i = 0; i < e.active[p].size(); ++i) {
      e.slope[p][i] = e.active[p][i] > 0 ? e.slope[p][i] / e.active[p][i] : 0;  // mean while active
      e.active[p][i] /= std::max(n_steps[p], 1.0);
    }
  for (double& m : e.margin) m /= std::max(n_decisions, 1.0);
  return e;
}

}  // namespace lmrnn
