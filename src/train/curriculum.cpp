#include "train/curriculum.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/shared/text.hpp"
#include "lmrnn/error.hpp"
#include "train/batches.hpp"

namespace lmrnn {
namespace {

std::string stage_name(std::size_t i) {
  return fmt::format("curriculum.stage {}", i + 1);
}

/// Whether a row of battery.durations belongs to a family; otherwise it belongs to a task.
bool is_family(const std::string& owner) {
  return std::ranges::any_of(
      base_tasks(), [&](const BaseTask& base) { return family_name(base.family) == owner; });
}

using DurationOverrides = decltype(BatteryConfig::durations);

/// Replaces durations of the battery by those of a stage. A task's own row takes precedence over
/// that of its family, so it loses the periods that the stage sets for the family.
void replace_durations(DurationOverrides& durations, const DurationOverrides& of_stage) {
  for (auto& [task, row] : durations) {
    if (is_family(task)) continue;
    const auto of_family =
        of_stage.find(std::string(family_name(parse_task(task).base_task().family)));
    if (of_family == of_stage.end()) continue;
    for (const auto& [period, duration] : of_family->second) row.erase(period);
  }
  for (const auto& [owner, periods] : of_stage)
    for (const auto& [period, duration] : periods) durations[owner][period] = duration;
}

/// The tasks of stage `i`. Throws UsageError for a task that is named twice, or that the battery
/// does not have.
std::vector<Task> tasks_of_stage(const RunConfig& config, std::size_t i) {
  const std::string& expression = config.curriculum.stage[i].tasks;
  if (expression.empty())
    throw UsageError(
        fmt::format("{}: tasks is missing; name those of battery.tasks = \"{}\" that "
                    "it trains",
                    stage_name(i), config.battery.tasks));
  const std::vector<Task> all = select_tasks(config.battery.tasks);
  std::set<std::string> named;
  for (const std::string_view part : split(expression, ',')) {
    const std::string_view name = trimmed(part);
    if (name.empty() || name.front() == '!') continue;  // select_tasks reports errors in these
    for (const Task task : select_tasks(name))
      if (!named.insert(task.name()).second)
        throw UsageError(
            fmt::format("{}: tasks = \"{}\" names {} twice; name each task once, and "
                        "use battery.weights to draw it more often",
                        stage_name(i), expression, task.name()));
  }
  std::vector<Task> tasks = select_tasks(expression);
  for (const Task task : tasks)
    if (std::ranges::find(all, task) == all.end())
      throw UsageError(
          fmt::format("{}: {} is not one of battery.tasks = \"{}\"; add it there, or "
                      "take it out of the stage",
                      stage_name(i), task.name(), config.battery.tasks));
  return tasks;
}

BatteryConfig battery_of_stage(const RunConfig& config, const Battery& whole, std::size_t i) {
  const std::vector<Task> tasks = tasks_of_stage(config, i);
  BatteryConfig battery = config.battery;
  replace_durations(battery.durations, config.curriculum.stage[i].durations);
  if (tasks.size() == whole.tasks().size()) return battery;
  battery.weights.clear();
  double total = 0;
  for (std::size_t t = 0; t < whole.tasks().size(); ++t) {
    const Task task = whole.tasks()[t];
    const bool drawn = std::ranges::find(tasks, task) != tasks.end();
    total += battery.weights[task.name()] = drawn ? whole.frequency(t) : 0;
  }
  if (total <= 0)
    throw UsageError(fmt::format(
        "{}: battery.weights is 0 for all its tasks; give one of them more", stage_name(i)));
  return battery;
}

void check_steps_of_stages(const RunConfig& config) {
  const std::vector<StageConfig>& stages = config.curriculum.stage;
  std::int64_t total = 0;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    total += stages[i].steps;
    if (stages[i].steps == 0 && i + 1 < stages.size())
      throw UsageError(
          fmt::format("{}: steps is missing; only the last stage may leave it out", stage_name(i)));
  }
  const std::int64_t all = config.train.steps;
  if (stages.back().steps == 0 && total >= all)
    throw UsageError(
        fmt::format("curriculum: the stages before the last take {} steps, which leaves the last "
                    "none of train.steps = {}; make them shorter or train.steps larger",
                    total, all));
  if (stages.back().steps != 0 && total != all)
    throw UsageError(
        fmt::format("curriculum: the stages take {} steps, but train.steps = {}; make them equal, "
                    "or leave out the steps of the last stage, which then lasts to the end",
                    total, all));
}

// A task without a stage would never be trained, which is probably a mistake.
void check_all_trained(const RunConfig& config, const Battery& whole,
                       std::span<const Battery> stages) {
  std::vector<std::string> never;
  for (std::size_t t = 0; t < whole.tasks().size(); ++t)
    if (whole.frequency(t) > 0 &&
        std::ranges::none_of(stages, [&](const Battery& b) { return b.frequency(t) > 0; }))
      never.push_back(whole.tasks()[t].name());
  if (never.empty()) return;
  throw UsageError(fmt::format(
      "curriculum: no stage trains {}{}; add it to a stage, take it out of "
      "battery.tasks = \"{}\", or give it battery.weights 0 if it is to be held out",
      never.front(), never.size() > 1 ? fmt::format(" and {} more", never.size() - 1) : "",
      config.battery.tasks));
}

void check_adaptive(const RunConfig& config) {
  const auto refuse = [&](const std::string& why) {
    throw UsageError(fmt::format("curriculum.adaptive = {}: {}", config.curriculum.adaptive, why));
  };
  if (config.evaluation.every == 0)
    refuse("it follows evaluations, but evaluation.every = 0 makes only the last one; set it");
  if (config.evaluation.split == Split::test)
    refuse(
        "evaluations choose what is trained on, so that evaluation.split = \"test\" would be no "
        "test any more; use \"validation\"");
  if (config.stream.mode != StreamMode::restart || config.stream.trials_per_task > 0)
    refuse(
        "rows must not depend on those before them; use stream.mode = \"restart\" and "
        "stream.trials_per_task = 0");
}

}  // namespace

void check_curriculum(const RunConfig& config) {
  const CurriculumConfig& curriculum = config.curriculum;
  if (curriculum.empty()) return;
  if (!config.source.empty())
    throw UsageError(
        "curriculum: it chooses among the tasks of a battery, which your own data do not have; "
        "leave it out, and let your data depend on the number of the batch instead");
  if (!config.battery.semantics.resolve().task_order)
    throw UsageError(
        "curriculum: the published task order draws all tasks alike; set "
        "battery.semantics.task_order = \"corrected\"");
  if (curriculum.adaptive > 0) check_adaptive(config);
  if (curriculum.stage.empty()) return;
  check_steps_of_stages(config);
  const std::vector<Battery> stages = stage_batteries(config);
  check_all_trained(config, Battery(config.battery, config.run_seed()), stages);
}

std::vector<Battery> stage_batteries(const RunConfig& config) {
  const Battery whole(config.battery, config.run_seed());
  if (config.curriculum.stage.empty()) return {whole};
  std::vector<Battery> batteries;
  for (std::size_t i = 0; i < config.curriculum.stage.size(); ++i) {
    const BatteryConfig battery = battery_of_stage(config, whole, i);
    try {
      batteries.emplace_back(battery, config.run_seed());
    } catch (const UsageError& error) {
      throw UsageError(fmt::format("{}: {}", stage_name(i), error.what()));
    }
  }
  return batteries;
}

std::optional<std::string> warning_of_short_rows(const RunConfig& config) {
  for (const Battery& battery : stage_batteries(config))
    if (auto warning = warning_of_short_rows(config.stream, battery)) return warning;
  return {};
}

std::vector<double> adapted_frequencies(std::span<const double> frequencies,
                                        std::span<const double> shares, double adaptive) {
  std::vector<double> adapted(frequencies.begin(), frequencies.end());
  double lacking = 0;
  for (std::size_t t = 0; t < adapted.size(); ++t)
    lacking += frequencies[t] * std::max(0.0, 1 - shares[t]);
  if (lacking <= 0) return adapted;
  for (std::size_t t = 0; t < adapted.size(); ++t)
    adapted[t] *= 1 - adaptive + adaptive * std::max(0.0, 1 - shares[t]) / lacking;
  return adapted;
}

CurriculumSource::CurriculumSource(const RunConfig& config) : config_(config) {
  std::int64_t first = 0;
  const std::vector<Battery> batteries = stage_batteries(config);
  for (std::size_t i = 0; i < batteries.size(); ++i) {
    phases_.push_back({first, batteries[i], packed_source(config, batteries[i])});
    if (!config.curriculum.stage.empty()) first += config.curriculum.stage[i].steps;
  }
}

std::string CurriculumSource::name() const {
  return phases_.front().source->name();
}

BatchShape CurriculumSource::shape() const {
  return phases_.front().source->shape();
}

std::vector<std::string> CurriculumSource::tasks() const {
  return phases_.front().source->tasks();
}

void CurriculumSource::fill(Split split, std::uint32_t batch, std::uint32_t first_row,
                            const TrialRows& rows) const {
  const auto after = std::ranges::upper_bound(phases_, std::int64_t{batch}, {}, &Phase::first_step);
  std::prev(after)->source->fill(split, batch, first_row, rows);
}

void CurriculumSource::adapt(std::span<const double> shares) {
  for (Phase& phase : phases_) {
    std::vector<double> frequencies;
    for (std::size_t t = 0; t < phase.battery.tasks().size(); ++t)
      frequencies.push_back(phase.battery.frequency(t));
    const auto adapted = adapted_frequencies(frequencies, shares, config_.curriculum.adaptive);
    BatteryConfig battery = phase.battery.config();
    battery.weights.clear();
    for (std::size_t t = 0; t < adapted.size(); ++t)
      battery.weights[phase.battery.tasks()[t].name()] = adapted[t];
    phase.source = packed_source(config_, Battery(battery, phase.battery.seed()), phase.battery);
  }
}

}  // namespace lmrnn
