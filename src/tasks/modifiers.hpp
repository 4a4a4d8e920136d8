// int and seq: how far the response is shifted around the ring, and the class that results.
#pragma once

#include <cstdint>

#include "lmrnn/tasks.hpp"
#include "tasks/ring.hpp"

namespace lmrnn {

/// The response of one trial over the steps of its decision period. Units: directions of the ring.
struct ResponsePath {
  std::int32_t start = -1;   ///< ring index before the displacements below; -1: keep fixating
  double interval = 0;       ///< displacement by int, with its sign
  double sequence = 0;       ///< displacement by seq per ms, with its sign
  double dt = 0;             ///< ms
  bool round_once = true;    ///< corrected `rounding`
  bool wrap_classes = true;  ///< corrected `ring_wrap`

  /// Starts at direction `k`, which is the response before int and seq.
  void begin(const Ring& ring, std::int32_t k) noexcept;

  bool responds() const noexcept { return start >= 0; }

  /// Ring index at step `step` of the decision period.
  std::int32_t response(const Ring& ring, std::int32_t step) const noexcept;

  /// Class at that step.
  std::int32_t target(const Ring& ring, std::int32_t step) const noexcept {
    if (!responds()) return 0;
    const std::int32_t direction = response(ring, step);
    return wrap_classes ? 1 + direction : ring.wrap(1 + direction);
  }
};

/// What the trials of a task have in common about its modifiers.
struct Modifiers {
  Modifiers(Task task, const BatteryConfig& config, const Semantics& semantics);

  /// `delay`: as drawn, in ms; `delay_steps`: as realised.
  ResponsePath path(double delay, std::int32_t delay_steps) const noexcept;

  /// Published `int_direction` in reach tasks: angle by which int moves the stimulus, rad.
  double stimulus_shift(double delay, std::int32_t delay_steps) const noexcept;

 private:
  double elapsed(double delay, std::int32_t delay_steps) const noexcept {
    return round_once_ ? delay_steps * dt_ : delay;
  }
  double dt_;
  bool round_once_, wrap_classes_;
  bool moves_stimulus_;     ///< int acts on the stimulus instead of the response
  double interval_per_ms_;  ///< directions per ms, with the sign of int
  double radians_per_ms_;   ///< the same in rad
  double sequence_sign_;
  double sequence_per_ms_;  ///< directions per ms, without the sign
};

}  // namespace lmrnn
