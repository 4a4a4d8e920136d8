// The optimisers, slice by slice of the parameters, so that threads can share the work and the
// result does not depend on how they do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lmrnn/network.hpp"
#include "lmrnn/run_config.hpp"

namespace lmrnn {

/// A stretch of the flat parameters [first, last) that lies within one part of the network.
struct ParameterSlice {
  std::size_t first, last;
  double learning_rate;   ///< of its group, before the schedule
  double weight_decay;    ///< 0 for biases
  double weight_penalty;  ///< 0 where it does not count
};

/// The parameters cut into slices of at most `longest`; they depend on the layout alone.
std::vector<ParameterSlice> parameter_slices(const ParameterLayout& layout,
                                             const OptimiserConfig& optimiser,
                                             const LossConfig& loss, std::size_t longest = 16384);

/// `slices` without the recurrent weights that are not `plastic` (which is part of `recurrent`, the
/// network's mask): what is in no slice has no gradient, no penalty and no update. The rates of the
/// others are divided by the in-degree of their unit to the power `in_degree_power`.
std::vector<ParameterSlice> restrict_to_plastic(std::vector<ParameterSlice> slices,
                                                const ParameterLayout& layout,
                                                const Mask& recurrent, const Mask& plastic,
                                                double in_degree_power);

/// average += (1 - d) (weight - average) for the parameters of `slice` after `step` + 1 updates,
/// with d = min(decay, (1 + t) / (10 + t)), t = `step` + 1: a short memory at the beginning, so
/// that the average soon forgets the initial weights.
void update_average(const ParameterSlice& slice, double decay, std::int64_t step,
                    std::span<const float> parameters, std::span<float> average) noexcept;

/// gradient[i] = sum over blocks, in order, of block_gradients[b * n + i], plus the penalties'
/// gradients, for the i of `slice`. `wire_costs`, if not empty: what |w| costs, for each parameter
/// of the slice; at w = 0 its gradient is 0. Returns the slice's sum of squares.
double add_block_gradients(const ParameterSlice& slice, std::span<const float> block_gradients,
                           std::span<const float> parameters, std::span<float> gradient,
                           std::span<const float> wire_costs = {}) noexcept;

/// Moments of the gradient, and the update that they give.
///   adam: m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,
///         w -= rate (m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + epsilon) + decay w)
///   sgd:  m = momentum m + g,     w -= rate (m + decay w)
class Optimiser {
 public:
  Optimiser(const OptimiserConfig& config, std::size_t n_parameters);

  /// Updates the parameters of `slice` with `scale` * gradient (the clipping) in step t = `step` +
  /// 1; `factor`: the schedule's. Slices may be updated at the same time.
  void update(const ParameterSlice& slice, std::int64_t step, double factor, double scale,
              std::span<const float> gradient, std::span<float> parameters) noexcept;

  std::vector<float>& first_moment() noexcept { return first_moment_; }
  const std::vector<float>& first_moment() const noexcept { return first_moment_; }
  std::vector<float>& second_moment() noexcept { return second_moment_; }  ///< empty for sgd
  const std::vector<float>& second_moment() const noexcept { return second_moment_; }

 private:
  OptimiserConfig config_;
  std::vector<float> first_moment_, second_moment_;
};

}  // namespace lmrnn
