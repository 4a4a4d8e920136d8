// The ceilings of a study's batteries, kept in its directory.
#pragma once

#include <string>

#include "lmrnn/ceiling.hpp"
#include "lmrnn/study.hpp"
#include "lmrnn/version.hpp"

namespace lmrnn {

/// Reads ceilings/HASH.csv; computes and writes it if it is not there. HASH covers the battery, the
/// tasks, the seeds and `code`, the version of the code that computes ceilings. Several processes
/// may do this at the same time, because all write the same text. Numbers that are read equal those
/// that were written, to the last bit.
CeilingFunction kept_ceilings(const Study& study, std::string code = build_info().task_code);

}  // namespace lmrnn
