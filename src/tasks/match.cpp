// Match: a sample, a delay, a test; respond to the test if it matches (or if it does not).
#include <cmath>
#include <numbers>

#include "tasks/families.hpp"

namespace lmrnn {
namespace {

/// The half of the ring, 0 or 1, of a direction.
std::int32_t sample_category(const BatteryData& battery, std::int32_t k) {
  const std::int32_t half = battery.n_ring() / 2;
  return battery.semantics.category_boundary ? k >= half : k > half;
}

std::int32_t test_category(const BatteryData& battery, std::int32_t k) {
  return k >= battery.n_ring() / 2;
}

void draw_match(const BatteryData& battery, const TaskSetup& setup, Dice& dice,
                std::uint32_t modality_turn, Conditions& conditions) {
  const std::int32_t half = battery.n_ring() / 2;
  conditions.modality = draw_modality(battery, dice, modality_turn);
  conditions.match = dice.integer(Die::evidence, 2) == 1;
  const std::int32_t sample = dice.integer(Die::direction, battery.n_ring());
  std::int32_t test;
  if (setup.base->category) {
    const std::int32_t category = sample_category(battery, sample);
    test = dice.integer(Die::second_direction, half) +
           half * (conditions.match ? category : 1 - category);
  } else {
    test = battery.ring.wrap(conditions.match ? sample : sample + half);
  }
  conditions.sample = battery.ring.angle(sample);
  conditions.test = battery.ring.angle(test);
}

void check_match(const BatteryData& battery, const TaskSetup& setup, const Conditions& conditions) {
  require_modality(setup, conditions.modality);
  require_angle(setup, conditions.sample, "sample");
  require_angle(setup, conditions.test, "test");
  const std::string yes = "match = true", no = "match = false";
  const std::string& said = conditions.match ? yes : no;
  if (setup.base->category) {
    const bool same = sample_category(battery, battery.ring.nearest(conditions.sample)) ==
                      test_category(battery, battery.ring.nearest(conditions.test));
    if (same != conditions.match)
      refuse(setup, said + (same ? ", but sample and test lie in the same half of the ring"
                                 : ", but sample and test lie in different halves of the ring"));
    return;
  }
  // Angles in between (for psychometric curves) count as equal or opposite, whichever is nearer.
  const double apart =
      std::abs(std::remainder(conditions.sample - conditions.test, 2 * std::numbers::pi));
  if (conditions.match && apart > std::numbers::pi / 2 + 1e-9)
    refuse(setup, said + ", but the test is nearer to the opposite of the sample");
  if (!conditions.match && apart < std::numbers::pi / 2 - 1e-9)
    refuse(setup, said + ", but the test is nearer to the sample than to its opposite");
}

void outline_match(const BatteryData& battery, const TaskSetup& setup, const Conditions& conditions,
                   TrialOutline& outline) {
  add_bump(outline, Period::stimulus, {conditions.modality, conditions.sample, 1});
  add_bump(outline, Period::second_stimulus, {conditions.modality, conditions.test, 1});
  const std::int32_t first = 1 + conditions.modality * battery.n_ring();
  add_noise(outline, Period::stimulus, first, first + battery.n_ring());
  add_noise(outline, Period::second_stimulus, first, first + battery.n_ring());
  if (conditions.match == setup.base->respond_to_match)
    outline.path.begin(battery.ring, battery.ring.nearest(conditions.test));
}

}  // namespace

const FamilyRules& match_rules() {
  static constexpr FamilyRules rules{draw_match, check_match, outline_match};
  return rules;
}

}  // namespace lmrnn
