// The outline of a trial: what is shown when, without samples. Conditions become an outline, and an
// outline is rendered into the caller's arrays.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "lmrnn/tasks.hpp"
#include "tasks/modifiers.hpp"

namespace lmrnn {

struct Bump {
  std::int32_t modality;
  double angle, strength;
};

/// A period, during which the noise-free observation does not change.
struct PeriodOutline {
  PeriodSpan span;
  bool cue;  ///< whether the fixation cue is on
  /// Noise on channels [first_noisy, last_noisy); none if they are equal.
  std::int32_t first_noisy, last_noisy;
  std::int32_t n_bumps;
  std::array<Bump, 4> bumps;
};

struct TrialOutline {
  std::int32_t n_steps = 0;
  std::int32_t n_periods = 0;
  std::array<PeriodOutline, lmrnn::n_periods> periods;
  std::int32_t decision = 0;  ///< first step of the decision period
  ResponsePath path;

  std::span<const PeriodOutline> all_periods() const {
    return {periods.data(), static_cast<std::size_t>(n_periods)};
  }
};

}  // namespace lmrnn
