#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <numeric>

#include "bindings.hpp"
#include "configuration.hpp"
#include "interruption.hpp"
#include "lmrnn/ceiling.hpp"
#include "lmrnn/tasks.hpp"
#include "pickling.hpp"
#include "refusal.hpp"
#include "seed_argument.hpp"

namespace lmrnn::python {
namespace {

// An expression as it is, or a list of names.
std::string expression_of(const nb::object& tasks) {
  if (nb::isinstance<nb::str>(tasks)) return nb::cast<std::string>(tasks);
  if (!nb::isinstance<nb::list>(tasks) && !nb::isinstance<nb::tuple>(tasks))
    throw nb::next_overload();
  std::string expression;
  for (const nb::handle task : nb::cast<nb::sequence>(tasks)) {
    if (!nb::isinstance<nb::str>(task)) throw nb::next_overload();
    expression += (expression.empty() ? "" : ",") + nb::cast<std::string>(task);
  }
  return expression;
}

Battery make_battery(const std::string& tasks, const std::optional<SeedArgument>& seed,
                     const nb::kwargs& keywords) {
  BatteryConfig config = from_keywords<BatteryConfig>(keywords, "Battery");
  config.tasks = tasks;
  if (!config.semantics.resolve().match_delay && !seed)
    throw UsageError(
        "Battery: published match_delay is drawn once per seed, so a seed is needed; give one, "
        "e.g. seed=0");
  return Battery(config, seed_or_zero(seed));
}

BoundTask task_at(const Battery& battery, std::int64_t index) {
  const auto n = static_cast<std::int64_t>(battery.tasks().size());
  if (index < -n || index >= n)
    throw nb::index_error(
        fmt::format("task {} of {}; they are numbered from 0 to {}", index, n, n - 1).c_str());
  return {battery, static_cast<std::size_t>(index < 0 ? index + n : index)};
}

// For pickle and copy: a battery is its configuration and its seed.
nb::tuple reduce_battery(const Battery& battery) {
  return nb::make_tuple(
      nb::module_::import_("lmrnn.copying").attr("make_battery"),
      nb::make_tuple(to_dict(write_config(battery.config())), battery.seed().value));
}
std::string identity_of(const Battery& battery) {
  return fmt::format("seed = {}\n{}", battery.seed().value,
                     to_toml(write_config(battery.config())));
}
Battery remake_battery(const nb::dict& config, const SeedArgument& seed) {
  BatteryConfig read{};
  read_config(read, to_table(config, "Battery"));
  return Battery(read, seed);
}

nb::list ceilings_of(const Battery& battery, const SeedArgument& seed, std::size_t n_trials,
                     int threads) {
  std::vector<Ceiling> found;
  Interruption interruption;
  {
    const nb::gil_scoped_release release;
    ThreadPool pool(threads);
    // A few tasks at a time, so that Ctrl-C is noticed in between. Tasks are independent.
    const auto at_once = static_cast<std::size_t>(pool.n_threads());
    const std::size_t n = battery.tasks().size();
    for (std::size_t i = 0; i < n && !interruption.asked(); i += at_once) {
      std::vector<std::size_t> part(std::min(at_once, n - i));
      std::iota(part.begin(), part.end(), i);
      std::ranges::copy(ceilings(battery, part, Seed(seed), pool, n_trials),
                        std::back_inserter(found));
    }
  }
  interruption.rethrow();
  nb::list list;
  for (const Ceiling& c : found) list.append(c);
  return list;
}

}  // namespace

void bind_battery(nb::module_& m) {
  nb::class_<Score> score(m, "Score", "A score and its standard error (0 where it is exact).");
  score.def_ro("value", &Score::value)
      .def_ro("standard_error", &Score::standard_error)
      .def("__float__", [](const Score& s) { return s.value; })
      .def("__repr__", [](const Score& s) {
        return fmt::format("{:.4f} +- {:.4f}", s.value, s.standard_error);
      });
  bind_pickling(score);
  nb::class_<Ceiling> ceiling(m, "Ceiling", "What an ideal observer would reach on a task.");
  ceiling.def_ro("decision_accuracy", &Ceiling::decision_accuracy)
      .def_ro("trial_accuracy", &Ceiling::trial_accuracy);
  bind_pickling(ceiling);
  m.def("_make_battery", &remake_battery, "config"_a, "seed"_a);
  const std::string doc =
      "Tasks, their semantics and their timing. Immutable; may be shared between threads.\n\n"
      "Parameters\n----------\n"
      "tasks : text\n    names, collections (cog20, modcog82, modcog93, modcog126, modcog132), "
      "globs and\n"
      "    exclusions, comma-separated, e.g. `dly*,!*seql`, or a list of such\n"
      "seed : int, optional\n"
      "    needed only where something is drawn once per run (published match_delay)\n"
      "**keywords\n    the keys of [battery] in a configuration:\n\n"
      "Other Parameters\n----------------\n" +
      keyword_list<BatteryConfig>();
  nb::class_<Battery> battery(m, "Battery", doc.c_str());
  battery
      .def(
          "__init__",
          [](Battery* self, const nb::object& tasks, const std::optional<SeedArgument>& seed,
             const nb::kwargs& keywords) {
            new (self) Battery(make_battery(expression_of(tasks), seed, keywords));
          },
          "tasks"_a = "modcog82", nb::kw_only(), "seed"_a = nb::none(), "keywords"_a)
      .def("__len__", [](const Battery& b) { return b.tasks().size(); })
      .def("__getitem__", &task_at, "index"_a)
      .def(
          "__getitem__",
          [](const Battery& b, const std::string& name) {
            return BoundTask{b, b.index_of(name)};
          },
          "name"_a, "The task of this name or number.")
      .def_prop_ro(
          "names", [](const Battery& b) { return names_of(b.tasks()); },
          "Names of the tasks, in collection order: the order of rule inputs.")
      .def_prop_ro("n_channels", &Battery::n_channels,
                   "Input channels without rules: 1 + 2 n_ring.")
      .def_prop_ro("n_rules", &Battery::n_rules, "Columns of a dense rule input.")
      .def_prop_ro("n_rule_slots", &Battery::n_rule_slots, "Rule inputs that are on at a time.")
      .def_prop_ro("n_classes", &Battery::n_classes,
                   "Classes: 0 is fixate, 1 + k respond in direction k; 1 + n_ring in all.")
      .def_prop_ro(
          "n_ring", [](const Battery& b) { return b.config().n_ring; }, "Directions on the ring.")
      .def_prop_ro(
          "dt", [](const Battery& b) { return b.config().dt; }, "Time step, ms.")
      .def(
          "n_steps", [](const Battery& b, double ms) { return b.n_steps({ms}); }, "ms"_a,
          "Whole steps of a duration, as the trials of this battery count them.")
      .def_prop_ro("noise_deviation", &Battery::noise_deviation,
                   "Standard deviation of the input noise per step and channel.")
      .def_prop_ro(
          "config", [](const Battery& b) { return to_dict(write_config(b.config())); },
          "Every keyword with its value.")
      .def("__reduce__", &reduce_battery)
      .def(
          "__eq__",
          [](const Battery& a, const Battery& b) { return identity_of(a) == identity_of(b); },
          nb::is_operator())
      .def("__hash__", [](const Battery& b) { return std::hash<std::string>{}(identity_of(b)); })
      .def("ceilings", &ceilings_of, nb::kw_only(), "seed"_a, "n_trials"_a = 20000, "threads"_a = 0,
           "For every task, the scores that an ideal observer would reach (Ceiling).")
      // Defined in Python, but attached here, so that every battery has it.
      .def(
          "stream",
          [](const nb::object& self, const nb::kwargs& options) {
            return nb::module_::import_("lmrnn.stream").attr("Stream")(self, **options);
          },
          nb::sig("def stream(self, *, batch: int = 64, steps: int = 350, seed: int, "
                  "split: str = 'train', layout: str = 'time-major', rules: str = 'dense', "
                  "weights: collections.abc.Mapping[str, float] | None = None, "
                  "mode: str = 'restart', trials_per_task: int = 0, first: int = 0) "
                  "-> lmrnn.stream.Stream"),
          "Batches for training without end: lmrnn.Stream with this battery.")
      .def(
          "trials",
          [](const nb::object& self, const nb::args& arguments, const nb::kwargs& options) {
            return nb::module_::import_("lmrnn._core")
                .attr("draw_trials")(self, *arguments, **options);
          },
          nb::sig("def trials(self, task: str | int, n: int, *, seed: int, split: str = 'test', "
                  "first: int = 0) -> TrialBatch"),
          "Trials number first ... first + n - 1 of a task (name or number) in a split.")
      .def("__repr__", [](const Battery& b) {
        return fmt::format("Battery({:?}, {} tasks, n_ring={}, dt={} ms)", b.config().tasks,
                           b.tasks().size(), b.config().n_ring, b.config().dt);
      });
  refuse_other_arguments(battery, "Battery");
}

}  // namespace lmrnn::python
