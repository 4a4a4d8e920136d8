// record: activity, inputs, outputs and conditions of chosen trials, as HDF5.
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "analysis/catalogue.hpp"
#include "analysis/entry.hpp"
#include "analysis/simulate.hpp"
#include "analysis/work.hpp"
#include "lmrnn/error.hpp"

namespace lmrnn {
namespace {

struct RecordOptions {
  std::string tasks;
  std::int64_t trials = 16;
  bool noise = true;
  double recurrent_noise = 0;
  std::optional<std::int64_t> modality{};
  std::optional<double> delay{};
  std::int64_t directions = 0;

  bool changes_trials() const { return modality || delay || directions > 0; }

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("tasks", self.tasks, "which tasks; empty: all that the network was trained on");
    field("trials", self.trials, "trials per task", between(1, 1000000));
    field("noise", self.noise, "input noise");
    field("recurrent_noise", self.recurrent_noise,
          "standard deviation of noise inside f, per step, as network.recurrent_noise",
          at_least(0));
    field("modality", self.modality, "reach, match: 0 or 1 in all trials; else as drawn",
          between(0, 1));
    field("delay", self.delay, "ms; else as drawn", at_least(0));
    field("directions", self.directions,
          "reach: trial k has direction k of so many, evenly spaced; 0: as drawn", at_least(0));
  }
};

// Overwrites what the options fix; the rest stays as drawn.
void apply(const RecordOptions& options, const Battery& battery, std::size_t task, std::size_t k,
           Conditions& c) {
  const BaseTask& base = battery.tasks()[task].base_task();
  if (options.modality && (base.family == Family::reach || base.family == Family::match))
    c.modality = static_cast<int>(*options.modality);
  if (options.delay && has_period(battery, task, Period::delay))
    c.duration[period_index(Period::delay)] = *options.delay;
  if (options.directions > 0 && base.family == Family::reach)
    c.direction = 2 * std::numbers::pi *
                  static_cast<double>(k % static_cast<std::size_t>(options.directions)) /
                  static_cast<double>(options.directions);
}

template <class T, class Value>
void add_condition(Recording& to, const std::string& name, const std::string& task,
                   std::span<const Conditions> conditions, Value value) {
  std::vector<T> values;
  for (const Conditions& c : conditions) values.push_back(static_cast<T>(value(c)));
  to.add<T>(task + "/conditions/" + name, values, {values.size()}, {"trial"});
}

void add_conditions(Recording& to, const std::string& task, const Battery& battery,
                    const TrialBatch& trials) {
  const BaseTask& base = battery.tasks()[trials.tasks.front()].base_task();
  const std::span<const Conditions> all = trials.conditions;
  const auto number = [&](const std::string& name, auto value) {
    add_condition<double>(to, name, task, all, value);
  };
  const auto integer = [&](const std::string& name, auto value) {
    add_condition<std::int32_t>(to, name, task, all, value);
  };
  if (base.family == Family::reach || base.family == Family::match)
    integer("modality", [](const Conditions& c) { return c.modality; });
  if (base.family == Family::reach)
    number("direction", [](const Conditions& c) { return c.direction; });
  if (base.family == Family::match) {
    integer("match", [](const Conditions& c) { return c.match ? 1 : 0; });
    number("sample", [](const Conditions& c) { return c.sample; });
    number("test", [](const Conditions& c) { return c.test; });
  }
  if (base.decides()) {
    integer("choice", [](const Conditions& c) { return c.choice; });
    for (std::size_t s = 0; s < 2; ++s) {
      number(fmt::format("direction{}", s), [s](const Conditions& c) { return c.directions[s]; });
      for (std::size_t m = 0; m < 2; ++m)
        number(fmt::format("strength_modality{}_stimulus{}", m, s),
               [m, s](const Conditions& c) { return c.strength[m][s]; });
    }
  }
  for (std::size_t p = 0; p < n_periods; ++p)
    if (has_period(battery, trials.tasks.front(), static_cast<Period>(p)))
      number("duration_" + std::string(period_name(base.family, static_cast<Period>(p))),
             [p](const Conditions& c) { return c.duration[p]; });
}

// (time, trial, item) -> (time, item, trial)
template <class T>
std::vector<T> trials_last(const Buffer<T>& from, std::size_t n_trials, std::size_t n_items) {
  std::vector<T> to(from.size());
  const std::size_t n_plane = n_trials * n_items;
  for (std::size_t i = 0; i < from.size(); ++i)
    to[i / n_plane * n_plane + i % n_items * n_trials + i / n_items % n_trials] = from[i];
  return to;
}

// Overwrites the values after the end of each shorter trial, which belong to no trial.
// `values`: (time, item, trial).
template <class Values>
void set_after_the_end(Values& values, std::size_t n_items, const TrialBatch& trials,
                       typename Values::value_type to) {
  const std::size_t n = trials.n_trials;
  for (std::size_t k = 0; k < n; ++k)
    for (auto t = static_cast<std::size_t>(trials.lengths[k]); t < trials.n_steps; ++t)
      for (std::size_t i = 0; i < n_items; ++i) values[(t * n_items + i) * n + k] = to;
}

constexpr std::uint8_t no_period = 255;

std::vector<std::uint8_t> periods_of(const TrialBatch& trials) {
  std::vector<std::uint8_t> periods(trials.periods.begin(), trials.periods.end());
  for (std::size_t k = 0; k < trials.n_trials; ++k)
    for (auto t = static_cast<std::size_t>(trials.lengths[k]); t < trials.n_steps; ++t)
      periods[t * trials.n_trials + k] = no_period;
  return periods;
}

// Trials of the test split, noise included, unless options change them.
TrialBatch trials_of(const RecordOptions& options, const Battery& battery, std::size_t task,
                     Seed seed) {
  const auto n = static_cast<std::size_t>(options.trials);
  if (!options.changes_trials()) return test_trials(battery, task, n, seed, options.noise);
  auto conditions = test_conditions(battery, task, n, seed, options.noise);
  for (std::size_t k = 0; k < n; ++k) apply(options, battery, task, k, conditions[k]);
  return compose_task(battery, task, conditions, seed);
}

Recording record_task(const Subject& subject, const RecordOptions& options, std::size_t task,
                      Seed seed) {
  const Battery& battery = subject.battery;
  const TrialBatch trials = trials_of(options, battery, task, seed);
  Simulation s = simulate(subject.network, battery, trials, options.recurrent_noise, seed);
  set_after_the_end(s.states, s.n_units, trials, std::numeric_limits<float>::quiet_NaN());
  // Logits are set to 0 and not to NaN, because xarray has no argmax of NaN; inputs and targets are
  // 0 there, too.
  set_after_the_end(s.logits, s.n_classes, trials, 0);
  const std::string name = battery.tasks()[task].name();
  const std::size_t n = trials.n_trials, t = trials.n_steps;
  std::vector<double> time(t);
  for (std::size_t i = 0; i < t; ++i) time[i] = static_cast<double>(i) * battery.config().dt;
  Recording to;
  to.add<double>(name + "/time", time, {t}, {"time"});
  to.file.metadata[name + "/time@units"] = "ms";
  to.file.metadata[name + "/time@long_name"] = "start of the step, from the start of the trial";
  to.add<float>(name + "/states", s.states, {t, s.n_units, n}, {"time", "unit", "trial"});
  if (s.seen_through) {  // states are voltages
    std::vector<float> rates(s.states.size());
    for (std::size_t i = 0; i < rates.size(); ++i)
      rates[i] =
          static_cast<float>(apply_activation(*s.seen_through, static_cast<double>(s.states[i])));
    to.add<float>(name + "/rates", rates, {t, s.n_units, n}, {"time", "unit", "trial"});
  }
  to.add<float>(name + "/logits", s.logits, {t, s.n_classes, n}, {"time", "class", "trial"});
  // The same order as states and logits, because the same code compares and plots the files.
  to.add<float>(name + "/inputs", trials_last(trials.inputs, n, trials.n_channels),
                {t, trials.n_channels, n}, {"time", "channel", "trial"});
  auto rules = trials_last(trials.rules, n, trials.n_rule_slots);
  set_after_the_end(rules, trials.n_rule_slots, trials, -1);  // none; 0 is a rule
  to.add<std::int32_t>(name + "/rules", rules, {t, trials.n_rule_slots, n},
                       {"time", "slot", "trial"});
  to.add<std::int32_t>(name + "/targets", trials.targets, {t, n}, {"time", "trial"});
  to.add<std::uint8_t>(name + "/periods", periods_of(trials), {t, n}, {"time", "trial"});
  to.file.metadata[name + "/periods@long_name"] =
      "0 fixation, 1 stimulus, 2 delay, 3 second stimulus, 4 decision, 255 after the trial";
  to.file.metadata[name + "/states@long_name"] =
      std::string(s.seen_through ? "voltages" : "activity") + "; NaN after the end of the trial";
  to.file.metadata[name + "/logits@long_name"] = "outputs; 0 after the end of the trial";
  to.add<float>(name + "/mask", trials.loss_weights, {t, n}, {"time", "trial"});
  to.add<std::int32_t>(name + "/lengths", trials.lengths, {n}, {"trial"});
  to.add<std::int32_t>(name + "/responses", trials.responses, {n}, {"trial"});
  add_conditions(to, name, battery, trials);
  return to;
}

AnalysisResult record(const Subject& subject, const RecordOptions& options,
                      const AnalysisContext& context) {
  const std::vector<std::size_t> tasks = chosen_tasks(subject.battery, options.tasks);
  std::vector<Recording> parts(tasks.size());
  for_each_item(context, tasks.size(), "task", [&](std::size_t i) {
    parts[i] = record_task(subject, options, tasks[i], context.seed);
  });
  Recording all;
  all.name = "recording";
  all.file.metadata["dt"] = fmt::format("{}", subject.battery.config().dt);
  std::string names;
  double bytes = 0;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    names += (i ? "," : "") + subject.battery.tasks()[tasks[i]].name();
    all.dimensions.merge(parts[i].dimensions);
    all.file.metadata.merge(parts[i].file.metadata);
    for (auto& array : parts[i].file.arrays) {
      bytes += static_cast<double>(array.second.bytes.size());
      all.file.arrays.push_back(std::move(array));
    }
  }
  all.file.metadata["tasks"] = names;
  AnalysisResult result;
  result.headline("tasks", static_cast<std::int64_t>(tasks.size()));
  result.headline("trials_per_task", options.trials);
  result.headline("units", static_cast<std::int64_t>(subject.network.architecture().n_units()));
  result.headline("megabytes", bytes / 1e6);
  result.recordings.push_back(std::move(all));
  return result;
}

}  // namespace

AnalysisEntry record_entry() {
  return analysis_entry<RecordOptions, record>(
      "record", "activity, inputs, outputs and conditions of chosen trials, as HDF5");
}

}  // namespace lmrnn
