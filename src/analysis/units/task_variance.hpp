// Task variance (Yang et al., Nature Neuroscience 22:297, 2019), and clusters of units.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "lmrnn/analysis.hpp"

namespace lmrnn {

/// (unit, task): variance of a unit's activity across trials of a task without noise, at equal
/// steps of equal periods, averaged over steps from the stimulus on.
Eigen::MatrixXd task_variance(const Subject& subject, const std::vector<std::size_t>& tasks,
                              std::size_t n_trials, const AnalysisContext& context);

struct Clustering {
  std::vector<std::size_t> label;  ///< by row; clusters in descending size
  std::size_t n_clusters = 0;
  double within = 0;  ///< sum of squared distances to the centres
};

/// k-means of the rows: the best of `n_starts` k-means++ starts.
Clustering k_means(const Eigen::MatrixXd& rows, std::size_t k, std::size_t n_starts, Seed seed);

/// Mean over rows of (b - a) / max(a, b), where a is the mean distance to the row's own cluster and
/// b that to the nearest other one (Rousseeuw 1987); a row alone in its cluster counts as 0.
double silhouette(const Eigen::MatrixXd& rows, const std::vector<std::size_t>& label);

/// Clustering with the highest silhouette, with 2 to `most` clusters.
struct ChosenClustering {
  Clustering clustering;
  std::vector<double> silhouettes;  ///< for 2, 3, ... clusters
};
ChosenClustering choose_clusters(const Eigen::MatrixXd& rows, std::size_t most,
                                 std::size_t n_starts, const AnalysisContext& context);

/// Rows of `variance` with a sum above `threshold`, each divided by its largest entry.
struct ActiveUnits {
  std::vector<std::uint32_t> units;
  Eigen::MatrixXd normalised;  ///< (active unit, task)
};
ActiveUnits active_units(const Eigen::MatrixXd& variance, double threshold);

}  // namespace lmrnn
