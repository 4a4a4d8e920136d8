#include "tasks/modifiers.hpp"

#include <cmath>
#include <numbers>

namespace lmrnn {
namespace {

/// The published code's `omega`: rad per ms for the stimulus of reach tasks, otherwise directions
/// per ms.
constexpr double published_speed = 0.01;

/// Nearest integer, halves away from zero, also halves that binary fractions make slightly smaller.
std::int64_t rounded(double x) noexcept {
  constexpr double half = 0.5 + 1e-9;
  return x < 0 ? -static_cast<std::int64_t>(half - x) : static_cast<std::int64_t>(half + x);
}

/// 2 pi / 16 rad are one direction of 16, not 1 - 1e-16, which truncation would turn into 0.
double without_dust(double directions_per_ms) noexcept {
  return std::round(directions_per_ms * 1e12) / 1e12;
}

}  // namespace

// Published `rounding` follows the published code operation by operation, whose int() truncates:
// int(mod(k + interval, n)) + int(step * sequence * dt).

void ResponsePath::begin(const Ring& ring, std::int32_t k) noexcept {
  start = k;
  if (round_once || interval == 0) return;
  double moved = std::fmod(k + interval, ring.size());
  if (moved < 0) moved += ring.size();
  start = ring.wrap(static_cast<std::int64_t>(moved));
}

std::int32_t ResponsePath::response(const Ring& ring, std::int32_t step) const noexcept {
  const double moved = step * sequence * dt;
  return ring.wrap(start +
                   (round_once ? rounded(interval + moved) : static_cast<std::int64_t>(moved)));
}

Modifiers::Modifiers(Task task, const BatteryConfig& config, const Semantics& semantics)
    : dt_(config.dt),
      round_once_(semantics.rounding),
      wrap_classes_(semantics.ring_wrap),
      sequence_sign_(task.sequence) {
  const bool reach = task.base_task().family == Family::reach;
  const double directions_per_radian = static_cast<double>(config.n_ring) / (2 * std::numbers::pi);
  const double corrected = without_dust(config.omega * directions_per_radian);
  sequence_per_ms_ = semantics.int_shift ? corrected : published_speed;
  if (semantics.int_shift || reach) {
    radians_per_ms_ = task.interval * (semantics.int_shift ? config.omega : published_speed);
    interval_per_ms_ = without_dust(radians_per_ms_ * directions_per_radian);
  } else {
    interval_per_ms_ = task.interval * published_speed;
    radians_per_ms_ = interval_per_ms_ / directions_per_radian;
  }
  moves_stimulus_ = reach && !semantics.int_direction;
}

ResponsePath Modifiers::path(double delay, std::int32_t delay_steps) const noexcept {
  return {.start = -1,
          .interval = moves_stimulus_ ? 0 : interval_per_ms_ * elapsed(delay, delay_steps),
          .sequence = sequence_sign_ * sequence_per_ms_,
          .dt = dt_,
          .round_once = round_once_,
          .wrap_classes = wrap_classes_};
}

double Modifiers::stimulus_shift(double delay, std::int32_t delay_steps) const noexcept {
  return moves_stimulus_ ? radians_per_ms_ * elapsed(delay, delay_steps) : 0;
}

}  // namespace lmrnn
