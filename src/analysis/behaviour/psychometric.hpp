#pragma once

#include "lmrnn/tasks.hpp"

namespace lmrnn {

/// How often an ideal observer finds the stronger of the two stimuli of a decision task in which
/// one modality counts, by the closed form in docs/concepts/analysis.md; NaN for other tasks.
/// `n_steps`: duration of the stimulus.
double ideal_choice(const Battery& battery, const Task& task, const Conditions& conditions,
                    std::int32_t n_steps);

}  // namespace lmrnn
