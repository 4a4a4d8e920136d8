// The ceilings of a study's batteries, kept in its directory.
#pragma once

#include <string>

#include "lmrnn/ceiling.hpp"
#include "lmrnn/study.hpp"
#include "lmrnn/version.hpp"

namespace lmrnn {

/// Reads ceilings/HASH.csv, where HASH is of the battery, the tasks, the seeds and `code`, which
/// stands for the code that computes ceilings; computes and writes it if it is not there. Processes
/// may do so at the same time: they all write the same. The numbers that are read are those that
/// were written, to the last bit.
CeilingFunction kept_ceilings(const Study& study, std::string code = build_info().task_code);

}  // namespace lmrnn
