#include "train/run_tables.hpp"

#include <fmt/format.h>

namespace lmrnn {

std::string metrics_row(const TrainingState& state, double seconds, double learning_rate,
                        const Evaluation* evaluation) {
  const double n = static_cast<double>(state.interval_steps);
  std::string row =
      fmt::format("{},{},{:.3f},{:.9g},{:.9g},{:.9g},{:.9g}", state.step, state.trials, seconds,
                  learning_rate, state.interval_loss / n, state.interval_norm / n,
                  static_cast<double>(state.interval_clipped) / n);
  if (!evaluation) return row + ",,,,,,";
  const Evaluation& e = *evaluation;
  return row + fmt::format(",{:.6f},{:.6f},{:.6f},{:.6f},{},{}", e.mean_accuracy(),
                           e.mean_trial_accuracy(), e.mean_share_of_ceiling(),
                           e.worst_share_of_ceiling(), e.n_reached(), e.n_solved());
}

std::string tasks_row(std::int64_t step, const TaskScore& t) {
  return fmt::format("{},{},{},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},{:d},{:d}", step,
                     t.name, t.counts.trials, t.decision_accuracy, t.decision_lower,
                     t.ceiling.decision_accuracy.value, t.share_of_ceiling, t.trial_accuracy,
                     t.trial_lower, t.ceiling.trial_accuracy.value, t.reached, t.solved);
}

}  // namespace lmrnn
