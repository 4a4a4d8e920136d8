// What is to be said about a network before any update: whether it can be trained at all, and
// whether a key does what its owner may expect.
#pragma once

#include <optional>
#include <string>

#include "lmrnn/network.hpp"
#include "lmrnn/run_config.hpp"
#include "train/learner.hpp"

namespace lmrnn {

/// By what the mean activity of the untrained network is multiplied from step to step, over the
/// later half of the steps of `block` at which it is finite; nothing if that cannot be said.
std::optional<double> growth_per_step(const Network& network, const TrialView& block);

/// What to tell the owner of a run who chose a state equation that computes what `rate` does,
/// because units have no leak; else nothing.
std::optional<std::string> warning_of_missing_leak(const RunConfig& config);

/// What to tell the owner of a run about its untrained network: nothing if its loss is of a usual
/// size; else what is wrong, by how much activity grows, and the remedy. `first`: the learner's
/// result before any update.
std::optional<std::string> complaint_about_untrained(const RunConfig& config,
                                                     const Learner& learner,
                                                     const StepResult& first);

}  // namespace lmrnn
