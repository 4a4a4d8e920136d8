#include "analysis/pools.hpp"

#include <fmt/core.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numbers>
#include <unsupported/Eigen/FFT>
#include <vector>

#include "lmrnn/error.hpp"

namespace lmrnn {
namespace {

using Eigen::VectorXcd;
using Eigen::VectorXd;

constexpr double peak = 0.8;                    // of a bump of strength 1
constexpr double width = std::numbers::pi / 8;  // its standard deviation, rad

struct Unit {
  double autapse;
  VectorXd input;  // by channel
  double bias;
  VectorXd readout;  // by class
};

class Pool {
 public:
  explicit Pool(const Battery& battery)
      : battery_(battery),
        n_(static_cast<Eigen::Index>(battery.config().n_ring)),
        readout_bias_(VectorXd::Zero(n_ + 1)) {
    // While the cue is on, fixate, whatever else.
    Unit& cue = add(0);
    cue.input[0] = 1;
    cue.readout[0] = 1e4;
  }

  Eigen::Index n_ring() const { return n_; }
  Unit& add(double autapse) {
    units_.push_back({autapse, VectorXd::Zero(1 + 2 * n_), 0, VectorXd::Zero(1 + n_)});
    return units_.back();
  }
  void set_fixation(double bias) { readout_bias_[0] = bias; }

  // Adds `template_[k]` to the channels of both rings, or of those in `modalities` (bits).
  void listen(Unit& unit, const VectorXd& template_, unsigned modalities) const {
    for (Eigen::Index m = 0; m < 2; ++m)
      if ((modalities >> m) & 1u) unit.input.segment(1 + m * n_, n_) += template_;
  }
  VectorXd one(Eigen::Index k) const { return VectorXd::Unit(n_, (k % n_ + n_) % n_); }
  double angle(Eigen::Index k) const {
    return 2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(n_);
  }
  // Height of a bump of strength 1 at direction 0 in channel k, relative to its peak.
  VectorXd bump() const {
    VectorXd g(n_);
    for (Eigen::Index k = 0; k < n_; ++k) {
      const double d = std::remainder(angle(k), 2 * std::numbers::pi) / width;
      g[k] = std::exp(-d * d / 2);
    }
    return g;
  }

  Network network(std::size_t n_rules) const {
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
    float* p = network.parameters().data();
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
    network.weights_changed();
    return network;
  }

 private:
  const Battery& battery_;
  Eigen::Index n_;
  std::vector<Unit> units_;
  VectorXd readout_bias_;
};

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

// What, convolved with bumps, comes near to `wanted`; `noise` is the power of the noise relative
// to the signal's (Wiener).
VectorXd wiener(const VectorXd& bump, const VectorXd& wanted, double noise) {
  const VectorXcd g = fourier(bump);
  const Eigen::ArrayXcd filter = g.conjugate().array() / (g.array().abs2() + noise);
  return inverse_fourier((filter * fourier(wanted).array()).matrix());
}

// Reach without modifiers: the stimulus charges an integrator.
void build_reach(Pool& pool, const BaseTask& base) {
  const Eigen::Index n = pool.n_ring();
  for (Eigen::Index k = 0; k < n; ++k) {
    Unit& unit = pool.add(1);
    pool.listen(unit, pool.one(k), 3);
    unit.readout[1 + (k + (base.anti ? n / 2 : 0)) % n] = 1;
  }
}

// Both decision families: evidence is added up; the two bumps overlap, and the filter parts them.
void build_decision(Pool& pool, const BaseTask& base) {
  const Eigen::Index n = pool.n_ring();
  const VectorXd filter = wiener(pool.bump(), pool.one(0), 0.5);
  for (Eigen::Index k = 0; k < n; ++k) {
    Unit& unit = pool.add(1);
    pool.listen(unit, pool.one(k), base.counted);
    for (Eigen::Index c = 0; c < n; ++c) unit.readout[1 + c] = filter[(c - k + n) % n];
  }
  pool.set_fixation(-1e3);
}

// Match. Rectified integrators with templates T and -T: the sample charges one of the two; a test
// of the same sign charges it again, one of the other sign discharges it and charges its twin.
// Their sum is s + t on match, max(s, t) on non-match.
void build_match(Pool& pool, const BaseTask& base, std::int32_t n_stimulus_steps) {
  const Eigen::Index n = pool.n_ring();
  for (Eigen::Index k = 0; k < n; ++k) {  // where the last stimulus was
    Unit& unit = pool.add(0.9);
    pool.listen(unit, pool.one(k), 3);
    unit.readout[1 + k] = 1;
  }
  std::vector<VectorXd> templates;
  if (base.category) {
    VectorXd halves(n);
    for (Eigen::Index k = 0; k < n; ++k) halves[k] = k < n / 2 ? 1 : -1;
    const VectorXd t = wiener(pool.bump(), halves, 0.025);
    templates = {t, -t};
  } else {
    for (Eigen::Index k = 0; k < n; ++k) {
      VectorXd t(n);
      for (Eigen::Index j = 0; j < n; ++j) t[j] = std::cos(pool.angle(j - k));
      templates.push_back(t);
    }
  }
  // What one stimulus adds to all of them together, by its direction.
  const VectorXd bump = pool.bump();
  VectorXd response = VectorXd::Zero(n);
  for (Eigen::Index s = 0; s < n; ++s)
    for (const VectorXd& t : templates) {
      double drive = 0;
      for (Eigen::Index j = 0; j < n; ++j) drive += t[j] * bump[(j - s + n) % n];
      response[s] += std::max(0.0, drive) * peak * n_stimulus_steps;
    }
  const double threshold = (2 * response.minCoeff() + response.maxCoeff()) / 2;
  const double sign = base.respond_to_match ? -1 : 1;
  const double steepness = 200 / response.mean();
  for (const VectorXd& t : templates) {
    Unit& unit = pool.add(1);
    pool.listen(unit, t, 3);
    unit.readout[0] = sign * steepness;
  }
  pool.set_fixation(-sign * steepness * threshold);
}

// Ramps ------------------------------------------------------------------------------------------

// When the drain is open: while the cue is on, while it is off, or always.
struct Drain {
  bool with_cue, without_cue;
  double rate(bool cue) const { return (cue ? with_cue : without_cue) ? 1 : 0; }
};

struct TrialTiming {
  std::int32_t stimulus, decision;
  std::vector<std::int32_t> delays;
};

// Level of an integrator with drain `rate` and input `drive` while the stimulus is on, at step
// `decision_step` of the decision: exactly what the unit computes.
double level(double drive, double rate, const Drain& drain, const TrialTiming& timing,
             std::int32_t delay, std::int32_t decision_step) {
  double h = 0;
  for (std::int32_t t = 0; t < timing.stimulus; ++t)
    h = std::max(0.0, h + drive - rate * drain.rate(true));
  for (std::int32_t t = 0; t < delay; ++t) h = std::max(0.0, h - rate * drain.rate(true));
  for (std::int32_t t = 0; t <= decision_step; ++t) h = std::max(0.0, h - rate * drain.rate(false));
  return h;
}

std::vector<std::int32_t> steps_of(const Duration& duration, double dt) {
  std::vector<std::int32_t> steps;
  for (const double ms : duration.values)
    steps.push_back(static_cast<std::int32_t>(std::floor(ms / dt + 1e-9)));
  return steps;
}

// Readout from ramp `j` of channel k to direction c depends on c - k alone; in the Fourier domain
// every frequency is a small least-squares problem over the elapsed times.
void build_ramps(Pool& pool, const Task& task, const TrialTiming& timing, double omega_steps) {
  const Eigen::Index n = pool.n_ring();
  const Drain drain{task.interval != 0, task.sequence != 0};
  struct Moment {
    std::int32_t delay, step;
    Eigen::Index shift;
  };
  std::vector<Moment> moments;
  double longest = 1;
  for (const std::int32_t delay : timing.delays)
    for (std::int32_t step = 0; step < timing.decision; ++step) {
      const double turned = omega_steps * (task.interval * delay + task.sequence * step);
      const auto shift =
          static_cast<Eigen::Index>(std::lround(turned)) + (task.base_task().anti ? n / 2 : 0);
      moments.push_back({delay, step, (shift % n + n) % n});
      longest = std::max(longest, drain.rate(true) * (timing.stimulus + delay) +
                                      drain.rate(false) * (step + 1) + 1.0);
    }
  const double charge = peak * timing.stimulus;
  const double shortest = drain.rate(true) * timing.stimulus + 0.5;
  const auto n_ramps = static_cast<Eigen::Index>(std::ceil(longest - shortest)) + 2;
  VectorXd rates(n_ramps);
  for (Eigen::Index j = 0; j < n_ramps; ++j)
    rates[j] = charge / (shortest + (longest + 1 - shortest) * static_cast<double>(j) /
                                        static_cast<double>(n_ramps - 1));
  const auto n_moments = static_cast<Eigen::Index>(moments.size());
  const VectorXd bump = pool.bump();
  std::vector<Eigen::MatrixXcd> features(static_cast<std::size_t>(n),
                                         Eigen::MatrixXcd(n_moments, n_ramps));
  Eigen::MatrixXcd targets(n_moments, n);
  for (Eigen::Index m = 0; m < n_moments; ++m) {
    const Moment& moment = moments[static_cast<std::size_t>(m)];
    targets.row(m) = fourier(pool.one(moment.shift)).transpose();
    for (Eigen::Index j = 0; j < n_ramps; ++j) {
      VectorXd levels(n);
      for (Eigen::Index k = 0; k < n; ++k)
        levels[k] = level(peak * bump[k], rates[j], drain, timing, moment.delay, moment.step);
      const VectorXcd transformed = fourier(levels);
      for (Eigen::Index f = 0; f < n; ++f)
        features[static_cast<std::size_t>(f)](m, j) = transformed[f];
    }
  }
  Eigen::MatrixXcd solution(n_ramps, n);
  for (Eigen::Index f = 0; f < n; ++f) {
    const Eigen::MatrixXcd& x = features[static_cast<std::size_t>(f)];
    Eigen::MatrixXcd gram = x.adjoint() * x;
    gram.diagonal().array() += 1e-9 * gram.diagonal().real().mean() + 1e-12;
    solution.col(f) = gram.ldlt().solve(x.adjoint() * targets.col(f));
  }
  for (Eigen::Index j = 0; j < n_ramps; ++j) {
    const VectorXd filter = inverse_fourier(solution.row(j).transpose());
    for (Eigen::Index k = 0; k < n; ++k) {
      Unit& unit = pool.add(1);
      pool.listen(unit, pool.one(k), 3);
      // -rate in the periods in which time counts.
      unit.bias = -rates[j] * drain.rate(false);
      unit.input[0] = -rates[j] * (drain.rate(true) - drain.rate(false));
      for (Eigen::Index c = 0; c < n; ++c) unit.readout[1 + c] = filter[(c - k + n) % n];
    }
  }
  pool.set_fixation(-1e3);
}

}  // namespace

bool has_hand_made_pool(const Task& task) {
  const BaseTask& base = task.base_task();
  if (task.interval == 0 && task.sequence == 0) return true;
  if (base.family != Family::reach || !base.memory_delay) return false;
  return task.interval == 0 || task.sequence == 0 || task.interval == task.sequence;
}

Network hand_made_pool(const Battery& battery, std::size_t index) {
  const Task task = battery.tasks()[index];
  const BaseTask& base = task.base_task();
  if (!has_hand_made_pool(task))
    throw UsageError(fmt::format("{}: there is no hand-made pool for this task", task.name()));
  const double dt = battery.config().dt;
  const auto durations = battery.durations(index);
  const auto steps = [&](Period p) { return steps_of(durations[static_cast<std::size_t>(p)], dt); };
  Pool pool(battery);
  if (task.interval != 0 || task.sequence != 0) {
    const double omega_steps =
        battery.config().omega * dt * static_cast<double>(pool.n_ring()) / (2 * std::numbers::pi);
    build_ramps(
        pool, task,
        {steps(Period::stimulus).front(), steps(Period::decision).front(), steps(Period::delay)},
        omega_steps);
  } else if (base.family == Family::reach) {
    build_reach(pool, base);
  } else if (base.family == Family::match) {
    build_match(pool, base, steps(Period::stimulus).front());
  } else {
    build_decision(pool, base);
  }
  return pool.network(battery.n_rules());
}

}  // namespace lmrnn
