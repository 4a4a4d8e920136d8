// Checks of a network before any update: whether it can be trained at all, and whether a key does
// what the user may expect.
#pragma once

#include <optional>
#include <string>

#include "lmrnn/network.hpp"
#include "lmrnn/run_config.hpp"
#include "train/learner.hpp"

namespace lmrnn {

/// The factor by which the mean activity of the untrained network grows per step, over the second
/// half of the steps of `block` with finite activity; nothing if it cannot be measured.
std::optional<double> growth_per_step(const Network& network, const TrialView& block);

/// A warning if the user chose a state equation that computes the same as `rate`, because units
/// have no leak; otherwise nothing.
std::optional<std::string> warning_of_missing_leak(const RunConfig& config);

/// A warning if the first batch has other rows than stream.grow_from, because batches grow by whole
/// blocks; otherwise nothing.
std::optional<std::string> warning_of_first_batch(const RunConfig& config);

/// A complaint about the untrained network: nothing if its loss has a usual size; otherwise what is
/// wrong, by how much activity grows, and the remedy. `first`: the learner's result before any
/// update.
std::optional<std::string> complaint_about_untrained(const RunConfig& config,
                                                     const Learner& learner,
                                                     const StepResult& first);

}  // namespace lmrnn
