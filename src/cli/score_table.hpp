// Text and JSON of the scores of an evaluation.
#pragma once

#include <nlohmann/json.hpp>

#include "lmrnn/evaluate.hpp"

namespace lmrnn::cli {

/// Means over tasks, and a list of all scores per task.
nlohmann::ordered_json to_json(const Evaluation& evaluation);

/// Prints the same as a table. `over_time`: there were earlier evaluations, so tasks can count as
/// solved; otherwise the table says which tasks are passed. The definition of both follows.
void print_scores(const Evaluation& evaluation, bool over_time);

}  // namespace lmrnn::cli
