// How the scores of an evaluation are shown.
#pragma once

#include <nlohmann/json.hpp>

#include "lmrnn/evaluate.hpp"

namespace lmrnn::cli {

/// Means over tasks, and a list of all scores per task.
nlohmann::ordered_json to_json(const Evaluation& evaluation);

/// The same as a table on stdout. `over_time`: whether there were evaluations before, so that tasks
/// can count as solved; else the table says which are passed; the definition of both follows.
void print_scores(const Evaluation& evaluation, bool over_time);

}  // namespace lmrnn::cli
