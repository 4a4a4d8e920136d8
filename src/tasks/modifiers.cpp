#include "tasks/modifiers.hpp"

#include <cmath>
#include <numbers>

namespace lmrnn {
namespace {

/// The published code's `omega`: rad per ms on the stimulus of reach tasks, directions per ms
/// everywhere else.
constexpr double published_speed = 0.01;

/// Halves away from zero, after removing what binary fractions add to a decimal half.
std::int64_t rounded(double x) noexcept {
  return std::llround(std::round(x * 1e9) / 1e9);
}

/// 2 pi / 16 rad are one direction of 16, not 1 - 1e-16 of it: truncation would make that 0.
double without_dust(double directions_per_ms) noexcept {
  return std::round(directions_per_ms * 1e12) / 1e12;
}

}  // namespace

std::int32_t Shift::response(const Ring& ring, std::int32_t k, std::int32_t step) const noexcept {
  if (interval == 0 && sequence == 0) return k;
  if (round_once) return ring.wrap(k + rounded(interval + sequence * step * dt));
  // Operation by operation as in the published code, whose int() truncates:
  // int(mod(k + interval, n)) + int(step * sequence * dt).
  const double n = ring.size();
  double moved = std::fmod(k + interval, n);
  if (moved < 0) moved += n;
  return ring.wrap(static_cast<std::int64_t>(moved) +
                   static_cast<std::int64_t>(step * sequence * dt));
}

std::int32_t Shift::target(const Ring& ring, std::int32_t k, std::int32_t step) const noexcept {
  const std::int32_t direction = response(ring, k, step);
  return wrap_classes ? 1 + direction : ring.wrap(1 + direction);
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

Shift Modifiers::shift(double delay, std::int32_t delay_steps) const noexcept {
  return {.interval = moves_stimulus_ ? 0 : interval_per_ms_ * elapsed(delay, delay_steps),
          .sequence = sequence_sign_ * sequence_per_ms_,
          .dt = dt_,
          .round_once = round_once_,
          .wrap_classes = wrap_classes_};
}

double Modifiers::stimulus_shift(double delay, std::int32_t delay_steps) const noexcept {
  return moves_stimulus_ ? radians_per_ms_ * elapsed(delay, delay_steps) : 0;
}

}  // namespace lmrnn
