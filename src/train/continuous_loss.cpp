#include "train/continuous_loss.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace lmrnn {
namespace {

template <class T>
ParameterGroups<T> groups_of(const ParameterLayout& l, std::span<T> flat) {
  return {.recurrent = flat.subspan(l.recurrent, l.n_recurrent),
          .input = flat.subspan(l.input, l.n_input),
          .rule = flat.subspan(l.rule, l.n_rule),
          .bias = flat.subspan(l.bias, l.n_bias),
          .readout = flat.subspan(l.readout, l.n_readout),
          .readout_bias = flat.subspan(l.readout_bias, l.n_readout_bias)};
}

/// Weighted loss; overwrites `logits` (time, row, output) with its gradient, times `scale`.
LossResult squared_error(const TrialView& block, const TrialArray<const float>& outputs,
                         double scale, View3<float> logits) {
  LossResult result;
  for (std::size_t t = 0; t < logits.n0; ++t)
    for (std::size_t k = 0; k < logits.n1; ++k) {
      const double weight = block.loss_weights(t, k);
      float* z = logits.row(t, k);
      double squares = 0;
      for (std::size_t c = 0; c < logits.n2; ++c) {
        const double error = double{z[c]} - outputs(t, k, c);
        squares += error * error;
        z[c] = static_cast<float>(2 * scale * weight * error);
      }
      result.weighted_loss += weight * squares;
      result.weight += weight;
    }
  return result;
}

/// Sum of h^2; overwrites `states` with `penalty` times its gradient. For voltages x, h is f(x).
double square_rates(double penalty, const Architecture& a, std::span<float> states) {
  double squares = 0;
  if (a.equation == StateEquation::voltage) {
    for (float& x : states) {
      const double h = apply_activation(a.activation, double{x});
      squares += h * h;
      x = static_cast<float>(2 * penalty * h * activation_slope(a.activation, double{x}));
    }
    return squares;
  }
  for (float& h : states) {
    squares += double{h} * h;
    h = static_cast<float>(2 * penalty * h);
  }
  return squares;
}

}  // namespace

std::unique_ptr<ContinuousLoss::Scratch> ContinuousLoss::take() {
  const std::scoped_lock lock(mutex_);
  if (idle_.empty()) return std::make_unique<Scratch>();
  auto last = std::move(idle_.back());
  idle_.pop_back();
  return last;
}

LossResult ContinuousLoss::loss_and_gradient(const Network& network, const TrialView& block,
                                             const TrialArray<const float>& outputs,
                                             const RecurrentNoise& noise,
                                             const LossOptions& options,
                                             std::span<float> gradient) {
  const Architecture& a = network.architecture();
  const std::span<const float> parameters = network.parameters();
  const auto is_finite = [](float x) { return std::isfinite(x); };
  if (!std::ranges::all_of(parameters, is_finite)) {
    // The trainer handles this: it reports the step at which training diverged.
    std::ranges::fill(gradient, 0.0f);
    return {.weighted_loss = std::numeric_limits<double>::quiet_NaN()};
  }
  const std::size_t n_steps = block.n_steps(), n_rows = block.n_trials();
  const OperationInputs inputs{
      .inputs = {block.inputs.data, n_steps, n_rows, a.n_channels},
      .rules = {block.rules.data, n_steps, n_rows, block.rules.n_items},
      .resets = {block.resets.data, block.resets.n_steps, block.resets.n_trials},
      .initial = {},
      .noise = noise};
  const Keep keep = options.recompute ? Keep::segments : Keep::states;
  const bool penalised = options.rate_penalty > 0;
  std::unique_ptr<Scratch> scratch = take();
  scratch->kept.resize(operation_.kept_size(n_steps, n_rows, keep));
  scratch->logits.resize(n_steps * n_rows * a.n_classes);
  if (penalised) scratch->states.resize(n_steps * n_rows * a.n_units());
  const View3<float> logits{scratch->logits.data(), n_steps, n_rows, a.n_classes};
  const View3<float> states =
      penalised ? View3<float>{scratch->states.data(), n_steps, n_rows, a.n_units()}
                : View3<float>{};
  const auto weights = groups_of(network.layout(), parameters);
  operation_.forward(weights, inputs, keep, scratch->kept, states, logits, scratch->alone);

  LossResult result = squared_error(block, outputs, options.scale, logits);
  if (penalised) result.rate_square = square_rates(options.rate_penalty, a, scratch->states);
  const OperationGradients gradients{.logits = {logits.data, logits.n0, logits.n1, logits.n2},
                                     .states = {states.data, states.n0, states.n1, states.n2},
                                     .parameters = groups_of(network.layout(), gradient),
                                     .inputs = {},
                                     .initial = {}};
  operation_.backward(weights, inputs, keep, scratch->kept, gradients, scratch->alone);
  const std::scoped_lock lock(mutex_);
  idle_.push_back(std::move(scratch));
  return result;
}

}  // namespace lmrnn
