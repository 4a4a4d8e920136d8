// The readable twin of the kernels: the whole network, forward and backward, in plain loops.
//
// T is double for gradient checks and float for comparisons. Nothing here is fast: the code follows
// the equations (docs/math/network.md), one trial after another.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/steps.hpp"
#include "lmrnn/array.hpp"
#include "lmrnn/trials.hpp"

namespace lmrnn::kernels::reference {

/// Sizes, wiring and weights. Entries of `input` and `readout` outside their masks are zero.
template <class T>
struct Model {
  std::size_t n_units, n_channels, n_rules, n_classes;
  T alpha;
  Nonlinearity nonlinearity;
  std::span<const std::uint32_t> row_offsets;  ///< (unit + 1)
  std::span<const std::uint32_t> sources;      ///< (synapse)
  T* recurrent;                                ///< (synapse)
  T* input;                                    ///< (unit, channel)
  T* rule;                                     ///< (rule, unit)
  T* bias;                                     ///< (unit)
  T* readout;                                  ///< (class, unit)
  T* readout_bias;                             ///< (class)
  StateEquation equation = StateEquation::rate;
};

/// Trials, and the other inputs of a network: `noise` (time, unit, trial) is sigma * xi, or empty;
/// `initial` (trial, unit) is the state before step 0, or empty for 0.
template <class T>
struct Block : TrialView {
  View3<const T> noise{};
  View2<const T> initial{};
};

template <class T>
T rate(Nonlinearity f, T u) {
  switch (f) {
    case Nonlinearity::relu:
      return u > 0 ? u : T(0);
    case Nonlinearity::tanh:
      return std::tanh(u);
    case Nonlinearity::softplus:
      return (u > 0 ? u : T(0)) + std::log1p(std::exp(-std::abs(u)));
  }
  return u;
}

template <class T>
T slope(Nonlinearity f, T u) {
  switch (f) {
    case Nonlinearity::relu:
      return u > 0 ? T(1) : T(0);
    case Nonlinearity::tanh:
      return 1 - std::tanh(u) * std::tanh(u);
    case Nonlinearity::softplus:
      return 1 / (1 + std::exp(-u));
  }
  return u;
}

/// Trajectory of one trial.
template <class T>
struct Trajectory {
  std::vector<T> u;       ///< (time, unit): W h[t-1] plus everything from outside
  std::vector<T> h;       ///< (time, unit): what other units and the readout see
  std::vector<T> logits;  ///< (time, class)
  std::vector<T> states;  ///< (time, unit): h, or the voltage x where h = f(x)
};

/// The state of unit i that step t sees as the one before.
template <class T>
T previous_state(const Block<T>& block, const Trajectory<T>& run, std::size_t n_units,
                 std::size_t t, std::size_t i, std::size_t trial) {
  if (!block.resets.empty() && block.resets(t, trial)) return 0;
  if (t == 0) return block.initial.empty() ? T(0) : block.initial(trial, i);
  return run.states[(t - 1) * n_units + i];
}

/// h of a unit in this state.
template <class T>
T seen(const Model<T>& m, T state) {
  return m.equation == StateEquation::voltage ? rate(m.nonlinearity, state) : state;
}

/// The argument of f in a step: u, or, if f comes after the leak, the blend of u and the state
/// before.
template <class T>
T argument_of_f(const Model<T>& m, T previous, T u) {
  return m.equation == StateEquation::rate ? u : (1 - m.alpha) * previous + m.alpha * u;
}

/// The state after a step.
template <class T>
T next_state(const Model<T>& m, T previous, T u) {
  const T argument = argument_of_f(m, previous, u);
  switch (m.equation) {
    case StateEquation::rate:
      return (1 - m.alpha) * previous + m.alpha * rate(m.nonlinearity, argument);
    case StateEquation::voltage:
      return argument;
    case StateEquation::leak_inside:
      return rate(m.nonlinearity, argument);
  }
  return u;
}

template <class T>
Trajectory<T> forward(const Model<T>& m, const Block<T>& block, std::size_t trial) {
  const std::size_t n_steps = block.n_steps();
  Trajectory<T> run{std::vector<T>(n_steps * m.n_units), std::vector<T>(n_steps * m.n_units),
                    std::vector<T>(n_steps * m.n_classes), std::vector<T>(n_steps * m.n_units)};
  for (std::size_t t = 0; t < n_steps; ++t) {
    for (std::size_t i = 0; i < m.n_units; ++i) {
      T u = m.bias[i];
      for (std::size_t s = 0; s < block.rules.n_items; ++s)
        if (const auto r = block.rules(t, trial, s); r >= 0) u += m.rule[r * m.n_units + i];
      for (std::size_t c = 0; c < m.n_channels; ++c)
        u += m.input[i * m.n_channels + c] * static_cast<T>(block.inputs(t, trial, c));
      for (std::size_t k = m.row_offsets[i]; k < m.row_offsets[i + 1]; ++k)
        u +=
            m.recurrent[k] * seen(m, previous_state(block, run, m.n_units, t, m.sources[k], trial));
      if (!block.noise.empty()) u += block.noise(t, i, trial);
      run.u[t * m.n_units + i] = u;
    }
    for (std::size_t i = 0; i < m.n_units; ++i) {
      const std::size_t at = t * m.n_units + i;
      run.states[at] = next_state(m, previous_state(block, run, m.n_units, t, i, trial), run.u[at]);
      run.h[at] = seen(m, run.states[at]);
    }
    for (std::size_t c = 0; c < m.n_classes; ++c) {
      T z = m.readout_bias[c];
      for (std::size_t i = 0; i < m.n_units; ++i)
        z += m.readout[c * m.n_units + i] * run.h[t * m.n_units + i];
      run.logits[t * m.n_classes + c] = z;
    }
  }
  return run;
}

/// Loss of one time step and its gradient with respect to the logits; `wanted` as in LossStep.
template <class T>
T loss_and_slope(std::span<const T> logits, std::int32_t target, const float* wanted,
                 std::span<T> gradient) {
  const std::size_t n = logits.size();
  T loss = 0;
  if (wanted) {
    for (std::size_t c = 0; c < n; ++c) {
      const T error = logits[c] - static_cast<T>(wanted[target * n + c]);
      loss += error * error;
      gradient[c] = 2 * error;
    }
    return loss;
  }
  T largest = logits[0], total = 0;
  for (const T z : logits) largest = std::max(largest, z);
  for (const T z : logits) total += std::exp(z - largest);
  for (std::size_t c = 0; c < n; ++c)
    gradient[c] = std::exp(logits[c] - largest) / total - (static_cast<std::int32_t>(c) == target);
  return std::log(total) + largest - logits[target];
}

/// Gradients of one trial with respect to inputs from outside the network.
template <class T>
struct OutsideGradient {
  std::vector<T> inputs;   ///< (time, channel)
  std::vector<T> initial;  ///< (unit): the state before step 0
};

/// Backpropagation through time of one trial. dlogits(t, c) and dstates(t, i) are the gradients of
/// a loss with respect to logits and, directly, to states. Adds the gradients of the weights to
/// `gradient`, a Model whose weights are the gradients. With s for the state:
///   rate:         ds[t]/du = alpha f'(u),      ds[t]/ds[t-1] = 1 - alpha
///   voltage:      ds[t]/du = alpha,            ds[t]/ds[t-1] = 1 - alpha,            h = f(s)
///   leak_inside:  ds[t]/du = alpha f'(blend),  ds[t]/ds[t-1] = (1 - alpha) f'(blend)
template <class T, class Logits, class States>
OutsideGradient<T> add_trial_gradient(const Model<T>& m, const Block<T>& block,
                                      const Trajectory<T>& run, std::size_t trial, Logits&& dlogits,
                                      States&& dstates, const Model<T>& gradient) {
  const std::size_t n_steps = block.n_steps(), n_units = m.n_units;
  OutsideGradient<T> outside{std::vector<T>(n_steps * m.n_channels), {}};
  // Gradients with respect to h[t] and, directly, to the state after step t, through step t + 1.
  std::vector<T> later_seen(n_units, 0), later_state(n_units, 0);
  std::vector<T> delta(n_units);
  for (std::size_t t = n_steps; t-- > 0;) {
    const T* h = &run.h[t * n_units];
    std::vector<T> g = later_seen;
    for (std::size_t c = 0; c < m.n_classes; ++c) {
      const T error = dlogits(t, c);
      gradient.readout_bias[c] += error;
      for (std::size_t i = 0; i < n_units; ++i) {
        gradient.readout[c * n_units + i] += error * h[i];
        g[i] += m.readout[c * n_units + i] * error;
      }
    }
    for (std::size_t i = 0; i < n_units; ++i) {
      const T before = previous_state(block, run, n_units, t, i, trial);
      const T f_slope = slope(m.nonlinearity, argument_of_f(m, before, run.u[t * n_units + i]));
      const T of_h = m.equation == StateEquation::voltage ? f_slope * g[i] : g[i];
      const T of_state = of_h + later_state[i] + dstates(t, i);
      const T of_blend = m.equation == StateEquation::leak_inside ? f_slope * of_state : of_state;
      delta[i] = m.alpha * of_blend;
      if (m.equation == StateEquation::rate) delta[i] *= f_slope;
      later_state[i] = (1 - m.alpha) * of_blend;
      later_seen[i] = 0;
    }
    for (std::size_t i = 0; i < n_units; ++i) {
      gradient.bias[i] += delta[i];
      for (std::size_t s = 0; s < block.rules.n_items; ++s)
        if (const auto r = block.rules(t, trial, s); r >= 0)
          gradient.rule[r * n_units + i] += delta[i];
      for (std::size_t c = 0; c < m.n_channels; ++c) {
        gradient.input[i * m.n_channels + c] +=
            delta[i] * static_cast<T>(block.inputs(t, trial, c));
        outside.inputs[t * m.n_channels + c] += m.input[i * m.n_channels + c] * delta[i];
      }
      for (std::size_t k = m.row_offsets[i]; k < m.row_offsets[i + 1]; ++k) {
        gradient.recurrent[k] +=
            delta[i] * seen(m, previous_state(block, run, n_units, t, m.sources[k], trial));
        later_seen[m.sources[k]] += m.recurrent[k] * delta[i];
      }
    }
    if (!block.resets.empty() && block.resets(t, trial)) {
      std::fill(later_seen.begin(), later_seen.end(), T(0));
      std::fill(later_state.begin(), later_state.end(), T(0));
    }
  }
  outside.initial = later_state;
  for (std::size_t i = 0; i < n_units; ++i) {
    const T first = block.initial.empty() ? T(0) : block.initial(trial, i);
    const bool is_voltage = m.equation == StateEquation::voltage;
    outside.initial[i] += later_seen[i] * (is_voltage ? slope(m.nonlinearity, first) : T(1));
  }
  return outside;
}

/// Adds scale * (d/d parameter) of the block's weighted loss, plus `penalty` times that of the sum
/// of h^2 / 2, to `gradient`, a Model whose weights are the gradients. Returns the weighted loss.
template <class T>
T add_gradient(const Model<T>& m, const Block<T>& block, const float* wanted, T scale, T penalty,
               const Model<T>& gradient) {
  T loss = 0;
  for (std::size_t trial = 0; trial < block.n_trials(); ++trial) {
    const Trajectory<T> run = forward(m, block, trial);
    std::vector<T> dlogits(run.logits.size());
    for (std::size_t t = 0; t < block.n_steps(); ++t) {
      const T weight = static_cast<T>(block.loss_weights(t, trial));
      const std::span<T> g(&dlogits[t * m.n_classes], m.n_classes);
      loss += weight * loss_and_slope<T>({&run.logits[t * m.n_classes], m.n_classes},
                                         block.targets(t, trial), wanted, g);
      for (T& x : g) x *= weight * scale;
    }
    const auto of_penalty = [&](std::size_t t, std::size_t i) {
      const std::size_t at = t * m.n_units + i;
      const bool is_voltage = m.equation == StateEquation::voltage;
      return penalty * run.h[at] * (is_voltage ? slope(m.nonlinearity, run.states[at]) : T(1));
    };
    add_trial_gradient(
        m, block, run, trial,
        [&](std::size_t t, std::size_t c) { return dlogits[t * m.n_classes + c]; }, of_penalty,
        gradient);
  }
  return loss;
}

}  // namespace lmrnn::kernels::reference
