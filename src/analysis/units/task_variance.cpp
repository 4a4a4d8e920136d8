#include "analysis/units/task_variance.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "analysis/simulate.hpp"
#include "analysis/work.hpp"

namespace lmrnn {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

VectorXd variance_in(const Subject& subject, std::size_t task, std::size_t n_trials, Seed seed) {
  const TrialBatch trials = test_trials(subject.battery, task, n_trials, seed, false);
  const Simulation run = simulate(subject.network, subject.battery, trials);
  VectorXd sum = VectorXd::Zero(static_cast<Index>(run.n_units));
  double n_steps = 0;
  std::vector<double> mean(run.n_units), square(run.n_units);
  for (std::size_t p = 1; p < n_periods; ++p)  // fixation is the same in all trials
    for (std::int32_t step = 0;; ++step) {
      std::vector<std::pair<std::size_t, std::size_t>> at;  // (time, trial)
      for (std::size_t k = 0; k < n_trials; ++k) {
        const PeriodSpan span = span_of(trials, k, static_cast<Period>(p));
        if (span.first + step < span.last)
          at.emplace_back(static_cast<std::size_t>(span.first + step), k);
      }
      if (at.size() < 2) break;
      // Weighted by the number of trials that last long enough.
      const auto n = static_cast<double>(at.size());
      for (std::size_t i = 0; i < run.n_units; ++i) {
        double m = 0, s = 0;
        for (const auto& [t, k] : at) m += run.rate(t, i, k);
        m /= n;
        for (const auto& [t, k] : at) {
          const double d = run.rate(t, i, k) - m;
          s += d * d;
        }
        sum[static_cast<Index>(i)] += s;
      }
      n_steps += n;
    }
  return n_steps > 0 ? VectorXd(sum / n_steps) : sum;
}

double square_distance(const MatrixXd& a, Index i, const MatrixXd& b, Index j) {
  return (a.row(i) - b.row(j)).squaredNorm();
}

// k-means++: each new centre is a row drawn with probability proportional to its squared distance
// from the nearest centre so far.
MatrixXd first_centres(const MatrixXd& rows, std::size_t k, const Key& key) {
  MatrixXd centres(static_cast<Index>(k), rows.cols());
  centres.row(0) = rows.row(integer(key, 0, static_cast<std::uint32_t>(rows.rows())));
  std::vector<double> nearest(static_cast<std::size_t>(rows.rows()),
                              std::numeric_limits<double>::infinity());
  for (std::size_t c = 1; c < k; ++c) {
    double total = 0;
    for (Index i = 0; i < rows.rows(); ++i) {
      auto& d = nearest[static_cast<std::size_t>(i)];
      d = std::min(d, square_distance(rows, i, centres, static_cast<Index>(c - 1)));
      total += d;
    }
    double left = uniform(key, static_cast<std::uint32_t>(c)) * total;
    Index chosen = 0;
    for (Index i = 0; i < rows.rows(); ++i) {
      chosen = i;
      left -= nearest[static_cast<std::size_t>(i)];
      if (left <= 0) break;
    }
    centres.row(static_cast<Index>(c)) = rows.row(chosen);
  }
  return centres;
}

Clustering lloyd(const MatrixXd& rows, MatrixXd centres) {
  Clustering result;
  result.n_clusters = static_cast<std::size_t>(centres.rows());
  result.label.assign(static_cast<std::size_t>(rows.rows()), 0);
  for (int iteration = 0; iteration < 200; ++iteration) {
    bool changed = iteration == 0;
    result.within = 0;
    for (Index i = 0; i < rows.rows(); ++i) {
      Index best = 0;
      const double d = (centres.rowwise() - rows.row(i)).rowwise().squaredNorm().minCoeff(&best);
      auto& label = result.label[static_cast<std::size_t>(i)];
      changed = changed || label != static_cast<std::size_t>(best);
      label = static_cast<std::size_t>(best);
      result.within += d;
    }
    if (!changed) break;
    MatrixXd sums = MatrixXd::Zero(centres.rows(), centres.cols());
    VectorXd counts = VectorXd::Zero(centres.rows());
    for (Index i = 0; i < rows.rows(); ++i) {
      const auto label = static_cast<Index>(result.label[static_cast<std::size_t>(i)]);
      sums.row(label) += rows.row(i);
      counts[label] += 1;
    }
    for (Index c = 0; c < centres.rows(); ++c)
      if (counts[c] > 0) centres.row(c) = sums.row(c) / counts[c];
  }
  return result;
}

// Numbers clusters by size, the largest first, and removes empty ones.
void order_by_size(Clustering& clustering) {
  std::vector<std::size_t> size(clustering.n_clusters, 0), order(clustering.n_clusters);
  for (const std::size_t l : clustering.label) ++size[l];
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return size[a] > size[b]; });
  std::vector<std::size_t> rank(order.size());
  for (std::size_t r = 0; r < order.size(); ++r) rank[order[r]] = r;
  for (std::size_t& l : clustering.label) l = rank[l];
  clustering.n_clusters =
      static_cast<std::size_t>(std::ranges::count_if(size, [](std::size_t n) { return n > 0; }));
}

}  // namespace

MatrixXd task_variance(const Subject& subject, const std::vector<std::size_t>& tasks,
                       std::size_t n_trials, const AnalysisContext& context) {
  MatrixXd variance(static_cast<Index>(subject.network.architecture().n_units()),
                    static_cast<Index>(tasks.size()));
  for_each_item(context, tasks.size(), "task", [&](std::size_t i) {
    variance.col(static_cast<Index>(i)) = variance_in(subject, tasks[i], n_trials, context.seed);
  });
  return variance;
}

Clustering k_means(const MatrixXd& rows, std::size_t k, std::size_t n_starts, Seed seed) {
  Clustering best;
  for (std::size_t s = 0; s < n_starts; ++s) {
    const Key key{seed, RandomPurpose::statistics, Split::test, static_cast<std::uint32_t>(100 + k),
                  static_cast<std::uint32_t>(s)};
    Clustering now = lloyd(rows, first_centres(rows, k, key));
    if (s == 0 || now.within < best.within) best = std::move(now);
  }
  order_by_size(best);
  return best;
}

double silhouette(const MatrixXd& rows, const std::vector<std::size_t>& label) {
  const std::size_t n_clusters = 1 + *std::ranges::max_element(label);
  std::vector<double> size(n_clusters, 0);
  for (const std::size_t l : label) ++size[l];
  double total = 0;
  for (Index i = 0; i < rows.rows(); ++i) {
    std::vector<double> sum(n_clusters, 0);
    const VectorXd distance = (rows.rowwise() - rows.row(i)).rowwise().norm();
    for (Index j = 0; j < rows.rows(); ++j) sum[label[static_cast<std::size_t>(j)]] += distance[j];
    const std::size_t own = label[static_cast<std::size_t>(i)];
    if (size[own] < 2) continue;
    const double a = sum[own] / (size[own] - 1);
    double b = std::numeric_limits<double>::infinity();
    for (std::size_t c = 0; c < n_clusters; ++c)
      if (c != own && size[c] > 0) b = std::min(b, sum[c] / size[c]);
    if (std::isfinite(b) && std::max(a, b) > 0) total += (b - a) / std::max(a, b);
  }
  return total / static_cast<double>(rows.rows());
}

ChosenClustering choose_clusters(const MatrixXd& rows, std::size_t most, std::size_t n_starts,
                                 const AnalysisContext& context) {
  const auto n = static_cast<std::size_t>(rows.rows());
  most = std::min(most, n > 0 ? n - 1 : 0);
  ChosenClustering chosen;
  if (most < 2) {
    chosen.clustering.label.assign(n, 0);
    chosen.clustering.n_clusters = n > 0 ? 1 : 0;
    return chosen;
  }
  std::vector<Clustering> candidates(most - 1);
  chosen.silhouettes.resize(most - 1);
  for_each_item(context, most - 1, "number of clusters", [&](std::size_t i) {
    candidates[i] = k_means(rows, i + 2, n_starts, context.seed);
    chosen.silhouettes[i] = silhouette(rows, candidates[i].label);
  });
  const auto best = std::ranges::max_element(chosen.silhouettes) - chosen.silhouettes.begin();
  chosen.clustering = std::move(candidates[static_cast<std::size_t>(best)]);
  return chosen;
}

ActiveUnits active_units(const MatrixXd& variance, double threshold) {
  ActiveUnits active;
  for (Index i = 0; i < variance.rows(); ++i)
    if (variance.row(i).sum() > threshold) active.units.push_back(static_cast<std::uint32_t>(i));
  active.normalised.resize(static_cast<Index>(active.units.size()), variance.cols());
  for (std::size_t r = 0; r < active.units.size(); ++r) {
    const auto row = variance.row(active.units[r]);
    active.normalised.row(static_cast<Index>(r)) = row / row.maxCoeff();
  }
  return active;
}

}  // namespace lmrnn
