// Whether a network can be trained at all: what its first loss says before any update.
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

/// What to tell the owner of a run about its untrained network: nothing if its loss is of a usual
/// size; else what is wrong, by how much activity grows, and the remedy. `first`: the learner's
/// result before any update.
std::optional<std::string> complaint_about_untrained(const RunConfig& config,
                                                     const Learner& learner,
                                                     const StepResult& first);

}  // namespace lmrnn
