// Where each run of a plan stands.
#pragma once

#include <vector>

#include "study/plan_lookup.hpp"

namespace lmrnn {

/// As study_status, by what `lookup` knows.
std::vector<RunStatus> study_status(const Study& study, const StudyPlan& plan,
                                    const ResultLookup& lookup);

}  // namespace lmrnn
