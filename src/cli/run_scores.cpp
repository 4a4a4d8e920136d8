#include "run_scores.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lmrnn/tasks.hpp"

namespace lmrnn::cli {
namespace {

double mean_over(const std::vector<TaskRow>& tasks, double TaskRow::*member) {
  double sum = 0;
  for (const TaskRow& t : tasks) sum += t.*member;
  return tasks.empty() ? 0 : sum / static_cast<double>(tasks.size());
}

}  // namespace

double RunScores::mean_accuracy() const {
  return mean_over(tasks, &TaskRow::decision_accuracy);
}

double RunScores::mean_share() const {
  return mean_over(tasks, &TaskRow::share_of_ceiling);
}

std::int64_t RunScores::n_solved() const {
  return std::ranges::count_if(tasks, &TaskRow::solved);
}

RunScores read_scores(const std::filesystem::path& run) {
  RunScores scores;
  const std::vector<MetricsRow> metrics = read_metrics(run);
  if (!metrics.empty()) scores.step = metrics.back().step;
  scores.tasks = last_task_rows(run);
  if (!scores.tasks.empty()) scores.evaluated = scores.tasks.front().step;
  return scores;
}

std::optional<double> chance_of(const std::string& task) {
  static const std::vector<Task> known = select_tasks("modcog132");
  const auto found = std::ranges::find(known, task, &Task::name);
  if (found == known.end()) return std::nullopt;
  return found->base_task().family == Family::match ? 0.5 : 0;
}

nlohmann::ordered_json chance_json(const std::string& task) {
  const auto chance = chance_of(task);
  return chance ? nlohmann::ordered_json(*chance) : nlohmann::ordered_json();
}

nlohmann::ordered_json tasks_json(const RunScores& scores) {
  auto tasks = nlohmann::ordered_json::array();
  for (const TaskRow& t : scores.tasks)
    tasks.push_back({{"task", t.task},
                     {"accuracy", t.decision_accuracy},
                     {"ceiling", t.decision_ceiling},
                     {"share_of_ceiling", t.share_of_ceiling},
                     {"chance", chance_json(t.task)},
                     {"solved", t.solved}});
  return tasks;
}

}  // namespace lmrnn::cli
