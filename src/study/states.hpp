// Where each run of a plan stands.
#pragma once

#include <string>
#include <vector>

#include "study/plan_lookup.hpp"

namespace lmrnn {

/// Whether some run that is not over starts from this one's directory.
std::vector<std::uint8_t> needed_directories(const StudyPlan& plan, const ResultLookup& lookup);

RunStatus status_of(const Study& study, const PlannedRun& run, const ResultLookup& lookup,
                    bool directory_needed);

}  // namespace lmrnn
