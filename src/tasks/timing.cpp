#include "tasks/timing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace lmrnn {
namespace {

Duration fixed(double ms) {
  return {Duration::Kind::fixed, {ms}};
}
Duration uniform(double low, double high) {
  return {Duration::Kind::uniform, {low, high}};
}

Duration interval_delay() {
  Duration delay{Duration::Kind::choice, {}};
  for (int ms = 0; ms <= 1100; ms += 100) delay.values.push_back(ms);
  return delay;
}

Duration delay_of(const BaseTask& base, TimingTable timing) {
  const bool modcog = timing == TimingTable::modcog;
  switch (base.family) {
    case Family::reach:
      return fixed(modcog || base.memory_delay ? 500 : 0);
    case Family::decision:
      return {};
    case Family::delayed_decision:
      return fixed(modcog ? 500 : 1000);
    case Family::match:
      return modcog ? uniform(200, 1200) : fixed(1000);
  }
  return {};
}

/// Fixation, stimulus, delay, second stimulus, decision of an unmodified task.
Durations base_durations(const BaseTask& base, TimingTable timing) {
  const Duration delay = delay_of(base, timing);
  switch (base.family) {
    case Family::reach:
      if (base.reaction_time) return {fixed(500), {}, {}, {}, fixed(500)};
      return {fixed(500), fixed(500), delay, {}, fixed(500)};
    case Family::decision:
      return {uniform(200, 500), fixed(500), {}, {}, fixed(200)};
    case Family::delayed_decision:
      return {uniform(200, 500), fixed(500), delay, fixed(500), fixed(200)};
    case Family::match:
      return {fixed(300), fixed(500), delay, fixed(500), fixed(900)};
  }
  return {};
}

void modify(Durations& durations, Task task, const Semantics& semantics) {
  const BaseTask& base = task.base_task();
  if (task.interval != 0) {
    const bool constant = base.family == Family::delayed_decision && !semantics.int_delay;
    durations[period_index(Period::delay)] = constant ? fixed(500) : interval_delay();
  }
  if (task.sequence != 0 && !(base.reaction_time && !semantics.rt_seq))
    durations[period_index(Period::decision)] = fixed(1000);
}

/// What makes a duration unusable, as a text for messages; empty if it is usable.
std::string complaint(const Duration& duration) {
  const auto& values = duration.values;
  if (duration.kind == Duration::Kind::choice && values.empty()) return "has no choices";
  if (duration.kind == Duration::Kind::fixed && values.size() != 1) return "needs one number";
  if (duration.kind == Duration::Kind::uniform && values.size() != 2)
    return "needs two numbers, low and high";
  for (const double ms : values)
    if (!std::isfinite(ms) || ms < 0) return "must be finite and at least 0 ms";
  if (duration.kind == Duration::Kind::uniform && values[0] > values[1])
    return "has its low end above its high end";
  return {};
}

void override_with(Durations& durations, const BatteryConfig& config, const std::string& owner,
                   Family family) {
  const auto row = config.durations.find(owner);
  if (row == config.durations.end()) return;
  for (std::size_t p = 0; p < n_periods; ++p) {
    const std::string name(period_name(family, static_cast<Period>(p)));
    const auto cell = row->second.find(name);
    if (cell != row->second.end() && !durations[p].values.empty()) durations[p] = cell->second;
  }
}

constexpr std::array families{Family::reach, Family::decision, Family::delayed_decision,
                              Family::match};

/// Names of the periods that an override of `owner` (a family or a task) may set.
std::vector<std::string> periods_of(const std::string& owner) {
  std::vector<std::string> names;
  Family family{};
  Durations durations;
  if (const auto found = std::ranges::find(families, owner, family_name); found != families.end()) {
    family = *found;
    const auto base = std::ranges::find(base_tasks(), family, &BaseTask::family);
    durations = base_durations(*base, TimingTable::modcog);
  } else {
    const BaseTask& base = parse_task(owner).base_task();
    family = base.family;
    durations = base_durations(base, TimingTable::modcog);
  }
  for (std::size_t p = 0; p < n_periods; ++p)
    if (!durations[p].values.empty())
      names.emplace_back(period_name(family, static_cast<Period>(p)));
  return names;
}

}  // namespace

Durations durations_of(Task task, const BatteryConfig& config, const Semantics& semantics) {
  Durations durations = base_durations(task.base_task(), config.timing);
  modify(durations, task, semantics);
  const Family family = task.base_task().family;
  override_with(durations, config, std::string(family_name(family)), family);
  for (const auto& [owner, row] : config.durations)
    if (std::ranges::find(families, owner, family_name) == families.end() &&
        parse_task(owner) == task)
      override_with(durations, config, owner, family);
  return durations;
}

void check_overrides(const BatteryConfig& config) {
  for (const auto& [owner, row] : config.durations) {
    std::vector<std::string> known;
    try {
      known = periods_of(owner);
    } catch (const UsageError&) {
      throw UsageError(fmt::format(
          "battery.durations.{}: neither a task nor one of the families reach, decision, "
          "delayed_decision, match",
          owner));
    }
    for (const auto& [period, duration] : row) {
      if (std::ranges::find(known, period) == known.end())
        throw UsageError(fmt::format("battery.durations.{}: no period \"{}\"; there are {}", owner,
                                     period, fmt::join(known, ", ")));
      if (const std::string what = complaint(duration); !what.empty())
        throw UsageError(fmt::format("battery.durations.{}.{}: {}", owner, period, what));
    }
  }
}

Timer::Timer(const Duration& duration) {
  const auto& values = duration.values;
  exists = !values.empty();
  random = exists && duration.kind != Duration::Kind::fixed;
  if (!exists) return;
  low = values[0];
  if (duration.kind == Duration::Kind::uniform) span = values[1] - values[0];
  if (duration.kind == Duration::Kind::choice) choices = values;
}

double shortest(const Duration& duration) noexcept {
  return *std::ranges::min_element(duration.values);
}

double longest(const Duration& duration) noexcept {
  return *std::ranges::max_element(duration.values);
}

std::string in_words(const Duration& duration) {
  const auto& values = duration.values;
  if (duration.kind == Duration::Kind::uniform)
    return fmt::format("{} to {} ms", values[0], values[1]);
  if (values.size() == 1) return fmt::format("{} ms", values[0]);
  return fmt::format("{} or {} ms", fmt::join(values.begin(), values.end() - 1, ", "),
                     values.back());
}

void from_config(const ConfigValue& v, std::string_view key, Duration& out, const Range&) {
  const Range times = at_least(0);
  double ms = 0;
  const auto* table = std::get_if<ConfigTable>(&v.value);
  if (!table) {
    if (!std::holds_alternative<double>(v.value) && !std::holds_alternative<std::int64_t>(v.value))
      detail::wrong_type(v, key, Duration::config_type);
    from_config(v, key, ms, times);
    out = fixed(ms);
    return;
  }
  const std::vector<std::string> known{"uniform", "choice"};
  detail::check_known_keys(*table, key, known);
  if (table->size() != 1) detail::wrong_type(v, key, Duration::config_type);
  const auto& [kind, list] = table->front();
  out.kind = kind == "uniform" ? Duration::Kind::uniform : Duration::Kind::choice;
  from_config(list, detail::dotted(key, kind), out.values, times);
  if (const std::string what = complaint(out); !what.empty())
    throw UsageError(list.where + ": " + detail::dotted(key, kind) + " " + what);
}

ConfigValue to_config(const Duration& duration) {
  if (duration.kind == Duration::Kind::fixed) return to_config(duration.values.at(0));
  const std::string kind = duration.kind == Duration::Kind::uniform ? "uniform" : "choice";
  return {ConfigTable{{kind, to_config(duration.values)}}, {}};
}

}  // namespace lmrnn
