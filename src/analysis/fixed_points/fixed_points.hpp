// Fixed and slow points: minima of q(h) = |v(h)|^2 / 2 under constant input. v(h) = f(W h + c) - h
// is the velocity per time constant tau, so that the points, their speeds and their classes do not
// depend on alpha = dt / tau. Source: Sussillo & Barak, Neural Computation 25:626 (2013); many
// starts with duplicates removed, as in FixedPointFinder (Golub & Sussillo, JOSS 2018).
#pragma once

#include <Eigen/Core>
#include <complex>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/numerics/dynamics.hpp"

namespace lmrnn {

struct Minimisation {
  std::int64_t iterations = 100;   ///< of Levenberg-Marquardt
  std::int64_t inner = 200;        ///< products with the Jacobian per iteration
  double inner_tolerance = 0.01;   ///< relative residual that ends the linear problem
  std::int64_t patience = 10;      ///< ends if so many steps gained less than a tenth
  double speed_tolerance = 1e-10;  ///< ends when |v(h)| is below, relative to 1 + |h|
  double slow_enough = 0;          ///< also ends below this: a slow point is not followed further
};

/// A minimum of q reached from `start`. Levenberg-Marquardt with the analytic Jacobian; each step
/// solves (dv/dh) d = -v(h), damped, by conjugate gradients on the normal equations, which need
/// only products with the sparse Jacobian and its transpose.
Eigen::VectorXd minimise_speed(const Dynamics& dynamics, const Eigen::VectorXd& start,
                               const Eigen::VectorXd& current, const Minimisation& options);

/// |v(h)|: how far the state would move in one time constant.
double speed(const Dynamics& dynamics, const Eigen::VectorXd& h, const Eigen::VectorXd& current);

/// How much a small displacement along an eigenvector of dF/dh grows in one time constant, relative
/// to itself: (|lambda| - 1) / alpha. For real lambda > 0 this is the eigenvalue of dv/dh, for any
/// alpha; at alpha = 1 it is |lambda| - 1.
double growth(std::complex<double> lambda, double alpha);

/// How the map behaves around a point, from the growth g along its eigenvectors. "Near" and "above"
/// mean within and beyond the tolerance.
enum class Stability {
  attractor,  ///< all g < 0
  marginal,   ///< none above 0, at least one real lambda near 1: part of a line or ring
  rotation,   ///< none above 0, the largest near 0 is of a complex pair: neutral rotation
  saddle,     ///< some above 0, some below
  repeller    ///< all above 0
};
std::string_view stability_name(Stability stability);

struct FixedPoint {
  Eigen::VectorXd state;
  double speed = 0;          ///< |v(h)|
  std::size_t n_starts = 0;  ///< that ended here
  std::size_t first_start = 0;
  std::vector<std::complex<double>> eigenvalues;  ///< of dF/dh, leading ones, largest modulus first
  std::size_t n_unstable = 0, n_marginal = 0;
  Stability stability = Stability::attractor;
};

/// Stability from all or the leading eigenvalues of dF/dh. `n_units`: number of units of the map
/// (only with all eigenvalues can a point be a repeller). `tolerance`: for the growth per time
/// constant, and for the distance of a real lambda from 1, in units of alpha.
Stability classify(std::span<const std::complex<double>> eigenvalues, std::size_t n_units,
                   double alpha, double tolerance, std::size_t& n_unstable,
                   std::size_t& n_marginal);

/// Merges minima that lie closer than `distance` (absolute), keeping the slowest of each group; in
/// the order of their first starts. Only points with a speed of at most `slow` are kept.
std::vector<FixedPoint> merge_points(std::vector<FixedPoint> points, double distance, double slow);

/// -dt / ln|lambda| in the unit of dt; infinite at 1.
double time_constant(double modulus, double dt);

}  // namespace lmrnn
