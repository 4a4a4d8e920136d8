#include "train/run_tables.hpp"

#include <fmt/format.h>

namespace lmrnn {
namespace {

/// The name in a header that stands at `position`.
constexpr std::string_view name_at(std::string_view header, std::size_t position) {
  for (; position > 0; --position) header.remove_prefix(header.find(',') + 1);
  return header.substr(0, header.find(','));
}

// The positions that readers go by are those of the headers.
static_assert(name_at(metrics_header, MetricsColumn::seconds) == "seconds");
static_assert(name_at(metrics_header, MetricsColumn::clipped) == "clipped_share");
static_assert(name_at(metrics_header, MetricsColumn::trial_accuracy) == "mean_trial_accuracy");
static_assert(name_at(metrics_header, MetricsColumn::share) == "mean_share_of_ceiling");
static_assert(name_at(tasks_header, TasksColumn::task) == "task");
static_assert(name_at(tasks_header, TasksColumn::share) == "share_of_ceiling");
static_assert(name_at(tasks_header, TasksColumn::solved) == "solved");
static_assert(name_at(tasks_header, TasksColumn::n - 1) == "solved");

}  // namespace

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
                           e.worst_share_of_ceiling(), e.n_passed(), e.n_solved());
}

std::string tasks_row(std::int64_t step, const TaskScore& t) {
  return fmt::format("{},{},{},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},{:d},{:d}", step,
                     t.name, t.counts.trials, t.decision_accuracy, t.decision_lower,
                     t.ceiling.decision_accuracy.value, t.share_of_ceiling, t.trial_accuracy,
                     t.trial_lower, t.ceiling.trial_accuracy.value, t.passed, t.solved);
}

}  // namespace lmrnn
