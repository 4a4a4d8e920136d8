// A battery's internal data: everything that its trials have in common, computed once.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "lmrnn/tasks.hpp"
#include "tasks/modifiers.hpp"
#include "tasks/outline.hpp"
#include "tasks/ring.hpp"
#include "tasks/timing.hpp"

namespace lmrnn {

struct TaskSetup {
  Task task;
  const BaseTask* base;
  std::uint32_t number;  ///< Task::number()
  Modifiers modifiers;
  Durations durations;                  ///< published `match_delay` already drawn
  std::array<Timer, n_periods> timers;  ///< of those durations

  TaskSetup(Task task, const BatteryConfig& config, const Semantics& semantics, Seed seed);

  bool has(Period period) const noexcept { return !durations[period_index(period)].values.empty(); }
};

struct BatteryData {
  BatteryData(const BatteryConfig& config, Seed seed);

  BatteryConfig config;
  Seed seed;
  Semantics semantics;
  Ring ring;
  std::vector<Task> tasks;
  std::vector<TaskSetup> setups;           ///< one per task
  std::vector<double> cumulative_weights;  ///< per task; empty if all tasks weigh the same
  float noise_deviation;

  std::int32_t n_ring() const noexcept { return ring.size(); }
  std::int32_t n_channels() const noexcept { return 1 + 2 * ring.size(); }
  std::int32_t n_steps(double ms) const noexcept { return steps_in(ms, config.dt, semantics); }

  Conditions draw(std::size_t task, const Key& key, std::uint32_t trial,
                  std::uint32_t modality_turn) const;
  /// `conditions` must be possible (check_conditions). Fills `outline` in place.
  void outline(std::size_t task, const Conditions& conditions, TrialOutline& outline) const;
};

const BatteryData& data_of(const Battery& battery) noexcept;

/// Throws UsageError unless some trial of the task could have these conditions.
void check_conditions(const BatteryData& battery, const TaskSetup& setup,
                      const Conditions& conditions);

/// Class at step `step` of the trial.
inline std::int32_t target_at(const BatteryData& battery, const TrialOutline& outline,
                              std::int32_t step) {
  return step < outline.decision ? 0 : outline.path.target(battery.ring, step - outline.decision);
}

}  // namespace lmrnn
