// pruning: a trained network without its weakest synapses, or without its least important units.
// Without retraining.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "analysis/catalogue.hpp"
#include "analysis/entry.hpp"
#include "analysis/numerics/numerics.hpp"
#include "analysis/units/task_variance.hpp"
#include "analysis/work.hpp"
#include "lmrnn/lesion.hpp"

namespace lmrnn {
namespace {

struct PruningOptions {
  std::string tasks;
  std::int64_t trials = 200;
  std::vector<double> fractions{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};
  double keep = 0.95;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("tasks", self.tasks, "which tasks; empty: all that the network was trained on");
    field("trials", self.trials, "held-out trials per task and network", between(1, 1000000));
    field("fractions", self.fractions, "shares of the recurrent synapses, or of the units, removed",
          between(0, 1));
    field("keep", self.keep, "the minimal pool keeps this share of the mean accuracy",
          between(0, 1));
  }
};

// Synapses by magnitude, weakest first.
std::vector<std::uint32_t> weakest_first(const Network& network) {
  const ParameterLayout& l = network.layout();
  const auto w = network.parameters().subspan(l.recurrent, l.n_recurrent);
  std::vector<std::uint32_t> order(w.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::stable_sort(order, {}, [&](std::uint32_t s) { return std::abs(w[s]); });
  return order;
}

// Units by the variance that they pass on: task variance times the sum of squares of the outgoing
// weights.
std::vector<std::uint32_t> least_important_first(const Subject& subject,
                                                 const std::vector<std::size_t>& tasks,
                                                 const AnalysisContext& context) {
  const Eigen::MatrixXd tv = task_variance(subject, tasks, 50, context);
  const Network& network = subject.network;
  const ParameterLayout& l = network.layout();
  const float* w = network.parameters().data();
  const std::size_t n = network.architecture().n_units();
  std::vector<double> out(n, 0);
  const auto sources = network.architecture().recurrent.sources();
  for (std::size_t s = 0; s < sources.size(); ++s)
    out[sources[s]] +=
        static_cast<double>(w[l.recurrent + s]) * static_cast<double>(w[l.recurrent + s]);
  for (std::size_t c = 0; c < network.architecture().n_classes; ++c)
    for (std::size_t i = 0; i < n; ++i) {
      const auto v = static_cast<double>(w[l.readout + c * n + i]);
      out[i] += v * v;
    }
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::stable_sort(order, {}, [&](std::uint32_t i) {
    return tv.row(static_cast<Eigen::Index>(i)).sum() * out[i];
  });
  return order;
}

std::size_t count_of(double fraction, std::size_t n) {
  return std::min(n, static_cast<std::size_t>(std::lround(fraction * static_cast<double>(n))));
}

AnalysisResult pruning(const Subject& subject, const PruningOptions& options,
                       const AnalysisContext& context) {
  const std::vector<std::size_t> tasks = chosen_tasks(subject.battery, options.tasks);
  const Evaluator evaluator(subject.battery, context.seed, Split::test,
                            static_cast<std::size_t>(options.trials), context.pool, tasks);
  const auto score = [&](const Network& network) {
    return evaluator.evaluate(network, context.pool);
  };
  const Evaluation intact = score(subject.network);
  const std::size_t n_synapses = subject.network.layout().n_recurrent;
  const std::size_t n_units = subject.network.architecture().n_units();
  const auto synapses = weakest_first(subject.network);
  const auto units = least_important_first(subject, tasks, context);
  const auto random =
      permutation(n_units, {context.seed, RandomPurpose::lesion, Split::test, 7, 0});

  Table curve{"curve",
              {"what", "removed_share", "removed", "mean_accuracy", "mean_share_of_ceiling",
               "worst_share_of_ceiling"},
              {},
              "Accuracy of the pruned network, without retraining"};
  Table by_task{"by_task",
                {"what", "removed_share", "task", "accuracy"},
                {},
                "Accuracy of the pruned network by task"};
  const auto add = [&](const std::string& what, double fraction, std::size_t n,
                       const Evaluation& e) {
    curve.add({what, fraction, static_cast<std::int64_t>(n), e.mean_accuracy(),
               e.mean_share_of_ceiling(), e.worst_share_of_ceiling()});
    for (const TaskScore& t : e.tasks) by_task.add({what, fraction, t.name, t.decision_accuracy});
  };
  for (const std::string what : {"weakest synapses", "least important units", "random units"})
    add(what, 0, 0, intact);
  for_each_in_turn(context, 3 * options.fractions.size(), "pruned network", [&](std::size_t i) {
    const double fraction = options.fractions[i / 3];
    if (i % 3 == 0) {
      const std::size_t n = count_of(fraction, n_synapses);
      add("weakest synapses", fraction, n,
          score(without_synapses(subject.network, std::span(synapses).first(n))));
    } else {
      const auto& order = i % 3 == 1 ? units : random;
      const std::size_t n = count_of(fraction, n_units);
      add(i % 3 == 1 ? "least important units" : "random units", fraction, n,
          score(without_units(subject.network, std::span(order).first(n))));
    }
  });

  // Finds the fewest units, in that order, that keep the accuracy, by bisection.
  std::size_t low = 0, high = n_units;  // `low` can be removed, `high` cannot
  const double least = options.keep * intact.mean_accuracy();
  const auto rounds = static_cast<std::size_t>(std::ceil(std::log2(static_cast<double>(n_units))));
  for_each_in_turn(context, rounds, "minimal pool", [&](std::size_t) {
    if (high - low <= 1) return;
    const std::size_t middle = (low + high) / 2;
    const double mean =
        score(without_units(subject.network, std::span(units).first(middle))).mean_accuracy();
    (mean >= least ? low : high) = middle;
  });
  Table pool{"minimal_pool", {"unit"}, {}, "Units of the minimal pool"};
  std::vector<std::uint32_t> kept(units.begin() + static_cast<std::ptrdiff_t>(low), units.end());
  std::ranges::sort(kept);
  for (const std::uint32_t u : kept) pool.add({static_cast<std::int64_t>(u)});
  AnalysisResult result;
  result.headline("intact_accuracy", intact.mean_accuracy());
  result.headline("minimal_pool", static_cast<std::int64_t>(kept.size()));
  result.headline("minimal_pool_share",
                  static_cast<double>(kept.size()) / static_cast<double>(n_units));
  result.tables = {std::move(curve), std::move(by_task), std::move(pool)};
  return result;
}

}  // namespace

AnalysisEntry pruning_entry() {
  return analysis_entry<PruningOptions, pruning>(
      "pruning", "accuracy without the weakest synapses and the least important units");
}

}  // namespace lmrnn
