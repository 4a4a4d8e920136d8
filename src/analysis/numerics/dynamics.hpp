// The network as a discrete map F of its state under constant input, in double precision. With
// c = W_in x + sum of rules + b and the slope s of f at what f is applied to in that step,
//   rate:         F(h) = (1 - alpha) h + alpha f(W h + c)
//                 dF/dh = (1 - alpha) I + alpha diag(s) W
//   voltage:      F(x) = (1 - alpha) x + alpha (W f(x) + c)
//                 dF/dx = (1 - alpha) I + alpha W diag(s)
//   leak-inside:  F(h) = f((1 - alpha) h + alpha (W h + c))
//                 dF/dh = diag(s) ((1 - alpha) I + alpha W)
// F moves the state by a step alpha = dt / tau along the velocity
//   v(h) = (F(h) - h) / alpha,
// the change of the state in one time constant tau at the present rate. Everything per time
// constant is based on v. In the first two forms, v is f(W h + c) - h and W f(x) + c - x, which do
// not depend on dt.
#pragma once

#include <Eigen/Core>
#include <Eigen/SparseCore>
#include <complex>
#include <vector>

#include "lmrnn/network.hpp"
#include "lmrnn/streams.hpp"

namespace lmrnn {

using SparseMatrix = Eigen::SparseMatrix<double, Eigen::RowMajor>;

class Dynamics {
 public:
  explicit Dynamics(const Network& network);

  Eigen::Index n_units() const noexcept { return recurrent_.rows(); }
  double alpha() const noexcept { return alpha_; }

  /// c of step t of trial k.
  Eigen::VectorXd current(const TrialBatch& trials, std::size_t t, std::size_t k) const;

  /// F(h). States are h; in the voltage form x.
  Eigen::VectorXd step(const Eigen::VectorXd& h, const Eigen::VectorXd& c) const;
  Eigen::VectorXd after(Eigen::VectorXd h, const Eigen::VectorXd& c, std::size_t n_steps) const;

  /// s: f'(W h + c), f'(x), or f' of the blend.
  Eigen::VectorXd slope(const Eigen::VectorXd& h, const Eigen::VectorXd& c) const;

  /// v(h), per time constant.
  Eigen::VectorXd velocity(const Eigen::VectorXd& h, const Eigen::VectorXd& c) const;

  /// dF/dh. Rows (in the voltage form: columns) of units with slope 0 have only the entry on the
  /// diagonal; the same holds for velocity_jacobian.
  SparseMatrix sparse_jacobian(const Eigen::VectorXd& slope) const {
    return combined(slope, alpha_, leak_of(slope));
  }
  Eigen::MatrixXd jacobian(const Eigen::VectorXd& slope) const { return sparse_jacobian(slope); }
  /// dv/dh = (dF/dh - I) / alpha.
  SparseMatrix velocity_jacobian(const Eigen::VectorXd& slope) const;

  /// What other units and the readout see of a state: h, or f(x).
  Eigen::VectorXd seen(const Eigen::VectorXd& state) const {
    return equation_ == StateEquation::voltage ? rates(state) : state;
  }
  Eigen::VectorXd logits(const Eigen::VectorXd& h) const {
    return readout_ * seen(h) + readout_bias_;
  }
  const SparseMatrix& recurrent() const { return recurrent_; }

 private:
  Eigen::VectorXd rates(Eigen::VectorXd u) const;  // f(u)
  // The argument of f in a step; in the voltage form, the state before the step.
  Eigen::VectorXd argument(const Eigen::VectorXd& h, const Eigen::VectorXd& c) const;
  // The term of dF/dh without W.
  Eigen::VectorXd leak_of(const Eigen::VectorXd& slope) const;
  // scale diag(slope) W + diag(diagonal); in the voltage form scale W diag(slope) + diag(diagonal)
  SparseMatrix combined(const Eigen::VectorXd& slope, double scale,
                        const Eigen::VectorXd& diagonal) const;

  SparseMatrix recurrent_;
  Eigen::MatrixXd input_, rule_, readout_;
  Eigen::VectorXd bias_, readout_bias_;
  double alpha_;
  Activation activation_;
  StateEquation equation_;
};

/// The recurrent weights of a network as a sparse matrix, W(target, source).
SparseMatrix recurrent_matrix(const Network& network);

/// Leading eigenvalues (largest modulus first) of a square real matrix, with eigenvectors.
struct Spectrum {
  std::vector<std::complex<double>> values;
  Eigen::MatrixXcd vectors;  ///< column per value; may be empty
};

/// The leading part of the spectrum of the Jacobian with the given slope: dense up to 128 units,
/// above by Spectra's Arnoldi iteration, or dense again if that does not converge.
Spectrum leading_spectrum(const Dynamics& dynamics, const Eigen::VectorXd& slope, Eigen::Index n,
                          bool vectors);

/// All eigenvalues of a matrix, largest modulus first.
std::vector<std::complex<double>> all_eigenvalues(const Eigen::MatrixXd& matrix);

}  // namespace lmrnn
