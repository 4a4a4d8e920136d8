// int and seq: how far the response is shifted around the ring, and the class that results.
#pragma once

#include <cstdint>

#include "lmrnn/tasks.hpp"
#include "tasks/ring.hpp"

namespace lmrnn {

/// Displacement of the response of one trial. Units: directions of the ring.
struct Shift {
  double interval = 0;       ///< of int: the whole displacement, with its sign
  double sequence = 0;       ///< of seq: directions per ms into the decision, with its sign
  double dt = 0;             ///< ms
  bool round_once = true;    ///< corrected `rounding`
  bool wrap_classes = true;  ///< corrected `ring_wrap`

  /// Ring index of the response at step `step` of the decision period, where the unshifted
  /// response is direction `k`.
  std::int32_t response(const Ring& ring, std::int32_t k, std::int32_t step) const noexcept;

  /// Class of that response.
  std::int32_t target(const Ring& ring, std::int32_t k, std::int32_t step) const noexcept;
};

/// Everything about the modifiers of a task that its trials have in common.
struct Modifiers {
  Modifiers(Task task, const BatteryConfig& config, const Semantics& semantics);

  /// `delay`: sampled, in ms; `delay_steps`: realised.
  Shift shift(double delay, std::int32_t delay_steps) const noexcept;

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
