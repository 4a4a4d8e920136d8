// A ring attractor that also rotates when the rule says so: the known answer of test 7.
#pragma once

#include <complex>
#include <numbers>
#include <string>

#include "analysis_networks.hpp"

namespace lmrnn::testing {

/// What is right or wrong about the rotation.
struct Rotation {
  double speed = 1;       ///< share of omega at which it turns
  double stop_after = 0;  ///< ms of cue after which int stops turning; 0: it never does
};

/// gain 4 cos(theta_i - theta_j - angle) / n: what a bump sends to the place `angle` further on.
inline Matrix turned_ring_weights(Eigen::Index n, double gain, double angle) {
  Matrix w(n, n);
  for (Eigen::Index i = 0; i < n; ++i)
    for (Eigen::Index j = 0; j < n; ++j)
      w(i, j) = static_cast<float>(
          gain * 4 / static_cast<double>(n) *
          std::cos(2 * std::numbers::pi * static_cast<double>(i - j) / static_cast<double>(n) -
                   angle));
  return w;
}

/// dlygo with int and seq on rings of n threshold-linear units.
///
/// Shifted copies (Skaggs et al. 1995; Zhang 1996): for each of intr, intl, seqr, seql a population
/// repeats the bump of the ring one step later while its gate is open, and sends it back turned. A
/// bump z(t) on the ring then obeys z(t + 1) = z(t) + b z(t - 1), and with
///   b = (e^{i phi} - 1) e^{i phi},   phi = omega dt,
/// it turns by exactly phi a step; what else it could do, (1 - e^{i phi})^t, dies out. The gates
/// are inhibition by bias, rule, cue and stimulus (there is no noise in the trials of the tests):
/// int turns while the cue is on, seq while it is off.
inline Subject rotating_ring_subject(Eigen::Index n, const Rotation& rotation) {
  const BatteryConfig config = battery_of("dlygo,dlygointr,dlygointl,dlygoseqr,dlygoseql");
  const Subject ring = ring_subject(n);
  const Battery battery(config, Seed{1});
  const auto n_channels = static_cast<Eigen::Index>(battery.n_channels());
  constexpr float shut = 1000;  // far more than any activity
  const Eigen::Index clock = 5 * n + 1;
  Weights w(clock + 2, n_channels, static_cast<Eigen::Index>(battery.n_rules()),
            static_cast<Eigen::Index>(battery.n_classes()));

  // The ring and the unit for the cue, as in dlygo.
  const ParameterLayout& l = ring.network.layout();
  const float* p = ring.network.parameters().data();
  w.recurrent.topLeftCorner(n + 1, n + 1) = Eigen::Map<const Matrix>(p + l.recurrent, n + 1, n + 1);
  w.input.topRows(n + 1) = Eigen::Map<const Matrix>(p + l.input, n + 1, n_channels);
  w.input.topRightCorner(n, n_channels - 1) *= 0.3f;
  w.bias.head(n + 1) = Eigen::Map<const Eigen::VectorXf>(p + l.bias, n + 1);
  w.readout.leftCols(n + 1) = Eigen::Map<const Matrix>(p + l.readout, w.readout.rows(), n + 1);
  w.readout_bias = Eigen::Map<const Eigen::VectorXf>(p + l.readout_bias, w.readout.rows());

  const double phi = rotation.speed * config.omega * config.dt;
  int place = 0;
  for (const std::string suffix : {"intr", "intl", "seqr", "seql"}) {
    const Eigen::Index first = n + 1 + n * place++;
    const double sign = suffix.back() == 'r' ? 1 : -1;
    const bool is_int = suffix.starts_with("int");
    const auto turn = std::polar(1.0, sign * phi);
    const auto back = (turn - 1.0) * turn;
    w.recurrent.block(first, 0, n, n).setIdentity();
    w.recurrent.block(0, first, n, n) = turned_ring_weights(n, std::abs(back), std::arg(back));
    const auto rule = static_cast<Eigen::Index>(battery.index_of("dlygo" + suffix));
    w.bias.segment(first, n).setConstant(is_int ? -2 * shut : -shut);
    w.rule.row(rule).segment(first, n).setConstant(shut);
    w.input.block(first, 0, n, 1).setConstant(is_int ? shut : -shut);
    w.input.block(first, 1, n, n_channels - 1).setConstant(-shut);
    if (is_int) w.recurrent.block(first, clock + 1, n, 1).setConstant(-shut);
  }
  // Counts the steps of the cue; the second unit says when there were enough.
  w.recurrent(clock, clock) = 1;
  w.input(clock, 0) = rotation.stop_after > 0;
  w.recurrent(clock + 1, clock) = 1;
  w.bias[clock + 1] = static_cast<float>(-rotation.stop_after / config.dt);
  return subject_of(make_network(w, 1, Activation::relu), config);
}

}  // namespace lmrnn::testing
