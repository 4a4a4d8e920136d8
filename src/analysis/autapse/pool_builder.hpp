// Pools whose units are written down one by one, and the filters for their weights.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <complex>
#include <cstdint>
#include <numbers>
#include <vector>

#include "lmrnn/network.hpp"
#include "lmrnn/tasks.hpp"

namespace lmrnn {

constexpr double bump_peak = 0.8;                    ///< of a bump of strength 1
constexpr double bump_width = std::numbers::pi / 8;  ///< its standard deviation, rad

struct PoolUnit {
  double autapse;
  Eigen::VectorXd input;  ///< by channel
  double bias;
  Eigen::VectorXd readout;  ///< by class
};

/// The first unit is for the cue: while the cue is on, the answer is to fixate, whatever else is
/// shown.
class PoolBuilder {
 public:
  explicit PoolBuilder(const Battery& battery)
      : battery_(battery),
        n_(static_cast<Eigen::Index>(battery.config().n_ring)),
        readout_bias_(Eigen::VectorXd::Zero(n_ + 1)) {
    // While the cue is on, the answer is to fixate.
    PoolUnit& cue = add(0);
    cue.input[0] = 1;
    cue.readout[0] = 1e4;
  }

  Eigen::Index n_ring() const { return n_; }
  PoolUnit& add(double autapse) {
    units_.push_back(
        {autapse, Eigen::VectorXd::Zero(1 + 2 * n_), 0, Eigen::VectorXd::Zero(1 + n_)});
    return units_.back();
  }
  void set_fixation(double bias) { readout_bias_[0] = bias; }

  // Adds `template_[k]` to the channels of the rings in `modalities` (one bit per modality).
  void listen(PoolUnit& unit, const Eigen::VectorXd& template_, unsigned modalities) const {
    for (Eigen::Index m = 0; m < 2; ++m)
      if ((modalities >> m) & 1u) unit.input.segment(1 + m * n_, n_) += template_;
  }
  Eigen::VectorXd one(Eigen::Index k) const {
    return Eigen::VectorXd::Unit(n_, (k % n_ + n_) % n_);
  }
  double angle(Eigen::Index k) const {
    return 2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(n_);
  }
  // Height of a bump of strength 1 at direction 0 in channel k, relative to its peak.
  Eigen::VectorXd bump() const {
    Eigen::VectorXd g(n_);
    for (Eigen::Index k = 0; k < n_; ++k) {
      const double d = std::remainder(angle(k), 2 * std::numbers::pi) / bump_width;
      g[k] = std::exp(-d * d / 2);
    }
    return g;
  }

  Network network(std::size_t n_rules) const;

 private:
  const Battery& battery_;
  Eigen::Index n_;
  std::vector<PoolUnit> units_;
  Eigen::VectorXd readout_bias_;
};

Eigen::VectorXcd fourier(const Eigen::VectorXd& x);
Eigen::VectorXd inverse_fourier(const Eigen::VectorXcd& x);

/// A filter whose convolution with bumps comes close to `wanted` (Wiener). `noise` is the power of
/// the noise relative to that of the signal.
Eigen::VectorXd wiener(const Eigen::VectorXd& bump, const Eigen::VectorXd& wanted, double noise);

/// Durations in steps, in trials of a task with int or seq.
struct TrialTiming {
  std::int32_t stimulus, decision;
  std::vector<std::int32_t> delays;
};

/// Adds ramps that represent int and seq in a reach task with a memory. `omega_steps`: speed in
/// directions per step.
void build_ramps(PoolBuilder& pool, const Task& task, const TrialTiming& timing,
                 double omega_steps);

}  // namespace lmrnn
