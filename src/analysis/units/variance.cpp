// variance: which units take part in which task, in which groups, and what each group is for.
#include <fmt/core.h>

#include <algorithm>

#include "analysis/catalogue.hpp"
#include "analysis/entry.hpp"
#include "analysis/numerics/numerics.hpp"
#include "analysis/units/task_variance.hpp"
#include "analysis/work.hpp"
#include "lmrnn/lesion.hpp"

namespace lmrnn {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

struct VarianceOptions {
  std::string tasks;
  std::int64_t trials = 200;
  double active = 1e-3;
  std::int64_t most_clusters = 20, starts = 5;
  bool lesions = true;
  std::int64_t lesion_trials = 200;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("tasks", self.tasks, "which tasks; empty: all that the network was trained on");
    field("trials", self.trials, "trials per task for the variance", between(2, 100000));
    field("active", self.active, "units whose variance over all tasks is at most this are left out",
          at_least(0));
    field("most_clusters", self.most_clusters, "largest number of clusters that is tried",
          between(2, 1000));
    field("starts", self.starts, "starts of k-means for each number", between(1, 1000));
    field("lesions", self.lesions, "remove each cluster, and as many random units");
    field("lesion_trials", self.lesion_trials, "held-out trials per task and lesion",
          between(1, 1000000));
  }
};

std::vector<std::uint32_t> members(const ActiveUnits& active, const Clustering& clustering,
                                   std::size_t cluster) {
  std::vector<std::uint32_t> units;
  for (std::size_t r = 0; r < active.units.size(); ++r)
    if (clustering.label[r] == cluster) units.push_back(active.units[r]);
  return units;
}

void add_units(const Subject& subject, const std::vector<std::size_t>& tasks,
               const MatrixXd& variance, const ActiveUnits& active, const Clustering& clustering,
               AnalysisResult& result) {
  std::vector<std::int64_t> label(static_cast<std::size_t>(variance.rows()), -1);
  for (std::size_t r = 0; r < active.units.size(); ++r)
    label[active.units[r]] = static_cast<std::int64_t>(clustering.label[r]);
  Table table{"units", {"unit", "cluster", "total_variance", "preferred_task"}, {}, "Units"};
  for (Index i = 0; i < variance.rows(); ++i) {
    Index best = 0;
    variance.row(i).maxCoeff(&best);
    table.add({static_cast<std::int64_t>(i), label[static_cast<std::size_t>(i)],
               variance.row(i).sum(),
               subject.battery.tasks()[tasks[static_cast<std::size_t>(best)]].name()});
  }
  result.tables.push_back(std::move(table));
  using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Rows rows = variance;
  Recording recording;
  recording.name = "variance";
  recording.add<double>("task_variance", {rows.data(), static_cast<std::size_t>(rows.size())},
                        {static_cast<std::size_t>(rows.rows()), tasks.size()}, {"unit", "task"});
  recording.add<std::int64_t>("cluster", label, {label.size()}, {"unit"});
  std::string names;
  for (std::size_t i = 0; i < tasks.size(); ++i)
    names += (i ? "," : "") + subject.battery.tasks()[tasks[i]].name();
  recording.file.metadata["tasks"] = names;
  result.recordings.push_back(std::move(recording));
}

// Mean normalised variance (cluster x task).
MatrixXd cluster_means(const ActiveUnits& active, const Clustering& clustering) {
  const auto n = static_cast<Index>(clustering.n_clusters);
  MatrixXd sum = MatrixXd::Zero(n, active.normalised.cols());
  Eigen::VectorXd units = Eigen::VectorXd::Zero(n);
  for (std::size_t r = 0; r < active.units.size(); ++r) {
    const auto c = static_cast<Index>(clustering.label[r]);
    sum.row(c) += active.normalised.row(static_cast<Index>(r));
    ++units[c];
  }
  return sum.array().colwise() / units.array();
}

Table cluster_table(const Subject& subject, const std::vector<std::size_t>& tasks,
                    const ActiveUnits& active, const Clustering& clustering,
                    const MatrixXd& means) {
  Table table{"clusters",
              {"cluster", "units", "task", "variance"},
              {},
              "Mean normalised task variance by cluster"};
  for (std::size_t c = 0; c < clustering.n_clusters; ++c)
    for (std::size_t t = 0; t < tasks.size(); ++t)
      table.add({static_cast<std::int64_t>(c),
                 static_cast<std::int64_t>(members(active, clustering, c).size()),
                 subject.battery.tasks()[tasks[t]].name(),
                 means(static_cast<Index>(c), static_cast<Index>(t))});
  return table;
}

// Table and headlines: the cost of a lesion of a cluster, on its own tasks (those in which no other
// cluster varies more) and on the others.
void add_lesions(const Subject& subject, const std::vector<std::size_t>& tasks,
                 const ActiveUnits& active, const Clustering& clustering, const MatrixXd& means,
                 const VarianceOptions& options, const AnalysisContext& context,
                 AnalysisResult& result) {
  const Evaluator evaluator(subject.battery, context.seed, Split::test,
                            static_cast<std::size_t>(options.lesion_trials), context.pool, tasks);
  const auto n_units = subject.network.architecture().n_units();
  const std::size_t n = clustering.n_clusters;
  // The intact network, then for each cluster its lesion and one of as many random units.
  std::vector<Evaluation> scores(1 + 2 * n);
  for_each_in_turn(context, scores.size(), "lesion", [&](std::size_t i) {
    if (i == 0) {
      scores[0] = evaluator.evaluate(subject.network, context.pool);
      return;
    }
    const std::size_t c = (i - 1) / 2;
    std::vector<std::uint32_t> units = members(active, clustering, c);
    if (i % 2 == 0)
      units = random_units(n_units, units.size(), context.seed, static_cast<std::uint32_t>(c));
    scores[i] = evaluator.evaluate(without_units(subject.network, units), context.pool);
  });
  Table table{"lesions",
              {"cluster", "units", "task", "intact", "cost", "random_cost"},
              {},
              "Points of accuracy lost without a cluster of units"};
  double own[2] = {}, others[2] = {};  // by a cluster, by random units
  for (std::size_t c = 0; c < n; ++c)
    for (std::size_t t = 0; t < tasks.size(); ++t) {
      const double intact = scores[0].tasks[t].decision_accuracy;
      Index owner = 0;
      means.col(static_cast<Index>(t)).maxCoeff(&owner);
      double cost[2];
      for (std::size_t k = 0; k < 2; ++k) {
        cost[k] = 100 * (intact - scores[1 + 2 * c + k].tasks[t].decision_accuracy);
        (static_cast<std::size_t>(owner) == c ? own : others)[k] += cost[k];
      }
      table.add({static_cast<std::int64_t>(c),
                 static_cast<std::int64_t>(members(active, clustering, c).size()),
                 scores[0].tasks[t].name, intact, cost[0], cost[1]});
    }
  result.tables.push_back(std::move(table));
  const auto n_own = static_cast<double>(tasks.size());
  const double n_others = n_own * static_cast<double>(n - 1);
  result.headline("cost_on_own_tasks", own[0] / n_own);
  result.headline("random_cost_on_own_tasks", own[1] / n_own);
  if (n > 1) {
    result.headline("cost_on_other_tasks", others[0] / n_others);
    result.headline("random_cost_on_other_tasks", others[1] / n_others);
  }
}

// (TV(a) - TV(b)) / (TV(a) + TV(b)) over units: how units divide two tasks between them.
Table fractional_table(const Subject& subject, const std::vector<std::size_t>& tasks,
                       const MatrixXd& variance, const ActiveUnits& active) {
  constexpr std::size_t n_bins = 20;
  Table table{"fractional_variance",
              {"task_a", "task_b", "units", "mean_absolute", "shared", "exclusive"},
              {},
              "Distribution over units of the fractional task variance of pairs of tasks"};
  for (std::size_t a = 0; a < tasks.size(); ++a)
    for (std::size_t b = a + 1; b < tasks.size(); ++b) {
      double n = 0, sum = 0, shared = 0, exclusive = 0;
      for (const std::uint32_t u : active.units) {
        const double va = variance(u, static_cast<Index>(a)),
                     vb = variance(u, static_cast<Index>(b));
        if (va + vb <= 0) continue;
        const double fraction = std::abs(va - vb) / (va + vb);
        ++n;
        sum += fraction;
        shared += fraction < 1.0 / 3;
        exclusive += fraction > 1 - 2.0 / n_bins;
      }
      table.add({subject.battery.tasks()[tasks[a]].name(), subject.battery.tasks()[tasks[b]].name(),
                 static_cast<std::int64_t>(n), sum / n, shared / n, exclusive / n});
    }
  return table;
}

AnalysisResult variance(const Subject& subject, const VarianceOptions& options,
                        const AnalysisContext& context) {
  const std::vector<std::size_t> tasks = chosen_tasks(subject.battery, options.tasks);
  const MatrixXd tv =
      task_variance(subject, tasks, static_cast<std::size_t>(options.trials), context);
  const ActiveUnits active = active_units(tv, options.active);
  const ChosenClustering chosen =
      choose_clusters(active.normalised, static_cast<std::size_t>(options.most_clusters),
                      static_cast<std::size_t>(options.starts), context);
  AnalysisResult result;
  result.headline("active_units", static_cast<std::int64_t>(active.units.size()));
  result.headline("clusters", static_cast<std::int64_t>(chosen.clustering.n_clusters));
  double best = 0;
  Table silhouettes{
      "silhouettes", {"clusters", "silhouette"}, {}, "Silhouette by number of clusters"};
  for (std::size_t i = 0; i < chosen.silhouettes.size(); ++i) {
    silhouettes.add({static_cast<std::int64_t>(i + 2), chosen.silhouettes[i]});
    best = std::max(best, chosen.silhouettes[i]);
  }
  result.headline("silhouette", best);
  const MatrixXd means = cluster_means(active, chosen.clustering);
  result.tables = {std::move(silhouettes),
                   cluster_table(subject, tasks, active, chosen.clustering, means),
                   fractional_table(subject, tasks, tv, active)};
  if (options.lesions && chosen.clustering.n_clusters > 0)
    add_lesions(subject, tasks, active, chosen.clustering, means, options, context, result);
  add_units(subject, tasks, tv, active, chosen.clustering, result);
  return result;
}

}  // namespace

AnalysisEntry variance_entry() {
  return analysis_entry<VarianceOptions, variance>(
      "variance", "task variance of units, their clusters, and what each cluster is for");
}

}  // namespace lmrnn
