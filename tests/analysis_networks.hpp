// Networks whose dynamics are known, and subjects made of them.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <numbers>
#include <utility>

#include "lmrnn/analysis.hpp"
#include "lmrnn/error.hpp"

namespace lmrnn::testing {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

struct Weights {
  Matrix recurrent, input, rule, readout;
  Eigen::VectorXf bias, readout_bias;

  Weights(Eigen::Index n_units, Eigen::Index n_channels, Eigen::Index n_rules,
          Eigen::Index n_classes)
      : recurrent(Matrix::Zero(n_units, n_units)),
        input(Matrix::Zero(n_units, n_channels)),
        rule(Matrix::Zero(n_rules, n_units)),
        readout(Matrix::Zero(n_classes, n_units)),
        bias(Eigen::VectorXf::Zero(n_units)),
        readout_bias(Eigen::VectorXf::Zero(n_classes)) {}
};

/// Dense recurrent weights, or only the diagonal of `weights.recurrent`.
inline Network make_network(const Weights& weights, double alpha, Activation activation,
                            bool diagonal = false) {
  const auto n = static_cast<std::size_t>(weights.recurrent.rows());
  Architecture a;
  a.n_channels = static_cast<std::size_t>(weights.input.cols());
  a.n_rules = static_cast<std::size_t>(weights.rule.rows());
  a.n_classes = static_cast<std::size_t>(weights.readout.rows());
  a.alpha = alpha;
  a.activation = activation;
  a.recurrent = diagonal ? Mask::diagonal(n) : Mask::dense(n, n);
  a.input = Mask::dense(n, a.n_channels);
  a.readout = Mask::dense(a.n_classes, n);
  Network network(std::move(a));
  const ParameterLayout& l = network.layout();
  const auto writer = network.write_weights();
  float* p = writer.data();
  if (diagonal)
    for (std::size_t i = 0; i < n; ++i)
      p[l.recurrent + i] =
          weights.recurrent(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(i));
  else
    std::copy_n(weights.recurrent.data(), l.n_recurrent, p + l.recurrent);
  std::copy_n(weights.input.data(), l.n_input, p + l.input);
  std::copy_n(weights.rule.data(), l.n_rule, p + l.rule);
  std::copy_n(weights.bias.data(), l.n_bias, p + l.bias);
  std::copy_n(weights.readout.data(), l.n_readout, p + l.readout);
  std::copy_n(weights.readout_bias.data(), l.n_readout_bias, p + l.readout_bias);
  return network;
}

/// Ring attractor of N threshold-linear units (Ben-Yishai et al. 1995; Hansel & Sompolinsky 1998):
///   W_ij = (2 cosines of equal weight) (-j0 + j1 cos(theta_i - theta_j)) / N,  bias 1.
/// With j1 = 4 a bump of half width 90 degrees is neutral along the ring; with j0 = 2 its amplitude
/// relaxes with the eigenvalues +-0.436 per time constant.
inline Matrix ring_weights(Eigen::Index n, double j0 = 2, double j1 = 4) {
  Matrix w(n, n);
  for (Eigen::Index i = 0; i < n; ++i)
    for (Eigen::Index j = 0; j < n; ++j)
      w(i, j) = static_cast<float>(
          (-j0 + j1 * std::cos(2 * std::numbers::pi * static_cast<double>(i - j) /
                               static_cast<double>(n))) /
          static_cast<double>(n));
  return w;
}

inline Subject subject_of(Network network, const BatteryConfig& config) {
  TrainedOn trained{config, {}, Seed{1}, {}};
  Battery battery(config, Seed{1});
  for (const Task& task : battery.tasks()) trained.tasks.push_back(task.name());
  const auto n = static_cast<std::int64_t>(network.architecture().n_units());
  trained.wiring.rows = 1;
  trained.wiring.cols = n;
  return {std::move(network), std::move(trained), std::move(battery)};
}

inline BatteryConfig battery_of(const std::string& tasks) {
  BatteryConfig config;
  config.tasks = tasks;
  return config;
}

/// Steps are dt = alpha 100 ms; with tau = 100 ms, this is the same network in continuous time for
/// every alpha.
inline BatteryConfig battery_of(const std::string& tasks, double alpha) {
  BatteryConfig config = battery_of(tasks);
  config.dt = 100 * alpha;
  return config;
}

/// A ring of n units that solves dlygo, and one unit for the cue. tau is 100 ms.
inline Subject ring_subject(Eigen::Index n, double alpha = 1) {
  const BatteryConfig config = battery_of("dlygo", alpha);
  const Battery battery(config, Seed{1});
  const auto n_ring = static_cast<Eigen::Index>(battery.config().n_ring);
  Weights w(n + 1, static_cast<Eigen::Index>(battery.n_channels()), 1,
            static_cast<Eigen::Index>(battery.n_classes()));
  w.recurrent.topLeftCorner(n, n) = ring_weights(n);
  w.bias.head(n).setConstant(1);
  w.input(n, 0) = 1;  // the cue unit
  w.readout(0, n) = 100;
  w.readout_bias[0] = -1;
  for (Eigen::Index i = 0; i < n; ++i)
    for (Eigen::Index k = 0; k < n_ring; ++k) {
      const auto tuning =
          static_cast<float>(std::cos(2 * std::numbers::pi *
                                      (static_cast<double>(i) / static_cast<double>(n) -
                                       static_cast<double>(k) / static_cast<double>(n_ring))));
      w.input(i, 1 + k) = w.input(i, 1 + n_ring + k) = tuning;
      w.readout(1 + k, i) = tuning / static_cast<float>(n);
    }
  return subject_of(make_network(w, alpha, Activation::relu), config);
}

}  // namespace lmrnn::testing
