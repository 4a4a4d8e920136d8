// How the steps of a period count in scores.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "lmrnn/tasks.hpp"
#include "lmrnn/trials.hpp"

namespace lmrnn {

constexpr std::uint8_t code_of(Scored scored) {
  return static_cast<std::uint8_t>(scored);
}

/// Marks the steps of a period of a whole trial, from step `at` of `scored` on. Before the
/// decision, the network must fixate, class 0, for the trial to be right; the first `grace` steps
/// of the decision count only as steps, because it need not answer yet. Its last step always counts
/// for both: otherwise, a network that never answers would be right.
inline void mark_scored(const PeriodSpan& span, std::int32_t grace,
                        const TrialArray<std::uint8_t>& scored, std::size_t at, std::size_t trial) {
  const std::int32_t n_steps = span.last - span.first;
  for (std::int32_t t = 0; t < n_steps; ++t) {
    const Scored what = span.period != Period::decision    ? Scored::trial_only
                        : t < std::min(grace, n_steps - 1) ? Scored::step_only
                                                           : Scored::yes;
    scored(at + static_cast<std::size_t>(t), trial) = code_of(what);
  }
}

}  // namespace lmrnn
