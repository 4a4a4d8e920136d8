#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/shared/text.hpp"
#include "lmrnn/tasks.hpp"
#include "tasks/battery_data.hpp"
#include "tasks/render.hpp"

namespace lmrnn {
namespace {

void check(const BatteryConfig& config, const Semantics& semantics) {
  check_ranges(config, "battery");
  if (config.n_ring % 2 != 0)
    throw UsageError(
        fmt::format("battery.n_ring = {}: opposite directions and categories need an even number",
                    config.n_ring));
  if (!config.weights.empty() && !semantics.task_order)
    throw UsageError(
        "battery.weights: the published task order has none; set semantics.task_order = "
        "\"corrected\" or drop the weights");
  check_overrides(config);
}

/// Rejects stimuli and decisions shorter than a step, because their trials could not be done.
void check_steps(const TaskSetup& setup, double dt, const Semantics& semantics) {
  for (const Duration& duration : setup.durations)
    if (!duration.values.empty() && longest(duration) / dt > 1e6)
      throw UsageError(
          fmt::format("battery: a period of {} can last {} ms, more than a million steps of {} ms; "
                      "make the period shorter or battery.dt larger",
                      setup.task.name(), longest(duration), dt));
  for (const Period period : {Period::stimulus, Period::second_stimulus, Period::decision}) {
    if (!setup.has(period)) continue;
    const double ms = shortest(setup.durations[period_index(period)]);
    if (steps_in(ms, dt, semantics) < 1)
      throw UsageError(fmt::format(
          "battery: the {} of {} can last {} ms, less than one step of {} ms; make battery.dt "
          "smaller or the period longer",
          period_name(setup.base->family, period), setup.task.name(), ms, dt));
  }
}

/// Durations of a task's trials in this battery.
Durations settled_durations(Task task, const BatteryConfig& config, const Semantics& semantics,
                            Seed seed) {
  Durations durations = durations_of(task, config, semantics);
  Duration& delay = durations[period_index(Period::delay)];
  if (task.base_task().family == Family::match && task.interval == 0 && !semantics.match_delay) {
    const Key key{seed, RandomPurpose::conditions, Split::train, 0xffffffffu, task.number()};
    delay = {Duration::Kind::fixed, {Timer(delay).sample(uniform(key, 0))}};
  }
  return durations;
}

std::array<Timer, n_periods> timers_of(const Durations& d) {
  return {Timer(d[0]), Timer(d[1]), Timer(d[2]), Timer(d[3]), Timer(d[4])};
}

/// Weight of a task: the weight of its name, else of the one glob that it matches, else 1.
double weight_of(Task task, const BatteryConfig& config) {
  if (const auto own = config.weights.find(task.name()); own != config.weights.end())
    return own->second;
  std::optional<double> weight;
  for (const auto& [name, value] : config.weights) {
    const std::vector<Task> named = select_tasks(name);
    if (std::ranges::find(named, task) == named.end()) continue;
    if (named.size() == 1 && !is_glob(name)) return value;
    if (weight && *weight != value)
      throw UsageError(
          fmt::format("battery.weights: {} is given both {} and {}; name the task itself to decide",
                      task.name(), *weight, value));
    weight = value;
  }
  return weight.value_or(1);
}

std::vector<double> cumulative_weights(const std::vector<Task>& tasks,
                                       const BatteryConfig& config) {
  if (config.weights.empty()) return {};
  for (const auto& [name, value] : config.weights) {
    const std::vector<Task> named = select_tasks(name);
    if (std::ranges::none_of(
            named, [&](Task task) { return std::ranges::find(tasks, task) != tasks.end(); }))
      throw UsageError(fmt::format("battery.weights.{}: matches no task of this battery", name));
  }
  std::vector<double> sums;
  double total = 0;
  for (const Task task : tasks) sums.push_back(total += weight_of(task, config));
  if (!(total > 0))
    throw UsageError("battery.weights: all tasks have weight 0; give at least one more");
  return sums;
}

}  // namespace

TaskSetup::TaskSetup(Task task_in, const BatteryConfig& config, const Semantics& semantics,
                     Seed seed)
    : task(task_in),
      base(&task.base_task()),
      number(task.number()),
      modifiers(task, config, semantics),
      durations(settled_durations(task, config, semantics, seed)),
      timers(timers_of(durations)) {
  if (base->family == Family::reach && !base->memory_delay && task.interval != 0 &&
      !semantics.go_stimulus)
    throw UsageError(fmt::format(
        "battery.tasks: {} needs semantics.go_stimulus = \"corrected\"; as published, go is dlygo. "
        "Exclude it (\"...,!goint*\") or set that switch",
        task.name()));
  check_steps(*this, config.dt, semantics);
}

BatteryData::BatteryData(const BatteryConfig& config_in, Seed seed_in)
    : config(config_in),
      seed(seed_in),
      semantics(config.semantics.resolve()),
      ring(static_cast<std::int32_t>((check(config, semantics), config.n_ring))),
      tasks(select_tasks(config.tasks)),
      cumulative_weights(lmrnn::cumulative_weights(tasks, config)),
      noise_deviation(static_cast<float>(config.input_noise / std::sqrt(config.dt))) {
  for (const Task task : tasks) setups.emplace_back(task, config, semantics, seed);
}

Battery::Battery(const BatteryConfig& config, Seed seed)
    : data_(std::make_shared<const BatteryData>(config, seed)) {}

const BatteryData& data_of(const Battery& battery) noexcept {
  return *battery.data_;
}

const BatteryConfig& Battery::config() const noexcept {
  return data_->config;
}
Seed Battery::seed() const noexcept {
  return data_->seed;
}
const Semantics& Battery::semantics() const noexcept {
  return data_->semantics;
}
std::span<const Task> Battery::tasks() const noexcept {
  return data_->tasks;
}

std::size_t Battery::index_of(std::string_view task_name) const {
  const Task wanted = parse_task(task_name);
  const auto found = std::ranges::find(data_->tasks, wanted);
  if (found == data_->tasks.end())
    throw UsageError(fmt::format("task \"{}\" is not in this battery of {} tasks (\"{}\")",
                                 task_name, data_->tasks.size(), data_->config.tasks));
  return static_cast<std::size_t>(found - data_->tasks.begin());
}

std::size_t Battery::n_channels() const noexcept {
  return static_cast<std::size_t>(data_->n_channels());
}
std::size_t Battery::n_classes() const noexcept {
  return 1 + static_cast<std::size_t>(data_->n_ring());
}
std::size_t Battery::n_rules() const noexcept {
  return data_->config.rule == RuleEncoding::task ? data_->tasks.size() : base_tasks().size() + 6;
}
std::size_t Battery::n_rule_slots() const noexcept {
  return data_->config.rule == RuleEncoding::task ? 1 : 3;
}

std::array<std::int32_t, 3> Battery::rule(std::size_t task) const noexcept {
  if (data_->config.rule == RuleEncoding::task) return {static_cast<std::int32_t>(task), 0, 0};
  // Order: base; then int: none, r, l; then seq: none, r, l.
  const auto place = [](std::int8_t sign) { return sign == 0 ? 0 : sign > 0 ? 1 : 2; };
  const Task t = data_->tasks[task];
  const auto n_bases = static_cast<std::int32_t>(base_tasks().size());
  return {t.base, n_bases + place(t.interval), n_bases + 3 + place(t.sequence)};
}

float Battery::noise_deviation() const noexcept {
  return data_->noise_deviation;
}

Conditions Battery::draw(std::size_t task, Key key, std::uint32_t trial,
                         std::uint32_t modality_turn) const {
  static_cast<void>(data_->setups.at(task));  // throws if the battery has no such task
  return data_->draw(task, key, trial, modality_turn);
}

Trial Battery::compose(std::size_t task, const Conditions& conditions) const {
  check_conditions(*data_, data_->setups.at(task), conditions);
  TrialOutline outline;
  data_->outline(task, conditions, outline);

  Trial trial;
  trial.n_steps = outline.n_steps;
  trial.n_channels = data_->n_channels();
  for (const PeriodOutline& period : outline.all_periods()) {
    const PeriodSpan& span = period.span;
    trial.periods.push_back(span);
    if (period.last_noisy > period.first_noisy && span.last > span.first)
      trial.noise.push_back({span.first, span.last, period.first_noisy, period.last_noisy});
  }
  trial.inputs.resize(static_cast<std::size_t>(trial.n_steps) * n_channels());
  Renderer(*data_).write_inputs(outline, 0, trial.n_steps, trial.inputs.data(), n_channels());
  for (std::int32_t step = 0; step < trial.n_steps; ++step)
    trial.targets.push_back(target_at(*data_, outline, step));
  if (outline.path.responds()) trial.response = outline.path.response(data_->ring, 0);
  return trial;
}

std::int32_t Battery::n_steps(Milliseconds duration) const noexcept {
  return data_->n_steps(duration.value);
}

std::array<Duration, n_periods> Battery::durations(std::size_t task) const {
  return data_->setups.at(task).durations;
}

std::array<double, n_periods> Battery::mean_steps(std::size_t task) const {
  std::array<double, n_periods> means{};
  constexpr int n_samples = 1000;
  const auto all = durations(task);
  for (std::size_t p = 0; p < n_periods; ++p) {
    const Timer timer(all[p]);
    if (!timer.exists) continue;
    // Samples the middle of each thousandth of the distribution, in the order of the choices.
    for (int k = 0; k < n_samples; ++k)
      means[p] += steps_in(timer.sample((k + 0.5) / n_samples), config().dt, semantics());
    means[p] /= n_samples;
  }
  return means;
}

double Battery::frequency(std::size_t task) const {
  const std::vector<double>& sums = data_->cumulative_weights;
  if (sums.empty()) return 1 / static_cast<double>(tasks().size());
  return (sums.at(task) - (task == 0 ? 0 : sums[task - 1])) / sums.back();
}

}  // namespace lmrnn
