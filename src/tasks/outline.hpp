// The outline of a trial: what is on when, without a sample written yet. Conditions become an
// outline, and an outline is rendered into whatever arrays the caller has.
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
  std::int32_t n_bumps = 0;
  std::array<Bump, 4> bumps;
};

struct TrialOutline {
  std::int32_t n_steps = 0;
  std::int32_t n_periods = 0;
  std::array<PeriodOutline, lmrnn::n_periods> periods;
  std::int32_t n_noise = 0;
  std::array<NoiseSpan, 2> noise;
  std::int32_t decision = 0;    ///< first step of the decision period
  std::int32_t direction = -1;  ///< ring index of the unshifted response; -1: keep fixating
  Shift shift;

  std::span<const PeriodOutline> all_periods() const {
    return {periods.data(), static_cast<std::size_t>(n_periods)};
  }
  std::span<const NoiseSpan> all_noise() const {
    return {noise.data(), static_cast<std::size_t>(n_noise)};
  }
};

}  // namespace lmrnn
