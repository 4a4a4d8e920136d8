// Batteries and conditions for tests, in units of the ring.
#pragma once

#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "lmrnn/tasks.hpp"

namespace lmrnn {

constexpr Seed test_seed{1};

inline std::size_t at(Period period) {
  return static_cast<std::size_t>(period);
}

/// Angle of direction k, rad; k may lie between directions.
inline double direction(double k, std::int64_t n_ring = 16) {
  return 2 * std::numbers::pi * k / static_cast<double>(n_ring);
}

inline BatteryConfig config_of(std::string tasks) {
  BatteryConfig config;
  config.tasks = std::move(tasks);
  return config;
}

/// Conditions of the first drawn trial of a task, without noise: a start for changes by hand.
inline Conditions conditions_of(const Battery& battery, std::size_t task = 0) {
  Conditions c = battery.draw(task, {test_seed, RandomPurpose::conditions});
  c.noise = false;
  return c;
}

/// Targets of the decision period.
inline std::vector<std::int32_t> answers(const Trial& trial) {
  return {trial.targets.begin() + trial.periods.back().first, trial.targets.end()};
}

/// Input of a channel in the middle of a period.
inline float input_in(const Trial& trial, Period period, std::int32_t channel) {
  for (const PeriodSpan& span : trial.periods)
    if (span.period == period) {
      const std::int32_t step = (span.first + span.last) / 2;
      return trial.inputs[static_cast<std::size_t>(step * trial.n_channels + channel)];
    }
  return -1;
}

}  // namespace lmrnn
