// confusion: counts of (right class, answered class) over the steps of decision periods.
#include <algorithm>

#include "analysis/catalogue.hpp"
#include "analysis/entry.hpp"
#include "analysis/simulate.hpp"
#include "analysis/work.hpp"

namespace lmrnn {
namespace {

struct ConfusionOptions {
  std::string tasks;
  std::int64_t trials = 500;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("tasks", self.tasks, "which tasks; empty: all that the network was trained on");
    field("trials", self.trials, "held-out trials per task", between(1, 1000000));
  }
};

AnalysisResult confusion(const Subject& subject, const ConfusionOptions& options,
                         const AnalysisContext& context) {
  const std::vector<std::size_t> tasks = chosen_tasks(subject.battery, options.tasks);
  const std::size_t n = subject.battery.n_classes();
  std::vector<std::int64_t> counts(tasks.size() * n * n, 0);
  for_each_item(context, tasks.size(), "task", [&](std::size_t i) {
    std::int64_t* matrix = counts.data() + i * n * n;
    const TrialBatch trials = test_trials(
        subject.battery, tasks[i], static_cast<std::size_t>(options.trials), context.seed, true);
    const Simulation run = simulate(subject.network, subject.battery, trials);
    for (std::size_t k = 0; k < trials.n_trials; ++k) {
      const PeriodSpan decision = span_of(trials, k, Period::decision);
      for (auto step = decision.first; step < decision.last; ++step) {
        const auto t = static_cast<std::size_t>(step);
        const auto right = static_cast<std::size_t>(trials.targets[trials.index(t, k)]);
        ++matrix[right * n + static_cast<std::size_t>(run.answer(t, k))];
      }
    }
  });
  // Kinds of wrong answers: by distance round the ring, or fixation.
  Table errors{"errors",
               {"task", "accuracy", "fixated", "answered_instead_of_fixating", "one_off",
                "further_off", "opposite"},
               {},
               "Wrong answers by kind, as shares of all steps of the decision"};
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    double total = 0, right = 0, fixated = 0, answered = 0, one = 0, further = 0, opposite = 0;
    for (std::size_t a = 0; a < n; ++a)
      for (std::size_t b = 0; b < n; ++b) {
        const auto count = static_cast<double>(counts[(i * n + a) * n + b]);
        const std::size_t apart = a > b ? a - b : b - a;
        const std::size_t distance = std::min(apart, n - 1 - apart);
        total += count;
        if (a == b)
          right += count;
        else if (b == 0)
          fixated += count;
        else if (a == 0)
          answered += count;
        else if (distance == 1)
          one += count;
        else if (distance == (n - 1) / 2)
          opposite += count;
        else
          further += count;
      }
    errors.add({subject.battery.tasks()[tasks[i]].name(), right / total, fixated / total,
                answered / total, one / total, further / total, opposite / total});
  }
  Recording recording;
  recording.name = "confusion";
  for (std::size_t i = 0; i < tasks.size(); ++i)
    recording.add<std::int64_t>(subject.battery.tasks()[tasks[i]].name(),
                                std::span(counts).subspan(i * n * n, n * n), {n, n},
                                {"right", "answered"});
  AnalysisResult result;
  result.headline("tasks", static_cast<std::int64_t>(tasks.size()));
  result.headline("trials_per_task", options.trials);
  result.tables.push_back(std::move(errors));
  result.recordings.push_back(std::move(recording));
  return result;
}

}  // namespace

AnalysisEntry confusion_entry() {
  return analysis_entry<ConfusionOptions, confusion>("confusion",
                                                     "which direction is answered for which");
}

}  // namespace lmrnn
