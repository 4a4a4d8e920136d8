#include "analysis/numerics/representation.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/simulate.hpp"

namespace lmrnn {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

MatrixXd centred(const MatrixXd& x) {
  return x.rowwise() - x.colwise().mean();
}

// A random orthogonal matrix with the given sign of its determinant.
MatrixXd random_orthogonal(Index n, bool reflect, const Key& key) {
  MatrixXd g(n, n);
  for (Index i = 0; i < g.size(); ++i) g.data()[i] = normal(key, static_cast<std::uint32_t>(i));
  MatrixXd q = Eigen::HouseholderQR<MatrixXd>(g).householderQ();
  if ((q.determinant() < 0) != reflect) q.col(0) *= -1;
  return q;
}

// Maximises <A, C B C^T> over orthogonal C by Riemannian gradient ascent. Steps are Cayley
// transforms, halved until the value grows.
double best_alignment(const MatrixXd& a, const MatrixXd& b, MatrixXd c) {
  double value = (a.transpose() * c * b * c.transpose()).trace();
  double step = 1;
  for (int i = 0; i < 500; ++i) {
    const MatrixXd gradient = a * c * b.transpose() + a.transpose() * c * b;
    const MatrixXd skew = gradient * c.transpose() - c * gradient.transpose();
    const double size = skew.norm();
    if (size < 1e-10 * (1 + std::abs(value))) break;
    bool improved = false;
    for (int halving = 0; halving < 30 && !improved; ++halving) {
      // Cayley transform: stays orthogonal, keeps the sign of the determinant.
      const MatrixXd half = skew * (step / (4 * std::max(size, 1e-12)));
      const MatrixXd identity = MatrixXd::Identity(c.rows(), c.cols());
      const MatrixXd next = (identity - half).partialPivLu().solve((identity + half) * c);
      const double next_value = (a.transpose() * next * b * next.transpose()).trace();
      if (next_value > value) {
        improved = next_value - value > 1e-12 * (1 + std::abs(value));
        c = next;
        value = next_value;
        step = std::min(step * 1.5, 4.0);
        if (!improved) return value;
      } else {
        step /= 2;
      }
    }
    if (!improved) break;
  }
  return value;
}

/// The least sum of costs over one-to-one matchings of rows with columns: shortest augmenting paths
/// (Jonker & Volgenant 1987), O(n^3). Index 0 stands for "no row" or "no column".
double least_matching(const MatrixXd& cost) {
  const auto n = static_cast<std::size_t>(cost.rows());
  std::vector<double> row_price(n + 1), column_price(n + 1);
  std::vector<std::size_t> row_of(n + 1), before(n + 1);
  for (std::size_t row = 1; row <= n; ++row) {
    row_of[0] = row;
    std::size_t column = 0;
    std::vector<double> least(n + 1, std::numeric_limits<double>::infinity());
    std::vector<bool> reached(n + 1);
    do {
      reached[column] = true;
      const std::size_t from = row_of[column];
      double step = std::numeric_limits<double>::infinity();
      std::size_t next = 0;
      for (std::size_t j = 1; j <= n; ++j) {
        if (reached[j]) continue;
        const double slack = cost(static_cast<Index>(from - 1), static_cast<Index>(j - 1)) -
                             row_price[from] - column_price[j];
        if (slack < least[j]) {
          least[j] = slack;
          before[j] = column;
        }
        if (least[j] < step) {
          step = least[j];
          next = j;
        }
      }
      for (std::size_t j = 0; j <= n; ++j)
        if (reached[j]) {
          row_price[row_of[j]] += step;
          column_price[j] -= step;
        } else {
          least[j] -= step;
        }
      column = next;
    } while (row_of[column] != 0);
    for (; column != 0; column = before[column]) row_of[column] = row_of[before[column]];
  }
  double sum = 0;
  for (std::size_t j = 1; j <= n; ++j)
    sum += cost(static_cast<Index>(row_of[j] - 1), static_cast<Index>(j - 1));
  return sum;
}

}  // namespace

double participation_ratio(const VectorXd& eigenvalues) {
  const double square = eigenvalues.squaredNorm();
  return square > 0 ? eigenvalues.sum() * eigenvalues.sum() / square : 0;
}

double linear_cka(const MatrixXd& x, const MatrixXd& y) {
  const MatrixXd cx = centred(x), cy = centred(y);
  const double cross = (cy.transpose() * cx).squaredNorm();
  const double own = (cx.transpose() * cx).norm() * (cy.transpose() * cy).norm();
  return own > 0 ? cross / own : std::numeric_limits<double>::quiet_NaN();
}

MatrixXd delay_operator(const std::vector<MatrixXd>& trajectories, Index n_delays, Index rank) {
  std::vector<VectorXd> now, next;
  for (const MatrixXd& x : trajectories) {
    const auto stack = [&](Index t) {
      VectorXd v(n_delays * x.cols());
      for (Index d = 0; d < n_delays; ++d) v.segment(d * x.cols(), x.cols()) = x.row(t + d);
      return v;
    };
    for (Index t = 0; t + n_delays < x.rows(); ++t) {
      now.push_back(stack(t));
      next.push_back(stack(t + 1));
    }
  }
  const auto n = static_cast<Index>(now.size());
  if (n == 0) return MatrixXd();
  MatrixXd x(n, now.front().size()), y(n, now.front().size());
  for (Index i = 0; i < n; ++i) {
    x.row(i) = now[static_cast<std::size_t>(i)].transpose();
    y.row(i) = next[static_cast<std::size_t>(i)].transpose();
  }
  const Eigen::RowVectorXd mean = x.colwise().mean();
  x.rowwise() -= mean;
  y.rowwise() -= mean;
  const Eigen::BDCSVD<MatrixXd> svd(x, Eigen::ComputeThinV);
  rank = std::min({rank, x.cols(), n});
  const MatrixXd basis = svd.matrixV().leftCols(rank);
  MatrixXd px = x * basis, py = y * basis;
  const double scale = std::sqrt(px.squaredNorm() / static_cast<double>(n));
  if (scale > 0) {
    px /= scale;
    py /= scale;
  }
  MatrixXd gram = px.transpose() * px;
  gram.diagonal().array() += 1e-6 * gram.trace() / static_cast<double>(rank);
  return gram.ldlt().solve(px.transpose() * py).transpose();
}

double dynamical_distance(const MatrixXd& a, const MatrixXd& b, std::size_t n_starts,
                          const Key& key) {
  if (a.rows() != b.rows() || a.size() == 0) return std::numeric_limits<double>::quiet_NaN();
  double best = -std::numeric_limits<double>::infinity();
  for (std::size_t s = 0; s < n_starts; ++s)
    for (const bool reflect : {false, true}) {
      Key start = key;
      start.row = static_cast<std::uint32_t>(2 * s + reflect);
      MatrixXd c = random_orthogonal(a.rows(), reflect, start);
      if (s == 0) {
        c = MatrixXd::Identity(a.rows(), a.cols());
        if (reflect) c(a.rows() - 1, a.rows() - 1) = -1;
      }
      best = std::max(best, best_alignment(a, b, c));
    }
  return std::acos(std::clamp(best / (a.norm() * b.norm()), -1.0, 1.0));
}

double spectral_distance(const MatrixXd& a, const MatrixXd& b) {
  if (a.size() == 0 || b.size() == 0) return std::numeric_limits<double>::quiet_NaN();
  const Index n = std::max(a.rows(), b.rows());
  const auto eigenvalues = [n](const MatrixXd& matrix) {
    Eigen::VectorXcd values = Eigen::VectorXcd::Zero(n);
    values.head(matrix.rows()) = Eigen::EigenSolver<MatrixXd>(matrix, false).eigenvalues();
    return values;
  };
  const Eigen::VectorXcd of_a = eigenvalues(a), of_b = eigenvalues(b);
  MatrixXd cost(n, n);
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < n; ++j) cost(i, j) = std::norm(of_a(i) - of_b(j));
  return least_matching(cost) / static_cast<double>(n);
}

std::vector<MatrixXd> task_activity(const Subject& subject, std::size_t task,
                                    std::span<const Conditions> conditions, Seed seed) {
  const TrialBatch trials = compose_task(subject.battery, task, conditions, seed);
  const Simulation run = simulate(subject.network, subject.battery, trials);
  std::vector<MatrixXd> activity;
  for (std::size_t k = 0; k < trials.n_trials; ++k) {
    const auto first = static_cast<std::size_t>(span_of(trials, k, Period::fixation).last);
    const auto last = static_cast<std::size_t>(trials.lengths[k]);
    MatrixXd x(static_cast<Index>(last - first), static_cast<Index>(run.n_units));
    for (std::size_t t = first; t < last; ++t)
      x.row(static_cast<Index>(t - first)) = run.rates_at(t, k).transpose();
    activity.push_back(std::move(x));
  }
  return activity;
}

MatrixXd stacked(const std::vector<MatrixXd>& trajectories) {
  Index n = 0;
  for (const MatrixXd& x : trajectories) n += x.rows();
  MatrixXd all(n, trajectories.empty() ? 0 : trajectories.front().cols());
  n = 0;
  for (const MatrixXd& x : trajectories) {
    all.middleRows(n, x.rows()) = x;
    n += x.rows();
  }
  return all;
}

}  // namespace lmrnn
