// The search for states that move little.
#include <algorithm>
#include <utility>

#include "analysis/fixed_points/fixed_points.hpp"

namespace lmrnn {
namespace {

using Eigen::VectorXd;

// Minimises |A d + r|^2 + damping |d|^2 with A = dv/dh, by conjugate gradients on the normal
// equations. The step need not be exact, because the next iteration linearises again.
VectorXd damped_step(const SparseMatrix& a, const SparseMatrix& transposed, const VectorXd& r,
                     double damping, const Minimisation& options) {
  VectorXd d = VectorXd::Zero(r.size());
  VectorXd residual = -(transposed * r), direction = residual;
  VectorXd along(r.size()), back(r.size());
  double square = residual.squaredNorm();
  const double enough = options.inner_tolerance * options.inner_tolerance * square;
  for (std::int64_t i = 0; i < options.inner && square > enough && square > 0; ++i) {
    along.noalias() = a * direction;
    const double curvature = along.squaredNorm() + damping * direction.squaredNorm();
    if (!(curvature > 0)) break;
    const double length = square / curvature;
    d += length * direction;
    back.noalias() = transposed * along;
    residual -= length * (back + damping * direction);
    const double next = residual.squaredNorm();
    direction = residual + next / square * direction;
    square = next;
  }
  return d;
}

}  // namespace

double speed(const Dynamics& dynamics, const VectorXd& h, const VectorXd& current) {
  return dynamics.velocity(h, current).norm();
}

VectorXd minimise_speed(const Dynamics& dynamics, const VectorXd& start, const VectorXd& current,
                        const Minimisation& options) {
  VectorXd h = start, r = dynamics.velocity(h, current);
  double damping = 1e-2, at_mark = r.norm();
  SparseMatrix a, transposed;
  std::int64_t n_accepted = 0;
  bool moved = true;
  for (std::int64_t i = 0; i < options.iterations; ++i) {
    if (r.norm() <= std::max(options.slow_enough, options.speed_tolerance * (1 + h.norm()))) break;
    if (std::exchange(moved, false)) {
      a = dynamics.velocity_jacobian(dynamics.slope(h, current));
      transposed = a.transpose();
    }
    const VectorXd next = h + damped_step(a, transposed, r, damping, options);
    const VectorXd next_r = dynamics.velocity(next, current);
    if (next_r.squaredNorm() < r.squaredNorm()) {
      h = next;
      r = next_r;
      moved = true;
      damping = std::max(damping / 5, 1e-12);
      if (++n_accepted % options.patience != 0) continue;
      if (r.norm() > 0.9 * at_mark) break;  // a minimum, but not a fixed point
      at_mark = r.norm();
    } else {
      damping *= 4;
      if (damping > 1e8) break;
    }
  }
  return h;
}

}  // namespace lmrnn
