#include "lmrnn/tasks.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "arrays.hpp"
#include "bindings.hpp"
#include "configuration.hpp"
#include "lmrnn/ceiling.hpp"
#include "lmrnn/streams.hpp"
#include "pickling.hpp"
#include "seed_argument.hpp"

namespace lmrnn::python {
namespace {

// Conditions -----------------------------------------------------------------------------------

std::vector<std::string> period_names(Family family) {
  std::vector<std::string> names;
  for (std::size_t p = 0; p < n_periods; ++p)
    names.emplace_back(period_name(family, static_cast<Period>(p)));
  return names;
}

// Durations are keyed by the names of Period, which all families share.
constexpr std::array<const char*, n_periods> duration_names = {"fixation", "stimulus", "delay",
                                                               "second_stimulus", "decision"};

nb::dict durations_of(const Conditions& conditions) {
  nb::dict dict;
  for (std::size_t p = 0; p < n_periods; ++p) dict[duration_names[p]] = conditions.duration[p];
  return dict;
}

/// Names of single families are accepted as well ("stim1", "sample", "test"), as in
/// battery.durations.
bool names_period(const std::string& name, std::size_t p) {
  if (name == duration_names[p]) return true;
  for (const Family family :
       {Family::reach, Family::decision, Family::delayed_decision, Family::match})
    if (name == period_name(family, static_cast<Period>(p))) return true;
  return false;
}

void set_durations(Conditions& conditions, const nb::dict& values) {
  for (const auto [key, value] : values) {
    const auto name = nb::cast<std::string>(key);
    std::size_t p = 0;
    while (p < n_periods && !names_period(name, p)) ++p;
    if (p == n_periods)
      throw UsageError("durations: no period \"" + name +
                       "\"; there are fixation, stimulus, delay, second_stimulus, decision");
    conditions.duration[p] = nb::cast<double>(value);
  }
}

// Trials ---------------------------------------------------------------------------------------

BoundTrial compose(const BoundTask& task, Conditions conditions,
                   const std::optional<SeedArgument>& seed, std::uint32_t number,
                   const nb::kwargs& changes) {
  nb::object object = nb::cast(conditions);
  for (const auto [name, value] : changes) nb::setattr(object, name, value);
  conditions = nb::cast<Conditions>(object);
  BoundTrial result{task, conditions, {}};
  // `seed` decides whether there is noise; the trial keeps its conditions either way.
  conditions.noise = seed.has_value();
  result.trial = task.battery.compose(task.index, conditions);
  if (seed) {
    const std::array index = {static_cast<std::uint32_t>(task.index)};
    const TrialBatch noisy =
        compose_trials(task.battery, index, std::array{conditions},
                       Key{Seed(*seed), RandomPurpose::input_noise, Split::test, 0, number});
    result.trial.inputs.assign(noisy.inputs.begin(), noisy.inputs.end());
  }
  return result;
}

BoundTrial draw_trial(const BoundTask& task, const SeedArgument& seed, std::size_t number,
                      const std::string& split) {
  const TrialBatch batch =
      draw_trials(task.battery, task.index, 1, Seed(seed), named<Split>(split, "split"), number);
  BoundTrial result{task, batch.conditions[0],
                    task.battery.compose(task.index, batch.conditions[0])};
  result.trial.inputs.assign(batch.inputs.begin(), batch.inputs.end());
  return result;
}

nb::list periods_of(const BoundTask& task, const std::vector<PeriodSpan>& spans) {
  nb::list list;
  for (const PeriodSpan& span : spans)
    list.append(
        nb::make_tuple(std::string(period_name(task.task().base_task().family, span.period)),
                       span.first, span.last));
  return list;
}

nb::dict timing_of(const BoundTask& task) {
  const Family family = task.task().base_task().family;
  const auto durations = task.battery.durations(task.index);
  ConfigTable table;
  for (std::size_t p = 0; p < n_periods; ++p)
    if (!durations[p].values.empty())
      table.emplace_back(std::string(period_name(family, static_cast<Period>(p))),
                         to_config(durations[p]));
  return to_dict(table);
}

std::string repr(const BoundTrial& trial) {
  return fmt::format("Trial({}, {} steps of {} ms)", trial.task.task().name(), trial.trial.n_steps,
                     trial.task.battery.config().dt);
}

// Everything but the inputs, which have noise, follows from the conditions.
nb::tuple state_of(const BoundTrial& t) {
  return nb::make_tuple(t.task, t.conditions, to_state(t.trial.inputs));
}
BoundTrial trial_from(const nb::tuple& state) {
  BoundTrial result{nb::cast<BoundTask>(state[0]), nb::cast<Conditions>(state[1]), {}};
  result.trial = result.task.battery.compose(result.task.index, result.conditions);
  from_state(state[2], result.trial.inputs);
  return result;
}

void bind_conditions(nb::module_& m) {
  nb::class_<Conditions> conditions(m, "Conditions",
                                    "Everything that is random about a trial except its input "
                                    "noise. Which members matter depends "
                                    "on the family of the task; angles in rad.");
  conditions.def(nb::init<>())
      .def_rw("modality", &Conditions::modality, "0 or 1 (reach, match)")
      .def_rw("direction", &Conditions::direction, "angle of the stimulus, rad (reach)")
      .def_prop_rw(
          "directions",
          [](const Conditions& c) { return std::pair(c.directions[0], c.directions[1]); },
          [](Conditions& c, std::pair<double, double> v) {
            c.directions = {v.first, v.second};
          },
          "angles of the two stimuli, rad (decision families)")
      .def_prop_rw(
          "strength",
          [](const Conditions& c) {
            return std::vector<std::vector<double>>{{c.strength[0][0], c.strength[0][1]},
                                                    {c.strength[1][0], c.strength[1][1]}};
          },
          [](Conditions& c, const std::vector<std::vector<double>>& v) {
            if (v.size() != 2 || v[0].size() != 2 || v[1].size() != 2)
              throw UsageError("strength: two modalities of two stimuli, [[a, b], [c, d]]");
            c.strength = {{{v[0][0], v[0][1]}, {v[1][0], v[1][1]}}};
          },
          "`strength[modality][stimulus]`; 0 where it is not shown (decision families)")
      .def_rw("choice", &Conditions::choice, "0 or 1, the stimulus to respond to (decision)")
      .def_rw("match", &Conditions::match, "whether test and sample match (match)")
      .def_rw("sample", &Conditions::sample, "angle of the sample, rad (match)")
      .def_rw("test", &Conditions::test, "angle of the test, rad (match)")
      .def_prop_rw("durations", &durations_of, &set_durations,
                   "ms by period (fixation, stimulus, delay, second_stimulus, decision); 0 also "
                   "where the task "
                   "has no such period. Assigned periods that are not named stay as they are")
      .def(
          "copy", [](const Conditions& c) { return c; }, "An independent copy.");
  bind_pickling(conditions);
}

void bind_task(nb::module_& m) {
  nb::class_<BoundTask>(m, "Task", "A task of a battery: battery[\"dlygointr\"] or battery[3].")
      .def_prop_ro("name", [](const BoundTask& t) { return t.task().name(); })
      .def_prop_ro("battery", [](const BoundTask& t) { return t.battery; })
      .def_ro("index", &BoundTask::index, "Position in the battery: the number of its rule input.")
      .def_prop_ro(
          "family",
          [](const BoundTask& t) { return std::string(family_name(t.task().base_task().family)); },
          "reach, decision, delayed_decision or match")
      .def_prop_ro(
          "base", [](const BoundTask& t) { return std::string(t.task().base_task().name); },
          "The base task.")
      .def_prop_ro(
          "interval", [](const BoundTask& t) { return int{t.task().interval}; },
          "int: -1 l, 0 none, 1 r")
      .def_prop_ro(
          "sequence", [](const BoundTask& t) { return int{t.task().sequence}; },
          "seq: -1 l, 0 none, 1 r")
      .def_prop_ro(
          "periods",
          [](const BoundTask& t) {
            nb::list names;
            const auto durations = t.battery.durations(t.index);
            for (std::size_t p = 0; p < n_periods; ++p)
              if (!durations[p].values.empty())
                names.append(period_names(t.task().base_task().family)[p]);
            return names;
          },
          "Names of the periods that its trials pass through.")
      .def_prop_ro("durations", &timing_of,
                   "How long each period lasts, ms: a number, {\"uniform\": [low, high]} or "
                   "{\"choice\": [...]}, as in battery.durations.")
      .def(
          "describe", [](const BoundTask& t) { return describe_task(t.battery, t.index); },
          "The task in words, several lines.")
      .def(
          "draw",
          [](const BoundTask& t, const SeedArgument& seed, std::uint32_t trial) {
            return t.battery.draw(t.index, Key{Seed(seed), RandomPurpose::conditions, Split::test},
                                  trial);
          },
          nb::kw_only(), "seed"_a, "trial"_a = 0,
          "Conditions at random; the same for the same seed. They are not those of "
          "trial(seed=seed), "
          "which has trial(...).conditions.")
      .def("compose", &compose, "conditions"_a, nb::kw_only(), "seed"_a = nb::none(),
           "number"_a = 0, "changes"_a,
           "The trial of given conditions; keywords change single ones, e.g. direction=0.5.\n\n"
           "Without noise, unless `seed` says which noise; each `number` of a seed has its own. "
           "Raises UsageError for conditions that no trial of the task can have.")
      .def("trial", &draw_trial, nb::kw_only(), "seed"_a, "number"_a = 0, "split"_a = "test",
           "Trial number `number` of a split, noise included. Battery.trials has the same ones.")
      .def(
          "ceiling",
          [](const BoundTask& t, const SeedArgument& seed, std::size_t n_trials) {
            const nb::gil_scoped_release release;
            return lmrnn::ceiling(t.battery, t.index, Seed(seed), n_trials);
          },
          nb::kw_only(), "seed"_a, "n_trials"_a = 20000,
          "The scores that an ideal observer would reach.")
      .def("__reduce__",
           [](const nb::object& self) {
             return nb::make_tuple(nb::module_::import_("operator").attr("getitem"),
                                   nb::make_tuple(self.attr("battery"), self.attr("index")));
           })
      .def(
          "__eq__",
          [](const nb::handle_t<BoundTask> a, const nb::handle_t<BoundTask> b) {
            return a.attr("index").equal(b.attr("index")) &&
                   a.attr("battery").equal(b.attr("battery"));
          },
          nb::is_operator())
      .def("__hash__",
           [](const nb::object& self) {
             return nb::hash(nb::make_tuple(self.attr("battery"), self.attr("index")));
           })
      .def("__repr__", [](const BoundTask& t) { return fmt::format("Task({})", t.task().name()); });
}

void bind_trial(nb::module_& m) {
  nb::class_<BoundTrial> trial(m, "Trial", "One trial: observations and target classes over time.");
  trial.def_ro("task", &BoundTrial::task)
      .def_ro("conditions", &BoundTrial::conditions)
      .def("__len__", [](const BoundTrial& t) { return t.trial.n_steps; })
      .def_prop_ro(
          "inputs",
          [](nb::handle_t<BoundTrial> self) {
            const Trial& t = nb::cast<const BoundTrial&>(self).trial;
            return view_of(t.inputs.data(), {std::size_t(t.n_steps), std::size_t(t.n_channels)},
                           self);
          },
          "(time, channel) float32: cue, ring of modality 0, ring of modality 1")
      .def_prop_ro(
          "targets",
          [](nb::handle_t<BoundTrial> self) {
            const Trial& t = nb::cast<const BoundTrial&>(self).trial;
            return view_of(t.targets.data(), {std::size_t(t.n_steps)}, self);
          },
          "(time) int32: class of every step; 0 is fixate, 1 + k respond in direction k")
      .def_prop_ro(
          "periods", [](const BoundTrial& t) { return periods_of(t.task, t.trial.periods); },
          "[(name, first step, last step + 1), ...]")
      .def_prop_ro(
          "response", [](const BoundTrial& t) { return t.trial.response; },
          "Direction to respond in when the decision begins; -1: keep fixating.")
      .def_prop_ro(
          "rule",
          [](const BoundTrial& t) {
            const auto rule = t.task.battery.rule(t.task.index);
            return std::vector<std::int32_t>(
                rule.begin(), rule.begin() + std::ptrdiff_t(t.task.battery.n_rule_slots()));
          },
          "Numbers of the rule inputs that are on.")
      .def("__repr__", &repr);
  bind_pickling(trial, &state_of, &trial_from);
}

}  // namespace

void bind_tasks(nb::module_& m) {
  bind_conditions(m);
  bind_task(m);
  bind_trial(m);
  m.def(
      "select_tasks",
      [](const std::string& expression) { return names_of(select_tasks(expression)); },
      "expression"_a, "Names of the tasks of an expression, in collection order.");
  m.def(
      "collections",
      [] { return std::vector<std::string>(collection_names().begin(), collection_names().end()); },
      "Names of the collections of tasks.");
}

}  // namespace lmrnn::python
