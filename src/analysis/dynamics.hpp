// The network as a discrete map under constant input, in double precision:
//   F(h) = (1 - alpha) h + alpha f(W h + c),   c = W_in x + sum of rules + b.
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

  /// J - shift I with J = dF/dh = (1 - alpha) I + alpha diag(slope) W. Rows of units whose slope is
  /// 0 have no entries but that of the diagonal.
  SparseMatrix sparse_jacobian(const Eigen::VectorXd& slope, double shift = 0) const;
  Eigen::MatrixXd jacobian(const Eigen::VectorXd& slope) const { return sparse_jacobian(slope); }

  Eigen::VectorXd logits(const Eigen::VectorXd& h) const { return readout_ * h + readout_bias_; }
  const SparseMatrix& recurrent() const { return recurrent_; }

 private:
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
