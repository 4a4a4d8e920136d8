// modularity: of the weights compared with weights permuted within the mask, and of the functional
// graph; do the two agree? Also small-worldness of the mask.
#include <Eigen/Core>
#include <algorithm>
#include <cmath>

#include "analysis/catalogue.hpp"
#include "analysis/entry.hpp"
#include "analysis/numerics/communities.hpp"
#include "analysis/numerics/dynamics.hpp"
#include "analysis/numerics/numerics.hpp"
#include "analysis/numerics/representation.hpp"
#include "analysis/simulate.hpp"
#include "analysis/work.hpp"
#include "lmrnn/wiring.hpp"

namespace lmrnn {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

struct ModularityOptions {
  std::string tasks;
  std::int64_t trials = 10;
  double correlation = 0.1;
  std::int64_t starts = 5, permutations = 19;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("tasks", self.tasks, "which tasks; empty: all that the network was trained on");
    field("trials", self.trials, "trials per task for the correlations", between(1, 100000));
    field("correlation", self.correlation, "weaker correlations of activity are no edges",
          between(0, 1));
    field("starts", self.starts, "orders of the nodes that are tried", between(1, 1000));
    field("permutations", self.permutations, "for each null", between(1, 100000));
  }
};

Key key_of(Seed seed, std::uint32_t what) {
  return {seed, RandomPurpose::statistics, Split::test, 5000 + what, 0};
}

// |W| + |W^T|, without autapses.
Graph weight_graph(const Network& network) {
  const SparseMatrix w = recurrent_matrix(network).cwiseAbs();
  const SparseMatrix both = w + SparseMatrix(w.transpose());
  Graph graph(static_cast<std::size_t>(both.rows()));
  for (Index i = 0; i < both.outerSize(); ++i)
    for (SparseMatrix::InnerIterator it(both, i); it; ++it)
      if (it.col() > it.row())
        graph.connect(static_cast<std::uint32_t>(it.row()), static_cast<std::uint32_t>(it.col()),
                      it.value());
  return graph;
}

// Correlation of activity of every pair of units i < j, row by row; 0 if one of them is constant.
std::vector<double> correlations(const MatrixXd& activity) {
  MatrixXd z = activity.rowwise() - activity.colwise().mean();
  for (Index i = 0; i < z.cols(); ++i) {
    const double norm = z.col(i).norm();
    if (norm > 1e-9)
      z.col(i) /= norm;
    else
      z.col(i).setZero();
  }
  const MatrixXd r = z.transpose() * z;
  std::vector<double> pairs;
  for (Index i = 0; i < r.rows(); ++i)
    for (Index j = i + 1; j < r.cols(); ++j) pairs.push_back(r(i, j));
  return pairs;
}

// A graph of the pairs whose correlation exceeds `least`.
Graph functional_graph(std::size_t n_units, const std::vector<double>& pairs, double least) {
  Graph graph(n_units);
  std::size_t pair = 0;
  for (std::uint32_t i = 0; i < n_units; ++i)
    for (std::uint32_t j = i + 1; j < n_units; ++j, ++pair)
      if (pairs[pair] > least) graph.connect(i, j, pairs[pair]);
  return graph;
}

// (sample, unit): activity in trials of all tasks, every second step after fixation.
MatrixXd sample_activity(const Subject& subject, const std::vector<std::size_t>& tasks,
                         std::size_t n_trials, const AnalysisContext& context) {
  std::vector<MatrixXd> parts(tasks.size());
  for_each_item(context, tasks.size(), "task", [&](std::size_t i) {
    const TrialBatch trials = test_trials(subject.battery, tasks[i], n_trials, context.seed, false);
    const Simulation run = simulate(subject.network, subject.battery, trials);
    std::vector<Eigen::VectorXd> rows;
    for (std::size_t k = 0; k < n_trials; ++k)
      for (auto t = span_of(trials, k, Period::fixation).last; t < trials.lengths[k]; t += 2)
        rows.push_back(run.rates_at(static_cast<std::size_t>(t), k));
    parts[i].resize(static_cast<Index>(rows.size()), static_cast<Index>(run.n_units));
    for (std::size_t r = 0; r < rows.size(); ++r)
      parts[i].row(static_cast<Index>(r)) = rows[r].transpose();
  });
  return stacked(parts);
}

void add_graph(Table& table, const std::string& name, const Communities& found,
               const std::vector<double>& null, const std::string& null_name) {
  const double mean = mean_of(null), deviation = deviation_of(null);
  double as_high = 1;
  for (const double q : null) as_high += q >= found.modularity;
  table.add({name, static_cast<std::int64_t>(found.n), found.modularity, null_name, mean, deviation,
             deviation > 0 ? (found.modularity - mean) / deviation : nan,
             as_high / static_cast<double>(null.size() + 1)});
}

AnalysisResult modularity(const Subject& subject, const ModularityOptions& options,
                          const AnalysisContext& context) {
  const auto n_starts = static_cast<std::size_t>(options.starts);
  const auto n_null = static_cast<std::size_t>(options.permutations);
  const Communities by_weight =
      find_communities(weight_graph(subject.network), n_starts, key_of(context.seed, 0));
  std::vector<double> weight_null(n_null);
  for_each_item(context, n_null, "permuted weights", [&](std::size_t p) {
    // Number 0 is the network of `--control shuffled-weights`.
    const auto number = 1 + static_cast<std::uint32_t>(p);
    const Subject shuffled = make_control(subject, Control::shuffled_weights, context.seed, number);
    weight_null[p] =
        find_communities(weight_graph(shuffled.network), n_starts, key_of(context.seed, number))
            .modularity;
  });
  const std::vector<std::size_t> tasks = chosen_tasks(subject.battery, options.tasks);
  const MatrixXd activity =
      sample_activity(subject, tasks, static_cast<std::size_t>(options.trials), context);
  const auto n_units = static_cast<std::size_t>(activity.cols());
  const std::vector<double> pairs = correlations(activity);
  const Communities by_function = find_communities(
      functional_graph(n_units, pairs, options.correlation), n_starts, key_of(context.seed, 1000));
  std::vector<double> function_null(n_null);
  for_each_item(context, n_null, "permuted correlations", [&](std::size_t p) {
    const auto number = static_cast<std::uint32_t>(p);
    const auto order = permutation(pairs.size(), key_of(context.seed, 2000 + number));
    std::vector<double> permuted;
    for (const std::uint32_t from : order) permuted.push_back(pairs[from]);
    function_null[p] = find_communities(functional_graph(n_units, permuted, options.correlation),
                                        n_starts, key_of(context.seed, 3000 + number))
                           .modularity;
  });

  Table table{
      "modularity",
      {"graph", "communities", "modularity", "null", "null_mean", "null_deviation", "z", "p"},
      {},
      "Modularity of the weights and of the correlations of activity"};
  add_graph(table, "weights", by_weight, weight_null, "weights permuted within the mask");
  add_graph(table, "activity", by_function, function_null, "correlations permuted among pairs");

  const Mask& mask = subject.network.architecture().recurrent;
  const Sheet& sheet = subject.trained.sheet;
  Table small_world{"small_world",
                    {"mask", "clustering", "mean_path_length"},
                    {},
                    "Small-worldness of the mask: clustering and path length against a random "
                    "mask of the same degrees"};
  double sigma = nan;
  if (sheet.n_units() == mask.n_targets()) {
    const MaskStatistics own = mask_statistics(mask, sheet);
    small_world.add({std::string("own"), own.clustering, own.mean_path_length});
    if (!mask.is_dense() && !mask.is_diagonal()) {
      const MaskStatistics random = mask_statistics(shuffled_mask(mask, context.seed), sheet);
      small_world.add({std::string("shuffled"), random.clustering, random.mean_path_length});
      sigma = own.clustering / random.clustering / (own.mean_path_length / random.mean_path_length);
    }
  }
  Table units{"units", {"unit", "by_weight", "by_activity"}, {}, "Communities of units"};
  for (std::size_t i = 0; i < by_weight.of.size(); ++i)
    units.add({static_cast<std::int64_t>(i), static_cast<std::int64_t>(by_weight.of[i]),
               static_cast<std::int64_t>(by_function.of[i])});
  AnalysisResult result;
  result.headline("modularity_weights", by_weight.modularity);
  result.headline("modularity_weights_null", mean_of(weight_null));
  result.headline("modularity_activity", by_function.modularity);
  result.headline("modularity_activity_null", mean_of(function_null));
  result.headline("agreement_adjusted_rand", adjusted_rand(by_weight.of, by_function.of));
  result.headline("small_worldness", sigma);
  if (sheet.areas && sheet.n_units() == mask.n_targets()) {
    std::vector<std::uint32_t> areas;
    for (std::size_t i = 0; i < sheet.n_units(); ++i)
      areas.push_back(static_cast<std::uint32_t>(sheet.area_of(i)));
    result.headline("weights_and_areas_adjusted_rand", adjusted_rand(by_weight.of, areas));
    result.headline("activity_and_areas_adjusted_rand", adjusted_rand(by_function.of, areas));
  }
  result.tables = {std::move(table), std::move(small_world), std::move(units)};
  return result;
}

}  // namespace

AnalysisEntry modularity_entry() {
  return analysis_entry<ModularityOptions, modularity>(
      "modularity", "modularity of weights and of activity, against nulls; small-worldness");
}

}  // namespace lmrnn
