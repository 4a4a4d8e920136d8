// Ceilings: the scores of an ideal observer, the best that the noise allows.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "lmrnn/tasks.hpp"
#include "lmrnn/threads.hpp"

namespace lmrnn {

struct Score {
  double value = 0;
  double standard_error = 0;  ///< 0 where the value is exact
};

/// Number of steps at the start of the decision period that do not count for trial accuracy, for
/// networks and for the ideal observer: those that begin less than 100 ms after the period does.
/// The last step of the period counts in any case. `dt` is in ms.
std::int32_t grace_steps(double dt) noexcept;

/// Expected scores of an observer who knows task, timing, noise level and prior, sees all channels,
/// does not know which direction is stronger, and maximises the expected score.
/// docs/concepts/battery.md describes how each is computed.
struct Ceiling {
  Score decision_accuracy;
  Score trial_accuracy;
};

/// `task`: index into battery.tasks(). `n_trials`: Monte Carlo trials, used where there is no
/// closed form. Throws UsageError for a task that the battery does not have.
Ceiling ceiling(const Battery& battery, std::size_t task, Seed seed, std::size_t n_trials = 20000);

/// The same for several tasks, in their order; tasks that must have the same ceiling share the
/// work. `progress(done, total)` is called after each piece of that work, by one thread at a time.
/// Throws UsageError like `ceiling`, and what `progress` throws.
std::vector<Ceiling> ceilings(
    const Battery& battery, std::span<const std::size_t> tasks, Seed seed, ThreadPool& pool,
    std::size_t n_trials = 20000,
    const std::function<void(std::size_t done, std::size_t total)>& progress = {});

/// Returns what `ceilings` returns for its default number of trials, e.g. from a cache file:
/// computing ceilings takes seconds, and many runs can share them.
using CeilingFunction = std::function<std::vector<Ceiling>(
    const Battery& battery, std::span<const std::size_t> tasks, Seed seed, ThreadPool& pool)>;

}  // namespace lmrnn
