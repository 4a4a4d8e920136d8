// Reach: one stimulus; respond in its direction or opposite to it.
#include <cmath>
#include <numbers>

#include "tasks/families.hpp"

namespace lmrnn {
namespace {

void draw_reach(const BatteryData& battery, const TaskSetup&, Dice& dice,
                std::uint32_t modality_turn, Conditions& conditions) {
  conditions.modality = draw_modality(battery, dice, modality_turn);
  conditions.direction = battery.ring.angle(dice.integer(Die::direction, battery.n_ring()));
}

void check_reach(const BatteryData&, const TaskSetup& setup, const Conditions& conditions) {
  require_modality(setup, conditions.modality);
  require_angle(setup, conditions.direction, "direction");
}

void outline_reach(const BatteryData& battery, const TaskSetup& setup, const Conditions& conditions,
                   TrialOutline& outline) {
  const double opposite = setup.base->anti ? std::numbers::pi : 0;
  double stimulus = conditions.direction;
  if (battery.semantics.int_direction) {
    outline.path.begin(battery.ring, battery.ring.nearest(stimulus + opposite));
  } else {  // the condition is the response, from which the published code derives the stimulus
    outline.path.begin(battery.ring, battery.ring.nearest(conditions.direction));
    const auto p = period_index(Period::delay);
    stimulus += opposite + setup.modifiers.stimulus_shift(conditions.duration[p],
                                                          battery.n_steps(conditions.duration[p]));
  }
  const Bump bump{conditions.modality, stimulus, 1};
  if (setup.base->reaction_time) return add_bump(outline, Period::decision, bump);
  add_bump(outline, Period::stimulus, bump);
  if (!setup.base->memory_delay && battery.semantics.go_stimulus) {
    add_bump(outline, Period::delay, bump);
    add_bump(outline, Period::decision, bump);
  }
}

}  // namespace

const FamilyRules& reach_rules() {
  static constexpr FamilyRules rules{draw_reach, check_reach, outline_reach};
  return rules;
}

}  // namespace lmrnn
