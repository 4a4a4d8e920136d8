#include "analysis/autapse/pools.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "analysis/autapse/pool_builder.hpp"
#include "lmrnn/error.hpp"

namespace lmrnn {
namespace {

using Eigen::VectorXd;

// Reach without modifiers: the stimulus charges an integrator.
void build_reach(PoolBuilder& pool, const BaseTask& base) {
  const Eigen::Index n = pool.n_ring();
  for (Eigen::Index k = 0; k < n; ++k) {
    PoolUnit& unit = pool.add(1);
    pool.listen(unit, pool.one(k), 3);
    unit.readout[1 + (k + (base.anti ? n / 2 : 0)) % n] = 1;
  }
}

// Both decision families: integrators add up the evidence; the two bumps overlap, and the filter
// separates them.
void build_decision(PoolBuilder& pool, const BaseTask& base) {
  const Eigen::Index n = pool.n_ring();
  const VectorXd filter = wiener(pool.bump(), pool.one(0), 0.5);
  for (Eigen::Index k = 0; k < n; ++k) {
    PoolUnit& unit = pool.add(1);
    pool.listen(unit, pool.one(k), base.counted);
    for (Eigen::Index c = 0; c < n; ++c) unit.readout[1 + c] = filter[(c - k + n) % n];
  }
  pool.set_fixation(-1e3);
}

// Match. Rectified integrators with templates T and -T: the sample charges one of the two. A test
// of the same sign charges it again; a test of the other sign discharges it and charges its twin.
// Their sum is s + t on match, max(s, t) on non-match.
void build_match(PoolBuilder& pool, const BaseTask& base, std::int32_t n_stimulus_steps) {
  const Eigen::Index n = pool.n_ring();
  for (Eigen::Index k = 0; k < n; ++k) {  // where the last stimulus was
    PoolUnit& unit = pool.add(0.9);
    pool.listen(unit, pool.one(k), 3);
    unit.readout[1 + k] = 1;
  }
  std::vector<VectorXd> templates;
  if (base.category) {
    VectorXd halves(n);
    for (Eigen::Index k = 0; k < n; ++k) halves[k] = k < n / 2 ? 1 : -1;
    const VectorXd t = wiener(pool.bump(), halves, 0.025);
    templates = {t, -t};
  } else {
    for (Eigen::Index k = 0; k < n; ++k) {
      VectorXd t(n);
      for (Eigen::Index j = 0; j < n; ++j) t[j] = std::cos(pool.angle(j - k));
      templates.push_back(t);
    }
  }
  // What one stimulus adds to the sum of all integrators, by its direction.
  const VectorXd bump = pool.bump();
  VectorXd response = VectorXd::Zero(n);
  for (Eigen::Index s = 0; s < n; ++s)
    for (const VectorXd& t : templates) {
      double drive = 0;
      for (Eigen::Index j = 0; j < n; ++j) drive += t[j] * bump[(j - s + n) % n];
      response[s] += std::max(0.0, drive) * bump_peak * n_stimulus_steps;
    }
  const double threshold = (2 * response.minCoeff() + response.maxCoeff()) / 2;
  const double sign = base.respond_to_match ? -1 : 1;
  const double steepness = 200 / response.mean();
  for (const VectorXd& t : templates) {
    PoolUnit& unit = pool.add(1);
    pool.listen(unit, t, 3);
    unit.readout[0] = sign * steepness;
  }
  pool.set_fixation(-sign * steepness * threshold);
}

std::vector<std::int32_t> steps_of(const Duration& duration, const Battery& battery) {
  std::vector<std::int32_t> steps;
  for (const double ms : duration.values) steps.push_back(battery.n_steps({ms}));
  return steps;
}

}  // namespace

bool has_hand_made_pool(const Task& task) {
  const BaseTask& base = task.base_task();
  if (task.interval == 0 && task.sequence == 0) return true;
  if (base.family != Family::reach || !base.memory_delay) return false;
  return task.interval == 0 || task.sequence == 0 || task.interval == task.sequence;
}

Network hand_made_pool(const Battery& battery, std::size_t index) {
  const Task task = battery.tasks()[index];
  const BaseTask& base = task.base_task();
  if (!has_hand_made_pool(task))
    throw UsageError(fmt::format("{}: there is no hand-made pool for this task", task.name()));
  const double dt = battery.config().dt;
  const auto durations = battery.durations(index);
  const auto steps = [&](Period p) { return steps_of(durations[period_index(p)], battery); };
  PoolBuilder pool(battery);
  if (task.interval != 0 || task.sequence != 0) {
    const double omega_steps =
        battery.config().omega * dt * static_cast<double>(pool.n_ring()) / (2 * std::numbers::pi);
    build_ramps(
        pool, task,
        {steps(Period::stimulus).front(), steps(Period::decision).front(), steps(Period::delay)},
        omega_steps);
  } else if (base.family == Family::reach) {
    build_reach(pool, base);
  } else if (base.family == Family::match) {
    build_match(pool, base, steps(Period::stimulus).front());
  } else {
    build_decision(pool, base);
  }
  return pool.network(battery.n_rules());
}

}  // namespace lmrnn
