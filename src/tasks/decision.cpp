// Decision making and delayed decision making: two stimuli; respond in the direction of the one
// with more evidence.
#include "tasks/decision.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "tasks/families.hpp"

namespace lmrnn {

std::vector<Strengths> strengths_of(Family family) {
  std::vector<Strengths> result;
  if (family == Family::decision) {
    for (const double coherence : {0.08, 0.16, 0.32, 0.64})
      for (const double sign : {1.0, -1.0})
        result.push_back({0.5 + sign * coherence / 2, 0.5 - sign * coherence / 2});
  } else {
    for (const double first : {0.3, 0.6, 1.0})
      for (const double second : {0.3, 0.6, 1.0})
        if (first != second) result.push_back({first, second});
  }
  return result;
}

double balance(const BaseTask& base, const Evidence& strength) {
  double total = 0;
  for (std::size_t m = 0; m < 2; ++m)
    if (base.counts(static_cast<int>(m))) total += strength[m][0] - strength[m][1];
  return total;
}

bool is_tie(double balance) {
  return std::abs(balance) < 1e-9;
}

namespace {

std::vector<Evidence> make_table(Family family, bool without_ties) {
  const BaseTask multi{.name = "", .family = family, .shown = 3, .counted = 3};
  std::vector<Evidence> table;
  for (const Strengths& first : strengths_of(family))
    for (const Strengths& second : strengths_of(family))
      if (const Evidence both{first, second}; !without_ties || !is_tie(balance(multi, both)))
        table.push_back(both);
  return table;
}

/// All combinations of strengths in the two modalities, all equally likely. Drawing again until the
/// totals differ is the same as drawing among those whose totals differ.
const std::vector<Evidence>& evidence_table(Family family, bool without_ties) {
  static const std::array<std::vector<Evidence>, 4> tables{
      make_table(Family::decision, false), make_table(Family::decision, true),
      make_table(Family::delayed_decision, false), make_table(Family::delayed_decision, true)};
  return tables[(family == Family::delayed_decision ? 2u : 0u) + (without_ties ? 1u : 0u)];
}

void draw_decision(const BatteryData& battery, const TaskSetup& setup, Dice& dice, std::uint32_t,
                   Conditions& conditions) {
  const std::int32_t n = battery.n_ring();
  const std::int32_t first = dice.integer(Die::direction, n);
  std::int32_t second = dice.integer(Die::second_direction, n - 1);
  second += second >= first;
  conditions.directions = {battery.ring.angle(first), battery.ring.angle(second)};

  const bool both_count = setup.base->counted == 3;
  const auto& table = evidence_table(setup.base->family, both_count && battery.semantics.ties);
  const auto row = dice.integer(Die::evidence, static_cast<std::int32_t>(table.size()));
  for (std::size_t m = 0; m < 2; ++m)
    if (setup.base->shows(static_cast<int>(m)))
      conditions.strength[m] = table[static_cast<std::size_t>(row)][m];

  const double difference = balance(*setup.base, conditions.strength);
  conditions.choice = is_tie(difference) ? dice.integer(Die::coin, 2) : difference < 0;
}

void check_decision(const BatteryData&, const TaskSetup& setup, const Conditions& conditions) {
  require_angle(setup, conditions.directions[0], "directions[0]");
  require_angle(setup, conditions.directions[1], "directions[1]");
  const double apart =
      std::remainder(conditions.directions[0] - conditions.directions[1], 2 * std::numbers::pi);
  if (std::abs(apart) < 1e-9)
    refuse(setup, "the two directions are the same; choose different ones");
  for (int m = 0; m < 2; ++m)
    for (int s = 0; s < 2; ++s) {
      const double strength =
          conditions.strength[static_cast<std::size_t>(m)][static_cast<std::size_t>(s)];
      if (!std::isfinite(strength) || strength < 0)
        refuse(setup, fmt::format("strength[{}][{}] = {}; it must be finite and at least 0", m, s,
                                  strength));
      if (strength > 0 && !setup.base->shows(m))
        refuse(setup, fmt::format("strength[{}][{}] = {}, but modality {} is not shown; make it 0",
                                  m, s, strength, m));
    }
  if (conditions.choice != 0 && conditions.choice != 1)
    refuse(setup, fmt::format("choice = {}; it must be 0 or 1", conditions.choice));
  const double difference = balance(*setup.base, conditions.strength);
  if (!is_tie(difference) && conditions.choice != (difference < 0))
    refuse(setup,
           fmt::format("choice = {}, but the evidence for it is the weaker by {}; make it {}",
                       conditions.choice, std::abs(difference), 1 - conditions.choice));
}

void outline_decision(const BatteryData& battery, const TaskSetup& setup,
                      const Conditions& conditions, TrialOutline& outline) {
  const bool delayed = setup.base->family == Family::delayed_decision;
  const std::array<Period, 2> when{Period::stimulus,
                                   delayed ? Period::second_stimulus : Period::stimulus};
  for (int m = 0; m < 2; ++m)
    for (std::size_t s = 0; s < 2; ++s)
      if (setup.base->shows(m))
        add_bump(
            outline, when[s],
            {m, conditions.directions[s], conditions.strength[static_cast<std::size_t>(m)][s]});

  const std::int32_t n = battery.n_ring();
  const bool all = !battery.semantics.noise_channels;
  const std::int32_t first = all ? 0 : setup.base->shows(0) ? 1 : 1 + n;
  const std::int32_t last = all || setup.base->shows(1) ? 1 + 2 * n : 1 + n;
  add_noise(outline, Period::stimulus, first, last);
  if (delayed) add_noise(outline, Period::second_stimulus, first, last);

  const auto chosen = static_cast<std::size_t>(conditions.choice);
  outline.path.begin(battery.ring, battery.ring.nearest(conditions.directions[chosen]));
}

}  // namespace

const FamilyRules& decision_rules() {
  static constexpr FamilyRules rules{draw_decision, check_decision, outline_decision};
  return rules;
}

}  // namespace lmrnn
