#include "lmrnn/evaluate.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <span>

#include "bindings.hpp"
#include "interruption.hpp"
#include "network.hpp"
#include "pickling.hpp"
#include "seed_argument.hpp"

namespace lmrnn::python {
namespace {

Evaluation evaluate(nb::handle network, const Battery& battery, const SeedArgument& seed,
                    const std::string& split, std::size_t n_trials,
                    const std::vector<std::string>& tasks, double recurrent_noise, int threads) {
  const SharedNetwork shared = network_of(network);
  const auto which = named<Split>(split, "split");
  std::vector<std::size_t> indices;
  for (const std::string& name : tasks) indices.push_back(battery.index_of(name));
  if (indices.empty())
    for (std::size_t i = 0; i < battery.tasks().size(); ++i) indices.push_back(i);
  Evaluation all;
  Interruption interruption;
  {
    const nb::gil_scoped_release release;
    const std::shared_lock turn(shared.turns);
    ThreadPool pool(threads);
    // Some tasks at a time, so that Ctrl-C is seen in between; tasks know nothing of each other.
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
      .def_ro("reached", &TaskScore::reached, "decision_lower is at least 95% of the ceiling")
      .def_ro("solved", &TaskScore::solved, "reached at two evaluations in a row")
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
      .def("__len__", [](const Evaluation& e) { return e.tasks.size(); })
      .def("__repr__", [](const Evaluation& e) {
        return fmt::format("Evaluation({} tasks, accuracy {:.3f}, {:.1f}% of ceiling)",
                           e.tasks.size(), e.mean_accuracy(), 100 * e.mean_share_of_ceiling());
      });
  bind_pickling(evaluation);
  m.def("evaluate", &evaluate, "network"_a, "battery"_a, nb::kw_only(), "seed"_a,
        "split"_a = "test", "n_trials"_a = 1000, "tasks"_a = std::vector<std::string>{},
        "recurrent_noise"_a = 0.0, "threads"_a = 0,
        "Scores of a network on trials 0 ... n_trials - 1 of every task (or of `tasks`).");
}

}  // namespace lmrnn::python
