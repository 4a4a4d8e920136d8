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
/// of the decision count only as steps, because it need not answer yet.
inline void mark_scored(const PeriodSpan& span, std::int32_t grace,
                        const TrialArray<std::uint8_t>& scored, std::size_t at, std::size_t trial) {
  for (std::int32_t t = 0; t < span.last - span.first; ++t) {
    const Scored what = span.period != Period::decision ? Scored::trial_only
                        : t < grace                     ? Scored::step_only
                                                        : Scored::yes;
    scored(at + static_cast<std::size_t>(t), trial) = code_of(what);
  }
}

}  // namespace lmrnn
