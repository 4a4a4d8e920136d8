#include "train/optimiser.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace lmrnn {

std::vector<ParameterSlice> parameter_slices(const ParameterLayout& layout,
                                             const OptimiserConfig& optimiser,
                                             const LossConfig& loss, std::size_t longest) {
  const double rate = optimiser.learning_rate;
  const double recurrent = optimiser.recurrent_rate.value_or(rate);
  const double input = optimiser.input_rate.value_or(rate);
  const double readout = optimiser.readout_rate.value_or(rate);
  const double decay = optimiser.weight_decay;
  const double penalty = loss.weight_penalty;
  const double others = loss.penalised == PenalisedWeights::all ? penalty : 0;
  const std::array<ParameterSlice, 6> parts{
      {{layout.recurrent, layout.recurrent + layout.n_recurrent, recurrent, decay, penalty},
       {layout.input, layout.input + layout.n_input, input, decay, others},
       {layout.rule, layout.rule + layout.n_rule, input, decay, others},
       {layout.bias, layout.bias + layout.n_bias, recurrent, 0, 0},
       {layout.readout, layout.readout + layout.n_readout, readout, decay, others},
       {layout.readout_bias, layout.readout_bias + layout.n_readout_bias, readout, 0, 0}}};
  std::vector<ParameterSlice> slices;
  for (const ParameterSlice& part : parts)
    for (std::size_t first = part.first; first < part.last; first += longest) {
      slices.push_back(part);
      slices.back().first = first;
      slices.back().last = std::min(part.last, first + longest);
    }
  return slices;
}

std::vector<ParameterSlice> restrict_to_plastic(std::vector<ParameterSlice> slices,
                                                const ParameterLayout& layout,
                                                const Mask& recurrent, const Mask& plastic,
                                                double in_degree_power) {
  if (plastic.n_synapses() == recurrent.n_synapses() && in_degree_power == 0) return slices;
  // The factor of each recurrent weight's rate; 0 if the weight is not trained.
  std::vector<double> factors(layout.n_recurrent, 0.0);
  for (std::size_t i = 0; i < recurrent.n_targets(); ++i) {
    const auto sources = recurrent.sources_of(i);
    const double factor = std::pow(static_cast<double>(sources.size()), -in_degree_power);
    for (std::size_t k = 0; k < sources.size(); ++k)
      if (plastic.has(i, sources[k])) factors[recurrent.row_offsets()[i] + k] = factor;
  }
  std::vector<ParameterSlice> result;
  for (const ParameterSlice& slice : slices) {
    if (slice.first < layout.recurrent || slice.last > layout.recurrent + layout.n_recurrent) {
      result.push_back(slice);
      continue;
    }
    const auto factor = [&](std::size_t p) { return factors[p - layout.recurrent]; };
    for (std::size_t first = slice.first, last = first; first < slice.last; first = last) {
      while (last < slice.last && factor(last) == factor(first)) ++last;
      if (factor(first) == 0) continue;
      result.push_back(slice);
      result.back().first = first;
      result.back().last = last;
      result.back().learning_rate *= factor(first);
    }
  }
  return result;
}

void update_average(const ParameterSlice& slice, double decay, std::int64_t step,
                    std::span<const float> parameters, std::span<float> average) noexcept {
  const auto t = static_cast<double>(step) + 1;
  const auto share = static_cast<float>(1 - std::min(decay, (1 + t) / (10 + t)));
  for (std::size_t i = slice.first; i < slice.last; ++i)
    average[i] += share * (parameters[i] - average[i]);
}

double add_block_gradients(const ParameterSlice& slice, std::span<const float> block_gradients,
                           std::span<const float> parameters, std::span<float> gradient,
                           std::span<const float> wire_costs) noexcept {
  const std::size_t n = gradient.size();
  const std::size_t first = slice.first, last = slice.last;
  std::copy(block_gradients.begin() + static_cast<std::ptrdiff_t>(first),
            block_gradients.begin() + static_cast<std::ptrdiff_t>(last),
            gradient.begin() + static_cast<std::ptrdiff_t>(first));
  for (std::size_t offset = n; offset < block_gradients.size(); offset += n)
    for (std::size_t i = first; i < last; ++i) gradient[i] += block_gradients[offset + i];
  if (slice.weight_penalty > 0) {
    const auto penalty = static_cast<float>(slice.weight_penalty);
    for (std::size_t i = first; i < last; ++i) gradient[i] += penalty * parameters[i];
  }
  for (std::size_t k = 0; k < wire_costs.size(); ++k) {
    const float w = parameters[first + k];
    gradient[first + k] += w > 0 ? wire_costs[k] : w < 0 ? -wire_costs[k] : 0.0f;
  }
  // Four sums in parallel: with a single one, each addition would wait for the one before.
  std::array<double, 4> sums{};
  for (std::size_t i = first; i < last; ++i) {
    const double g = gradient[i];
    sums[(i - first) % 4] += g * g;
  }
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

Optimiser::Optimiser(const OptimiserConfig& config, std::size_t n_parameters)
    : config_(config),
      first_moment_(n_parameters),
      second_moment_(config.kind == OptimiserKind::adam ? n_parameters : 0) {}

void Optimiser::update(const ParameterSlice& slice, std::int64_t step, double factor, double scale,
                       std::span<const float> gradient, std::span<float> parameters) noexcept {
  const auto rate = static_cast<float>(slice.learning_rate * factor);
  const auto shrink = static_cast<float>(slice.learning_rate * factor * slice.weight_decay);
  const auto g_scale = static_cast<float>(scale);
  float* w = parameters.data();
  float* m = first_moment_.data();
  const float* gradients = gradient.data();
  if (config_.kind == OptimiserKind::sgd) {
    const auto momentum = static_cast<float>(config_.momentum);
    for (std::size_t i = slice.first; i < slice.last; ++i) {
      m[i] = momentum * m[i] + g_scale * gradients[i];
      w[i] -= rate * m[i] + shrink * w[i];
    }
    return;
  }
  const auto t = static_cast<double>(step) + 1;
  const auto b1 = static_cast<float>(config_.beta1), b2 = static_cast<float>(config_.beta2);
  const auto new1 = static_cast<float>(1 - config_.beta1);
  const auto new2 = static_cast<float>(1 - config_.beta2);
  // The bias corrections of both moments, moved out of the loop. With c_k = 1 - b_k^t, (m / c1) /
  // (sqrt(v / c2) + eps) = (sqrt(c2) / c1) m / (sqrt(v) + eps sqrt(c2)).
  const double root2 = std::sqrt(1 - std::pow(config_.beta2, t));
  const auto corrected_rate =
      static_cast<float>(slice.learning_rate * factor * root2 / (1 - std::pow(config_.beta1, t)));
  const auto epsilon = static_cast<float>(config_.epsilon * root2);
  float* v = second_moment_.data();
  for (std::size_t i = slice.first; i < slice.last; ++i) {
    const float g = g_scale * gradients[i];
    m[i] = b1 * m[i] + new1 * g;
    v[i] = b2 * v[i] + new2 * g * g;
    w[i] -= corrected_rate * m[i] / (std::sqrt(v[i]) + epsilon) + shrink * w[i];
  }
}

}  // namespace lmrnn
