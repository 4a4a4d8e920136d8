// The state of each run of a plan.
#pragma once

#include <vector>

#include "study/plan_lookup.hpp"

namespace lmrnn {

/// Like study_status, with the knowledge of `lookup`.
std::vector<RunStatus> study_status(const Study& study, const StudyPlan& plan,
                                    const ResultLookup& lookup);

}  // namespace lmrnn
