// The three families of tasks: how conditions are drawn, which conditions are possible, and what a
// trial looks like. Sources: the tasks are from Yang et al. 2019, their published form from
// NeuroGym's yang19 collection and Mod_Cog.
#pragma once

#include "tasks/battery_data.hpp"
#include "tasks/dice.hpp"

namespace lmrnn {

/// The functions of a family. `draw` gets conditions that already have durations, `outline` an
/// outline that already has periods and displacements.
struct FamilyRules {
  void (*draw)(const BatteryData&, const TaskSetup&, Dice&, std::uint32_t modality_turn,
               Conditions&);
  void (*check)(const BatteryData&, const TaskSetup&, const Conditions&);
  void (*outline)(const BatteryData&, const TaskSetup&, const Conditions&, TrialOutline&);
};

const FamilyRules& reach_rules();
const FamilyRules& decision_rules();  ///< decision and delayed_decision
const FamilyRules& match_rules();

inline const FamilyRules& rules_of(Family family) {
  switch (family) {
    case Family::reach:
      return reach_rules();
    case Family::match:
      return match_rules();
    default:
      return decision_rules();
  }
}

/// Modality of a trial of the reach and match families.
inline std::int32_t draw_modality(const BatteryData& battery, Dice& dice,
                                  std::uint32_t modality_turn) {
  if (!battery.semantics.modality) return static_cast<std::int32_t>(modality_turn % 2);
  return dice.integer(Die::modality, 2);
}

/// Adds a stimulus to the period `period` of an outline.
inline void add_bump(TrialOutline& outline, Period period, const Bump& bump) {
  for (std::int32_t p = 0; p < outline.n_periods; ++p) {
    PeriodOutline& candidate = outline.periods[static_cast<std::size_t>(p)];
    if (candidate.span.period == period)
      candidate.bumps[static_cast<std::size_t>(candidate.n_bumps++)] = bump;
  }
}

/// Marks noise on channels [first_channel, last_channel) in a period.
inline void add_noise(TrialOutline& outline, Period period, std::int32_t first_channel,
                      std::int32_t last_channel) {
  for (std::int32_t p = 0; p < outline.n_periods; ++p) {
    PeriodOutline& candidate = outline.periods[static_cast<std::size_t>(p)];
    if (candidate.span.period != period) continue;
    candidate.first_noisy = first_channel;
    candidate.last_noisy = last_channel;
  }
}

/// Throws a UsageError that says `what` about the task of `setup`.
[[noreturn]] void refuse(const TaskSetup& setup, const std::string& what);
void require_angle(const TaskSetup& setup, double angle, std::string_view name);
void require_modality(const TaskSetup& setup, int modality);

}  // namespace lmrnn
