// The network as a discrete map under constant input, in double precision:
//   F(h) = (1 - alpha) h + alpha f(W h + c),   c = W_in x + sum of rules + b,
// which is a step alpha = dt / tau along the velocity
//   v(h) = (F(h) - h) / alpha = f(W h + c) - h,
// the change of the state in one time constant tau at the present rate. v does not depend on dt:
// whatever is judged per time constant is judged by v.
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

  Eigen::VectorXd step(const Eigen::VectorXd& h, const Eigen::VectorXd& c) const;
  Eigen::VectorXd after(Eigen::VectorXd h, const Eigen::VectorXd& c, std::size_t n_steps) const;

  /// f'(W h + c).
  Eigen::VectorXd slope(const Eigen::VectorXd& h, const Eigen::VectorXd& c) const;

  /// v(h), per time constant.
  Eigen::VectorXd velocity(const Eigen::VectorXd& h, const Eigen::VectorXd& c) const;

  /// dF/dh = (1 - alpha) I + alpha diag(slope) W. Rows of units whose slope is 0 have no entries
  /// but that of the diagonal; the same holds for velocity_jacobian.
  SparseMatrix sparse_jacobian(const Eigen::VectorXd& slope) const {
    return combined(slope, alpha_, 1 - alpha_);
  }
  Eigen::MatrixXd jacobian(const Eigen::VectorXd& slope) const { return sparse_jacobian(slope); }
  /// dv/dh = diag(slope) W - I.
  SparseMatrix velocity_jacobian(const Eigen::VectorXd& slope) const {
    return combined(slope, 1, -1);
  }

  Eigen::VectorXd logits(const Eigen::VectorXd& h) const { return readout_ * h + readout_bias_; }
  const SparseMatrix& recurrent() const { return recurrent_; }

 private:
  Eigen::VectorXd rates(const Eigen::VectorXd& h, const Eigen::VectorXd& c) const;  // f(W h + c)
  // scale diag(slope) W + diagonal I
  SparseMatrix combined(const Eigen::VectorXd& slope, double scale, double diagonal) const;

  SparseMatrix recurrent_;
  Eigen::MatrixXd input_, rule_, readout_;
  Eigen::VectorXd bias_, readout_bias_;
  double alpha_;
  Activation activation_;
};

/// The recurrent weights of a network as a sparse matrix, W(target, source).
SparseMatrix recurrent_matrix(const Network& network);

/// Leading eigenvalues (largest modulus first) of a square real matrix, with eigenvectors.
struct Spectrum {
  std::vector<std::complex<double>> values;
  Eigen::MatrixXcd vectors;  ///< column per value; may be empty
};

/// Of the Jacobian with the given slope. Dense up to 128 units, Spectra's Arnoldi iteration above;
/// where that does not converge, dense again.
Spectrum leading_spectrum(const Dynamics& dynamics, const Eigen::VectorXd& slope, Eigen::Index n,
                          bool vectors);

/// All eigenvalues of a matrix, largest modulus first.
std::vector<std::complex<double>> all_eigenvalues(const Eigen::MatrixXd& matrix);

}  // namespace lmrnn
