// How long the periods of a task last.
#pragma once

#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "lmrnn/tasks.hpp"

namespace lmrnn {

using Durations = std::array<Duration, n_periods>;

/// The durations that `task` draws from, by Period, with the overrides of `config`; no values if
/// the task has no such period. Ignores published `match_delay` (see Battery).
Durations durations_of(Task task, const BatteryConfig& config, const Semantics& semantics);

/// Throws UsageError unless every override names a family or a task, a period of it, and times
/// that are finite and at least 0.
void check_overrides(const BatteryConfig& config);

/// floor(duration / dt). In binary fractions, 500 / (100 / 3) is slightly less than 15: corrected
/// `rounding` counts 15 steps, the published code's int() 14.
inline std::int32_t steps_in(double duration_ms, double dt, const Semantics& semantics) noexcept {
  constexpr double dust = 1e-9;  // far above the error of a division, far below a step
  return static_cast<std::int32_t>(duration_ms / dt + (semantics.rounding ? dust : 0));
}

/// A duration in the form for drawing: low + span u, or a choice.
struct Timer {
  explicit Timer(const Duration& duration);

  bool exists = false, random = false;
  double low = 0, span = 0;
  std::vector<double> choices;

  /// `u` uniform on [0, 1).
  double sample(double u) const noexcept {
    if (choices.empty()) return low + span * u;
    return choices[static_cast<std::size_t>(u * static_cast<double>(choices.size()))];
  }
};

double shortest(const Duration& duration) noexcept;
double longest(const Duration& duration) noexcept;

/// "500 ms", "200 to 500 ms", "0, 100 or 200 ms".
std::string in_words(const Duration& duration);

}  // namespace lmrnn
