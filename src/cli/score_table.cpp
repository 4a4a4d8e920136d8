#include "score_table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "run_scores.hpp"

namespace lmrnn::cli {

nlohmann::ordered_json to_json(const Evaluation& evaluation) {
  using Json = nlohmann::ordered_json;
  Json tasks = Json::array();
  for (const TaskScore& t : evaluation.tasks)
    tasks.push_back({{"task", t.name},
                     {"trials", t.counts.trials},
                     {"decision_accuracy", t.decision_accuracy},
                     {"decision_lower", t.decision_lower},
                     {"decision_ceiling", t.ceiling.decision_accuracy.value},
                     {"share_of_ceiling", t.share_of_ceiling},
                     {"trial_accuracy", t.trial_accuracy},
                     {"trial_lower", t.trial_lower},
                     {"trial_ceiling", t.ceiling.trial_accuracy.value},
                     {"chance", chance_json(t.name)},
                     {"passed", t.passed},
                     {"solved", t.solved}});
  return {{"mean_accuracy", evaluation.mean_accuracy()},
          {"mean_trial_accuracy", evaluation.mean_trial_accuracy()},
          {"mean_share_of_ceiling", evaluation.mean_share_of_ceiling()},
          {"worst_share_of_ceiling", evaluation.worst_share_of_ceiling()},
          {"tasks_passed", evaluation.n_passed()},
          {"tasks_solved", evaluation.n_solved()},
          {"tasks", tasks}};
}

void print_scores(const Evaluation& evaluation, bool over_time) {
  constexpr std::string_view line = "{:<20} {:>8} {:>8} {:>13} {:>7} {:>14} {:>8}\n";
  const auto percent = [](double x) { return fmt::format("{:.1f}%", 100 * x); };
  const auto yes = [](bool x) { return x ? "yes" : ""; };
  fmt::print(line, "task", "accuracy", "ceiling", "% of ceiling", "chance", "whole trials",
             over_time ? "solved" : "passed");
  double ceiling = 0;
  for (const TaskScore& t : evaluation.tasks) {
    const double guess = chance_of(t.name).value_or(0);
    fmt::print(line, t.name, fmt::format("{:.4f}", t.decision_accuracy),
               fmt::format("{:.4f}", t.ceiling.decision_accuracy.value),
               percent(t.share_of_ceiling), guess > 0 ? fmt::format("{:g}", guess) : "",
               fmt::format("{:.4f}", t.trial_accuracy), yes(over_time ? t.solved : t.passed));
    ceiling += t.ceiling.decision_accuracy.value;
  }
  const std::size_t n = evaluation.tasks.size();
  fmt::print(line, fmt::format("mean of {} tasks", n),
             fmt::format("{:.4f}", evaluation.mean_accuracy()),
             fmt::format("{:.4f}", ceiling / static_cast<double>(std::max<std::size_t>(1, n))),
             percent(evaluation.mean_share_of_ceiling()), "",
             fmt::format("{:.4f}", evaluation.mean_trial_accuracy()),
             fmt::format("{}/{}", over_time ? evaluation.n_solved() : evaluation.n_passed(), n));
  // The definitions, one per line.
  const std::size_t second = solved_definition.find("solved: ");
  fmt::print("\n{}\n{}\n", solved_definition.substr(0, second - 2),
             solved_definition.substr(second));
}

}  // namespace lmrnn::cli
