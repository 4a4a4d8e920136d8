#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "lmrnn/continuous.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/evaluate.hpp"

namespace lmrnn {
namespace {

constexpr double normal_quantile_975 = 1.959963984540054;
constexpr std::uint64_t least_trials_of_solved = 1000;
constexpr double solved_share = 0.95;

double share(std::uint64_t part, std::uint64_t whole) noexcept {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

template <class Value>
double mean(std::span<const TaskScore> tasks, Value value) noexcept {
  if (tasks.empty()) return 0;
  double sum = 0;
  for (const TaskScore& task : tasks) sum += value(task);
  return sum / static_cast<double>(tasks.size());
}

}  // namespace

double wilson_lower(double accuracy, double n) noexcept {
  if (n <= 0 || accuracy <= 0) return 0;  // in the formula, the two terms differ by rounding
  const double z2 = normal_quantile_975 * normal_quantile_975;
  const double centre = accuracy + z2 / (2 * n);
  const double half_width =
      normal_quantile_975 * std::sqrt(accuracy * (1 - accuracy) / n + z2 / (4 * n * n));
  return std::max(0.0, (centre - half_width) / (1 + z2 / n));
}

ScoreCounts& ScoreCounts::operator+=(const ScoreCounts& other) noexcept {
  trials += other.trials;
  right_trials += other.right_trials;
  decision_steps += other.decision_steps;
  right_decision_steps += other.right_decision_steps;
  return *this;
}

double ScoreCounts::decision_accuracy() const noexcept {
  return share(right_decision_steps, decision_steps);
}

double ScoreCounts::trial_accuracy() const noexcept {
  return share(right_trials, trials);
}

double Evaluation::mean_accuracy() const noexcept {
  return mean(tasks, [](const TaskScore& t) { return t.decision_accuracy; });
}

double Evaluation::mean_trial_accuracy() const noexcept {
  return mean(tasks, [](const TaskScore& t) { return t.trial_accuracy; });
}

double Evaluation::mean_share_of_ceiling() const noexcept {
  return mean(tasks, [](const TaskScore& t) { return t.share_of_ceiling; });
}

double Evaluation::worst_share_of_ceiling() const noexcept {
  if (tasks.empty()) return 0;
  return std::ranges::min(tasks, {}, &TaskScore::share_of_ceiling).share_of_ceiling;
}

std::size_t Evaluation::n_solved() const noexcept {
  return static_cast<std::size_t>(std::ranges::count(tasks, true, &TaskScore::solved));
}

std::size_t Evaluation::n_passed() const noexcept {
  return static_cast<std::size_t>(std::ranges::count(tasks, true, &TaskScore::passed));
}

void mark_solved(Evaluation& now, std::span<const std::uint8_t> passed_before) {
  for (std::size_t i = 0; i < now.tasks.size(); ++i)
    now.tasks[i].solved = now.tasks[i].passed && i < passed_before.size() && passed_before[i] != 0;
}

TaskScore make_score(std::size_t task, std::string name, const ScoreCounts& counts,
                     const Ceiling& ceiling) {
  TaskScore score;
  score.task = task;
  score.name = std::move(name);
  score.counts = counts;
  score.ceiling = ceiling;
  const auto n = static_cast<double>(counts.trials);
  score.decision_accuracy = counts.decision_accuracy();
  score.decision_lower = wilson_lower(score.decision_accuracy, n);
  score.trial_accuracy = counts.trial_accuracy();
  score.trial_lower = wilson_lower(score.trial_accuracy, n);
  const double best = ceiling.decision_accuracy.value;
  score.share_of_ceiling = best > 0 ? score.decision_accuracy / best : 0;
  score.passed =
      counts.trials >= least_trials_of_solved && score.decision_lower >= solved_share * best;
  return score;
}

Evaluation make_evaluation(const Battery& battery, std::span<const std::size_t> tasks,
                           std::span<const ScoreCounts> counts, std::span<const Ceiling> ceilings) {
  if (counts.size() != tasks.size() || ceilings.size() != tasks.size())
    throw UsageError(fmt::format("scores: {} tasks, {} counts and {} ceilings; give one per task",
                                 tasks.size(), counts.size(), ceilings.size()));
  Evaluation evaluation;
  for (std::size_t i = 0; i < tasks.size(); ++i)
    evaluation.tasks.push_back(
        make_score(tasks[i], battery.tasks()[tasks[i]].name(), counts[i], ceilings[i]));
  return evaluation;
}

namespace {

/// argmax over classes of logits (time, class, trial) at `step`, per trial; the lowest class wins a
/// tie. `best` is scratch.
void most_likely_classes(View3<const float> logits, std::size_t step, std::span<float> best,
                         std::span<std::int32_t> classes) noexcept {
  const std::size_t n_trials = logits.n2;
  std::copy_n(logits.row(step, 0), n_trials, best.begin());
  std::fill_n(classes.begin(), n_trials, 0);
  for (std::size_t c = 1; c < logits.n1; ++c) {
    const float* candidate = logits.row(step, c);
    for (std::size_t k = 0; k < n_trials; ++k) {
      // Only a greater logit wins, so that ties go to the lowest class.
      const bool wins = candidate[k] > best[k];
      classes[k] = wins ? static_cast<std::int32_t>(c) : classes[k];
      best[k] = wins ? candidate[k] : best[k];
    }
  }
}

/// The trial of a row that a scorer has reached.
struct TrialScore {
  std::int32_t task = 0;
  bool counts = false, right = true;
  ScoreCounts steps;

  void add(Scored scored, bool hit, std::int32_t task_now) {
    if (scored == Scored::no) return;
    task = task_now;
    counts = true;
    if (scored != Scored::step_only) right = right && hit;
    if (scored == Scored::trial_only) return;
    ++steps.decision_steps;
    steps.right_decision_steps += hit;
  }
  void finish(std::span<ScoreCounts> by_task) {
    if (counts) {
      steps.trials = 1;
      steps.right_trials = right;
      by_task[static_cast<std::size_t>(task)] += steps;
    }
    *this = {};
  }
};

void check_shapes(const View3<const float>& logits, const TrialView& rows, std::size_t n_tasks,
                  const TrialArray<const float>* outputs = nullptr) {
  const auto check_array = [&](const auto& array, const char* name, bool needed) {
    if (array.empty() && !needed) return;
    if (array.n_steps != logits.n0 || array.n_trials != logits.n2)
      throw UsageError(
          fmt::format("scores: {} of {} steps and {} trials, but the logits have {} and {}; they "
                      "must be of the same trials",
                      name, array.n_steps, array.n_trials, logits.n0, logits.n2));
  };
  if (outputs == nullptr)
    check_array(rows.targets, "targets", true);
  else
    check_array(*outputs, "targets", true);
  if (outputs != nullptr && outputs->n_items != logits.n1)
    throw UsageError(fmt::format("scores: targets for {} outputs, but logits of {} classes",
                                 outputs->n_items, logits.n1));
  check_array(rows.scored, "scored steps", true);
  check_array(rows.trial_starts, "trial starts", false);
  check_array(rows.tasks, "tasks", false);
  if (logits.n1 == 0) throw UsageError("scores: logits of no classes");
  if (n_tasks == 0) throw UsageError("scores: no task to count them for");
  rows.tasks.for_each_stretch([&](std::span<const std::int32_t> tasks) {
    for (const std::int32_t task : tasks)
      if (task < 0 || static_cast<std::size_t>(task) >= n_tasks)
        throw UsageError(fmt::format("scores: task {}, but there are {}", task, n_tasks));
  });
}

/// Counts steps and trials. Calls begin(t) before right(t, trial), which tells whether the answer
/// is right.
template <class Begin, class Right>
void count_scores(const View3<const float>& logits, const TrialView& rows,
                  std::span<ScoreCounts> by_task, Begin&& begin, Right&& right) {
  std::vector<TrialScore> trials(logits.n2);
  for (std::size_t t = 0; t < logits.n0; ++t) {
    begin(t);
    for (std::size_t k = 0; k < trials.size(); ++k) {
      if (!rows.trial_starts.empty() && rows.trial_starts(t, k) != 0) trials[k].finish(by_task);
      trials[k].add(static_cast<Scored>(rows.scored(t, k)), right(t, k),
                    rows.tasks.empty() ? 0 : rows.tasks(t, k));
    }
  }
  for (TrialScore& trial : trials) trial.finish(by_task);
}

}  // namespace

void add_scores(View3<const float> logits, const TrialView& rows, std::span<ScoreCounts> by_task) {
  check_shapes(logits, rows, by_task.size());
  std::vector<float> best(logits.n2);
  std::vector<std::int32_t> classes(logits.n2);
  count_scores(
      logits, rows, by_task, [&](std::size_t t) { most_likely_classes(logits, t, best, classes); },
      [&](std::size_t t, std::size_t k) { return classes[k] == rows.targets(t, k); });
}

void add_scores(View3<const float> logits, const TrialView& rows,
                const TrialArray<const float>& outputs, double tolerance,
                std::span<ScoreCounts> by_task) {
  check_shapes(logits, rows, by_task.size(), &outputs);
  const auto is_right = [&](std::size_t t, std::size_t k) {
    for (std::size_t c = 0; c < logits.n1; ++c)
      // Written as a negation, because a comparison with NaN is false: NaN is not within the
      // tolerance.
      if (!(std::abs(double{logits(t, c, k)} - outputs(t, k, c)) <= tolerance)) return false;
    return true;
  };
  count_scores(
      logits, rows, by_task, [](std::size_t) {}, is_right);
}

}  // namespace lmrnn
