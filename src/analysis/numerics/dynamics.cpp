#include "analysis/numerics/dynamics.hpp"

#include <Spectra/GenEigsSolver.h>
#include <Spectra/MatOp/SparseGenMatProd.h>

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <exception>
#include <numeric>

namespace lmrnn {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

MatrixXd matrix_of(std::span<const float> values, std::size_t rows, std::size_t cols) {
  using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<const Rows>(values.data(), static_cast<Index>(rows), static_cast<Index>(cols))
      .cast<double>();
}

// Within a pair of equal modulus, the eigenvalue with the positive imaginary part comes first, so
// that the order does not depend on rounding.
bool comes_before(std::complex<double> a, std::complex<double> b) {
  const double difference = std::abs(a) - std::abs(b);
  if (std::abs(difference) > 1e-12 * std::max(1.0, std::abs(a))) return difference > 0;
  return a.imag() > b.imag();
}

Spectrum sorted(const Eigen::VectorXcd& values, const Eigen::MatrixXcd& vectors, Index n) {
  std::vector<Index> order(static_cast<std::size_t>(values.size()));
  std::iota(order.begin(), order.end(), Index{0});
  std::ranges::stable_sort(order,
                           [&](Index a, Index b) { return comes_before(values[a], values[b]); });
  order.resize(static_cast<std::size_t>(std::min(n, values.size())));
  Spectrum s;
  if (vectors.size()) s.vectors.resize(vectors.rows(), static_cast<Index>(order.size()));
  for (std::size_t k = 0; k < order.size(); ++k) {
    s.values.push_back(values[order[k]]);
    if (vectors.size()) s.vectors.col(static_cast<Index>(k)) = vectors.col(order[k]);
  }
  return s;
}

Spectrum dense_spectrum(const MatrixXd& matrix, Index n, bool vectors) {
  const Eigen::EigenSolver<MatrixXd> solver(matrix, vectors);
  return sorted(solver.eigenvalues(),
                vectors ? Eigen::MatrixXcd(solver.eigenvectors()) : Eigen::MatrixXcd(), n);
}

}  // namespace

SparseMatrix recurrent_matrix(const Network& network) {
  const Mask& mask = network.architecture().recurrent;
  const float* w = network.parameters().data() + network.layout().recurrent;
  std::vector<Eigen::Triplet<double>> entries;
  for (std::size_t target = 0; target < mask.n_targets(); ++target)
    for (const std::uint32_t source : mask.sources_of(target))
      entries.emplace_back(static_cast<int>(target), static_cast<int>(source),
                           static_cast<double>(*w++));
  SparseMatrix matrix(static_cast<Index>(mask.n_targets()), static_cast<Index>(mask.n_sources()));
  matrix.setFromTriplets(entries.begin(), entries.end());
  return matrix;
}

Dynamics::Dynamics(const Network& network)
    : recurrent_(recurrent_matrix(network)),
      alpha_(network.architecture().alpha),
      activation_(network.architecture().activation),
      equation_(network.architecture().equation) {
  const Architecture& a = network.architecture();
  const ParameterLayout& l = network.layout();
  const auto all = network.parameters();
  const std::size_t n = a.n_units();
  input_ = matrix_of(all.subspan(l.input, l.n_input), n, a.n_channels);
  rule_ = matrix_of(all.subspan(l.rule, l.n_rule), a.n_rules, n);
  readout_ = matrix_of(all.subspan(l.readout, l.n_readout), a.n_classes, n);
  bias_ = matrix_of(all.subspan(l.bias, l.n_bias), n, 1);
  readout_bias_ = matrix_of(all.subspan(l.readout_bias, l.n_readout_bias), a.n_classes, 1);
}

VectorXd Dynamics::current(const TrialBatch& trials, std::size_t t, std::size_t k) const {
  VectorXd c = bias_;
  for (std::size_t channel = 0; channel < trials.n_channels; ++channel)
    c += input_.col(static_cast<Index>(channel)) *
         static_cast<double>(trials.inputs[trials.index(t, k) * trials.n_channels + channel]);
  for (std::size_t slot = 0; slot < trials.n_rule_slots; ++slot) {
    const std::int32_t rule = trials.rules[trials.index(t, k) * trials.n_rule_slots + slot];
    if (rule >= 0) c += rule_.row(rule).transpose();
  }
  return c;
}

VectorXd Dynamics::rates(VectorXd u) const {
  switch (activation_) {
    case Activation::relu:
      u = u.cwiseMax(0.0);
      break;
    case Activation::tanh:
      u = u.array().tanh();
      break;
    case Activation::softplus:
      u = u.unaryExpr([](double x) { return x > 30 ? x : std::log1p(std::exp(x)); });
      break;
  }
  return u;
}

VectorXd Dynamics::argument(const VectorXd& h, const VectorXd& c) const {
  switch (equation_) {
    case StateEquation::rate:
      return recurrent_ * h + c;
    case StateEquation::voltage:
      return h;
    case StateEquation::leak_inside:
      return (1 - alpha_) * h + alpha_ * (recurrent_ * h + c);
  }
  return h;
}

VectorXd Dynamics::step(const VectorXd& h, const VectorXd& c) const {
  switch (equation_) {
    case StateEquation::rate:
      return (1 - alpha_) * h + alpha_ * rates(argument(h, c));
    case StateEquation::voltage:
      return (1 - alpha_) * h + alpha_ * (recurrent_ * rates(h) + c);
    case StateEquation::leak_inside:
      return rates(argument(h, c));
  }
  return h;
}

VectorXd Dynamics::velocity(const VectorXd& h, const VectorXd& c) const {
  switch (equation_) {
    case StateEquation::rate:
      return rates(argument(h, c)) - h;
    case StateEquation::voltage:
      return recurrent_ * rates(h) + c - h;
    case StateEquation::leak_inside:
      return (rates(argument(h, c)) - h) / alpha_;
  }
  return h;
}

VectorXd Dynamics::after(VectorXd h, const VectorXd& c, std::size_t n_steps) const {
  for (std::size_t t = 0; t < n_steps; ++t) h = step(h, c);
  return h;
}

VectorXd Dynamics::slope(const VectorXd& h, const VectorXd& c) const {
  const VectorXd u = argument(h, c);
  switch (activation_) {
    case Activation::relu:
      return (u.array() > 0).cast<double>();
    case Activation::tanh:
      return 1 - u.array().tanh().square();
    case Activation::softplus:
      return u.unaryExpr([](double x) { return 1 / (1 + std::exp(-x)); });
  }
  return u;
}

VectorXd Dynamics::leak_of(const VectorXd& slope) const {
  if (equation_ == StateEquation::leak_inside) return (1 - alpha_) * slope;
  return VectorXd::Constant(n_units(), 1 - alpha_);
}

SparseMatrix Dynamics::velocity_jacobian(const VectorXd& slope) const {
  if (equation_ == StateEquation::leak_inside)
    return combined(slope, 1, (leak_of(slope).array() - 1) / alpha_);
  return combined(slope, 1, VectorXd::Constant(n_units(), -1));
}

SparseMatrix Dynamics::combined(const VectorXd& slope, double scale,
                                const VectorXd& diagonal) const {
  const bool by_source = equation_ == StateEquation::voltage;
  SparseMatrix j(n_units(), n_units());
  j.reserve(recurrent_.nonZeros() + n_units());
  for (Index i = 0; i < n_units(); ++i) {
    j.startVec(i);
    bool before = true;  // the diagonal is not yet inserted
    for (SparseMatrix::InnerIterator w(recurrent_, i); w; ++w) {
      const double gain = scale * slope[by_source ? w.col() : i];
      if (before && w.col() >= i) {
        j.insertBack(i, i) = diagonal[i] + (w.col() == i ? gain * w.value() : 0);
        before = false;
        if (w.col() == i) continue;
      }
      if (gain != 0) j.insertBack(i, w.col()) = gain * w.value();
    }
    if (before) j.insertBack(i, i) = diagonal[i];
  }
  j.finalize();
  return j;
}

Spectrum leading_spectrum(const Dynamics& dynamics, const VectorXd& slope, Index n, bool vectors) {
  constexpr Index dense_up_to = 128;
  if (dynamics.n_units() > dense_up_to && n + 2 < dynamics.n_units()) {
    const SparseMatrix jacobian = dynamics.sparse_jacobian(slope);
    using Product = Spectra::SparseGenMatProd<double, Eigen::RowMajor>;
    Product product(jacobian);
    Spectra::GenEigsSolver<Product> solver(
        product, n, std::min(dynamics.n_units(), std::max<Index>(4 * n, 60)));
    try {
      solver.init();  // starts from a fixed vector, so that results are reproducible
      if (solver.compute(Spectra::SortRule::LargestMagn, 300, 1e-9) == n)
        return sorted(solver.eigenvalues(),
                      vectors ? Eigen::MatrixXcd(solver.eigenvectors()) : Eigen::MatrixXcd(), n);
    } catch (const std::exception&) {
      // The Krylov space may have too few dimensions, e.g. if most units are silent.
    }
  }
  return dense_spectrum(dynamics.jacobian(slope), n, vectors);
}

std::vector<std::complex<double>> all_eigenvalues(const MatrixXd& matrix) {
  return dense_spectrum(matrix, matrix.rows(), false).values;
}

}  // namespace lmrnn
