// The common part of trials of all families: drawing conditions, checking conditions that a caller
// made, and outlining the trial.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tasks/families.hpp"

namespace lmrnn {
namespace {

/// A longer trial is almost certainly a typo and would only exhaust the memory.
constexpr double most_steps = 1e6;

void check_durations(const BatteryData& battery, const TaskSetup& setup,
                     const Conditions& conditions) {
  for (std::size_t p = 0; p < n_periods; ++p) {
    const auto period = static_cast<Period>(p);
    const double ms = conditions.duration[p];
    const auto name = period_name(setup.base->family, period);
    if (!std::isfinite(ms) || ms < 0 || ms / battery.config.dt > most_steps)
      refuse(setup, fmt::format("the {} lasts {} ms; it must be from 0 to {} steps of {} ms", name,
                                ms, most_steps, battery.config.dt));
    if (ms > 0 && !setup.has(period))
      refuse(setup,
             fmt::format("duration[{}] = {} ms, but its trials have no such period; make it 0", p,
                         ms));
  }
  if (battery.n_steps(conditions.duration[period_index(Period::decision)]) < 1)
    refuse(setup,
           fmt::format("the decision lasts {} ms, less than one step of {} ms",
                       conditions.duration[period_index(Period::decision)], battery.config.dt));
}

}  // namespace

void refuse(const TaskSetup& setup, const std::string& what) {
  throw UsageError(setup.task.name() + ": " + what);
}

void require_angle(const TaskSetup& setup, double angle, std::string_view name) {
  if (!std::isfinite(angle) || std::abs(angle) > 1e6)
    refuse(setup, fmt::format("{} = {}; it must be an angle in rad", name, angle));
}

void require_modality(const TaskSetup& setup, int modality) {
  if (modality != 0 && modality != 1)
    refuse(setup, fmt::format("modality = {}; it must be 0 or 1", modality));
}

void check_conditions(const BatteryData& battery, const TaskSetup& setup,
                      const Conditions& conditions) {
  check_durations(battery, setup, conditions);
  rules_of(setup.base->family).check(battery, setup, conditions);
}

Conditions BatteryData::draw(std::size_t task, const Key& key, std::uint32_t trial,
                             std::uint32_t modality_turn) const {
  const TaskSetup& setup = setups[task];
  Key place = key;
  place.purpose = RandomPurpose::conditions;
  Dice dice(place, trial);
  Conditions conditions;
  for (std::size_t p = 0; p < n_periods; ++p) {
    const Timer& timer = setup.timers[p];
    if (!timer.exists) continue;
    const double u = timer.random ? dice.unit(Die::duration, static_cast<std::uint32_t>(p)) : 0;
    conditions.duration[p] = timer.sample(u);
  }
  rules_of(setup.base->family).draw(*this, setup, dice, modality_turn, conditions);
  return conditions;
}

void BatteryData::outline(std::size_t task, const Conditions& conditions,
                          TrialOutline& outline) const {
  const TaskSetup& setup = setups[task];
  outline.n_steps = outline.n_periods = 0;
  for (std::size_t p = 0; p < n_periods; ++p) {
    if (!setup.timers[p].exists) continue;
    const std::int32_t steps = n_steps(conditions.duration[p]);
    PeriodOutline& period = outline.periods[static_cast<std::size_t>(outline.n_periods++)];
    period.span = {static_cast<Period>(p), outline.n_steps, outline.n_steps + steps};
    period.cue = period.span.period != Period::decision;
    period.first_noisy = period.last_noisy = 0;
    period.n_bumps = 0;
    outline.n_steps += steps;
    outline.decision = period.span.first;
  }
  const double delay = conditions.duration[period_index(Period::delay)];
  outline.path = setup.modifiers.path(delay, n_steps(delay));
  rules_of(setup.base->family).outline(*this, setup, conditions, outline);
  if (conditions.noise && noise_deviation > 0) return;
  for (PeriodOutline& period : outline.periods) period.first_noisy = period.last_noisy = 0;
}

}  // namespace lmrnn
