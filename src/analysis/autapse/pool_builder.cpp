#include "analysis/autapse/pool_builder.hpp"

#include <unsupported/Eigen/FFT>

namespace lmrnn {

using Eigen::VectorXcd;
using Eigen::VectorXd;

Network PoolBuilder::network(std::size_t n_rules) const {
  Architecture a;
  a.n_channels = battery_.n_channels();
  a.n_rules = n_rules;
  a.n_classes = battery_.n_classes();
  a.alpha = 1;
  a.activation = Activation::relu;
  a.recurrent = Mask::diagonal(units_.size());
  a.input = Mask::dense(units_.size(), a.n_channels);
  a.readout = Mask::dense(a.n_classes, units_.size());
  Network network(a);
  const ParameterLayout& l = network.layout();
  const auto p = network.write_weights();
  for (std::size_t i = 0; i < units_.size(); ++i) {
    p[l.recurrent + i] = static_cast<float>(units_[i].autapse);
    p[l.bias + i] = static_cast<float>(units_[i].bias);
    for (std::size_t c = 0; c < a.n_channels; ++c)
      p[l.input + i * a.n_channels + c] =
          static_cast<float>(units_[i].input[static_cast<Eigen::Index>(c)]);
    for (std::size_t c = 0; c < a.n_classes; ++c)
      p[l.readout + c * units_.size() + i] =
          static_cast<float>(units_[i].readout[static_cast<Eigen::Index>(c)]);
  }
  for (std::size_t c = 0; c < a.n_classes; ++c)
    p[l.readout_bias + c] = static_cast<float>(readout_bias_[static_cast<Eigen::Index>(c)]);
  return network;
}

VectorXcd fourier(const VectorXd& x) {
  Eigen::FFT<double> fft;
  std::vector<double> in(x.begin(), x.end());
  std::vector<std::complex<double>> out;
  fft.fwd(out, in);
  return Eigen::Map<VectorXcd>(out.data(), x.size());
}

VectorXd inverse_fourier(const VectorXcd& x) {
  Eigen::FFT<double> fft;
  std::vector<std::complex<double>> in(x.begin(), x.end()), out;
  fft.inv(out, in);
  return Eigen::Map<VectorXcd>(out.data(), x.size()).real();
}

VectorXd wiener(const VectorXd& bump, const VectorXd& wanted, double noise) {
  const VectorXcd g = fourier(bump);
  const Eigen::ArrayXcd filter = g.conjugate().array() / (g.array().abs2() + noise);
  return inverse_fourier((filter * fourier(wanted).array()).matrix());
}

}  // namespace lmrnn
