#include "lmrnn/evaluate.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <span>

#include "bindings.hpp"
#include "evaluate_callable.hpp"
#include "interruption.hpp"
#include "network.hpp"
#include "pickling.hpp"
#include "seed_argument.hpp"

namespace lmrnn::python {
namespace {

/// Indices of `names`; of all tasks if there are none.
std::vector<std::size_t> indices_of(const Battery& battery, const std::vector<std::string>& names) {
  std::vector<std::size_t> indices;
  for (const std::string& name : names) indices.push_back(battery.index_of(name));
  if (indices.empty())
    for (std::size_t i = 0; i < battery.tasks().size(); ++i) indices.push_back(i);
  return indices;
}

Evaluation evaluate(nb::handle network, const Battery& battery, const SeedArgument& seed,
                    const std::string& split, std::size_t n_trials,
                    const std::vector<std::string>& tasks, double recurrent_noise, int threads) {
  const SharedNetwork shared = network_of(network);
  const auto which = named<Split>(split, "split");
  const std::vector<std::size_t> indices = indices_of(battery, tasks);
  Evaluation all;
  Interruption interruption;
  {
    const nb::gil_scoped_release release;
    const std::shared_lock turn(shared.turns);
    ThreadPool pool(threads);
    // A few tasks at a time, so that Ctrl-C is noticed in between. Tasks are independent.
    const auto at_once = static_cast<std::size_t>(pool.n_threads());
    const std::span<const std::size_t> todo = indices;
    for (std::size_t i = 0; i < todo.size() && !interruption.asked(); i += at_once) {
      const auto part = todo.subspan(i, std::min(at_once, todo.size() - i));
      Evaluation some =
          Evaluator(battery, Seed(seed), which, n_trials, pool, {part.begin(), part.end()})
              .evaluate(shared.network, pool, recurrent_noise);
      std::ranges::move(some.tasks, std::back_inserter(all.tasks));
    }
  }
  interruption.rethrow();
  return all;
}

Evaluation evaluate_any(const nb::object& model, const Battery& battery, const SeedArgument& seed,
                        const std::string& split, std::size_t n_trials,
                        const std::vector<std::string>& tasks, int threads) {
  return evaluate_callable(model, battery, Seed(seed), named<Split>(split, "split"), n_trials,
                           indices_of(battery, tasks), threads);
}

const TaskScore& score_of(const Evaluation& e, const std::string& name) {
  const auto found = std::ranges::find(e.tasks, name, &TaskScore::name);
  if (found != e.tasks.end()) return *found;
  std::string all;
  for (const TaskScore& s : e.tasks) all += (all.empty() ? "" : ", ") + s.name;
  throw nb::key_error(
      fmt::format("no task \"{}\" in this evaluation; it has {}", name, all).c_str());
}

const TaskScore& score_at(const Evaluation& e, std::int64_t i) {
  const auto n = static_cast<std::int64_t>(e.tasks.size());
  if (i < -n || i >= n) throw nb::index_error("an evaluation has one score per task");
  return e.tasks[static_cast<std::size_t>(i < 0 ? i + n : i)];
}

/// The text that the Python package shows for an evaluation.
nb::object written(const char* function, const Evaluation& e) {
  return nb::module_::import_("lmrnn.evaluation").attr(function)(e);
}

}  // namespace

void bind_evaluate(nb::module_& m) {
  nb::class_<TaskScore> score(m, "TaskScore", "Scores of one task.");
  score.def_ro("name", &TaskScore::name)
      .def_ro("decision_accuracy", &TaskScore::decision_accuracy,
              "share of the steps of decision periods whose class is right")
      .def_ro("decision_lower", &TaskScore::decision_lower,
              "lower end of its 95% Wilson interval, trials as sample size")
      .def_ro("trial_accuracy", &TaskScore::trial_accuracy,
              "share of trials that are right throughout")
      .def_ro("trial_lower", &TaskScore::trial_lower)
      .def_ro("ceiling", &TaskScore::ceiling)
      .def_ro("share_of_ceiling", &TaskScore::share_of_ceiling)
      .def_prop_ro("n_trials", [](const TaskScore& s) { return s.counts.trials; })
      .def_ro("passed", &TaskScore::passed,
              "decision_lower is at least 95% of the ceiling, over at least 1000 trials")
      .def_prop_ro(
          "reached", [](const TaskScore& s) { return s.passed; }, "former name of passed")
      .def_ro("solved", &TaskScore::solved, "passed at two evaluations in a row")
      .def("__repr__", [](const TaskScore& s) {
        return fmt::format("TaskScore({}, {:.3f} of {:.3f})", s.name, s.decision_accuracy,
                           s.ceiling.decision_accuracy.value);
      });
  bind_pickling(score);
  nb::class_<Evaluation> evaluation(m, "Evaluation",
                                    "Scores of a network on held-out trials, by task.");
  evaluation.def_ro("tasks", &Evaluation::tasks)
      .def_prop_ro("mean_accuracy", &Evaluation::mean_accuracy)
      .def_prop_ro("mean_trial_accuracy", &Evaluation::mean_trial_accuracy)
      .def_prop_ro("mean_share_of_ceiling", &Evaluation::mean_share_of_ceiling)
      .def_prop_ro("worst_share_of_ceiling", &Evaluation::worst_share_of_ceiling)
      .def_prop_ro("n_solved", &Evaluation::n_solved)
      .def_prop_ro("n_passed", &Evaluation::n_passed)
      .def("__len__", [](const Evaluation& e) { return e.tasks.size(); })
      .def(
          "__iter__", [](const Evaluation& e) { return nb::iter(nb::cast(e.tasks)); },
          nb::sig("def __iter__(self) -> collections.abc.Iterator[TaskScore]"))
      .def("__getitem__", &score_of, "task"_a, "The score of a task, by its name.")
      .def("__getitem__", &score_at, "index"_a)
      .def(
          "to_pandas", [](const Evaluation& e) { return written("to_pandas", e); },
          nb::sig("def to_pandas(self) -> object"), "A DataFrame with a row per task.")
      .def(
          "__repr__", [](const Evaluation& e) { return written("as_text", e); },
          nb::sig("def __repr__(self) -> str"))
      .def(
          "_repr_html_", [](const Evaluation& e) { return written("as_html", e); },
          nb::sig("def _repr_html_(self) -> str"));
  bind_pickling(evaluation);
  m.def("evaluate", &evaluate, "network"_a, "battery"_a, nb::kw_only(), "seed"_a,
        "split"_a = "test", "n_trials"_a = 1000, "tasks"_a = std::vector<std::string>{},
        "recurrent_noise"_a = 0.0, "threads"_a = 0,
        "Scores of a network on trials 0 ... n_trials - 1 of every task (or of `tasks`).");
  m.def("_evaluate_callable", &evaluate_any, "model"_a, "battery"_a, "seed"_a, "split"_a,
        "n_trials"_a, "tasks"_a, "threads"_a);
}

}  // namespace lmrnn::python
