// metrics.csv and tasks.csv, column by column; docs/concepts/training.md describes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "lmrnn/evaluate.hpp"
#include "train/checkpoint.hpp"

namespace lmrnn {

/// Where readers find what in a row of metrics.csv.
struct MetricsColumn {
  enum : std::size_t {
    step,
    trials,
    seconds,
    rate,
    loss,
    norm,
    clipped,
    accuracy,
    trial_accuracy,
    share
  };
};
/// And of tasks.csv.
struct TasksColumn {
  enum : std::size_t { step = 0, task = 1, share = 6, solved = 11, n = 12 };
};

constexpr std::string_view metrics_header =
    "step,trials,seconds,learning_rate,loss,gradient_norm,clipped_share,mean_accuracy,"
    "mean_trial_accuracy,mean_share_of_ceiling,worst_share_of_ceiling,tasks_passed,tasks_solved";
constexpr std::string_view tasks_header =
    "step,task,trials,decision_accuracy,decision_lower,decision_ceiling,share_of_ceiling,"
    "trial_accuracy,trial_lower,trial_ceiling,passed,solved";

/// The headers of versions that called passed tasks reached; the columns are the same.
constexpr std::string_view former_metrics_header =
    "step,trials,seconds,learning_rate,loss,gradient_norm,clipped_share,mean_accuracy,"
    "mean_trial_accuracy,mean_share_of_ceiling,worst_share_of_ceiling,tasks_reached,tasks_solved";
constexpr std::string_view former_tasks_header =
    "step,task,trials,decision_accuracy,decision_lower,decision_ceiling,share_of_ceiling,"
    "trial_accuracy,trial_lower,trial_ceiling,reached,solved";

/// What `state` says of the steps since the row before; `evaluation`: of this step, or nullptr.
std::string metrics_row(const TrainingState& state, double seconds, double learning_rate,
                        const Evaluation* evaluation);

std::string tasks_row(std::int64_t step, const TaskScore& score);

}  // namespace lmrnn
