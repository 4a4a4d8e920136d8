// The optimisers. They work on slices of the parameters, so that threads can share the work and the
// result does not depend on how they share it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lmrnn/network.hpp"
#include "lmrnn/run_config.hpp"

namespace lmrnn {

/// A stretch of the flat parameters [first, last) within one part of the network.
struct ParameterSlice {
  std::size_t first, last;
  double learning_rate;   ///< of its group, before the schedule
  double weight_decay;    ///< 0 for biases
  double weight_penalty;  ///< 0 for parameters without a penalty
};

/// The parameters in slices of at most `longest`; depends only on the layout.
std::vector<ParameterSlice> parameter_slices(const ParameterLayout& layout,
                                             const OptimiserConfig& optimiser,
                                             const LossConfig& loss, std::size_t longest = 16384);

/// `slices` without the recurrent weights that are not `plastic` (a part of `recurrent`, the
/// network's mask). Parameters in no slice have no gradient, no penalty and no update. The rates of
/// recurrent weights are divided by the in-degree of their unit to the power `in_degree_power`.
std::vector<ParameterSlice> restrict_to_plastic(std::vector<ParameterSlice> slices,
                                                const ParameterLayout& layout,
                                                const Mask& recurrent, const Mask& plastic,
                                                double in_degree_power);

/// average += (1 - d) (weight - average) for the parameters of `slice` after `step` + 1 updates,
/// with d = min(decay, (1 + t) / (10 + t)), t = `step` + 1. The memory is short at the beginning,
/// so that the average soon forgets the initial weights.
void update_average(const ParameterSlice& slice, double decay, std::int64_t step,
                    std::span<const float> parameters, std::span<float> average) noexcept;

/// gradient[i] = sum over blocks, in order, of block_gradients[b * n + i], plus the penalties'
/// gradients, for each i of `slice`. `wire_costs`, if not empty: the cost per |w|, for each
/// parameter of the slice; at w = 0 its gradient is 0. Returns the slice's sum of squares.
double add_block_gradients(const ParameterSlice& slice, std::span<const float> block_gradients,
                           std::span<const float> parameters, std::span<float> gradient,
                           std::span<const float> wire_costs = {}) noexcept;

/// Moments of the gradient, and the resulting update.
///   adam: m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,
///         w -= rate (m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + epsilon) + decay w)
///   sgd:  m = momentum m + g,     w -= rate (m + decay w)
class Optimiser {
 public:
  Optimiser(const OptimiserConfig& config, std::size_t n_parameters);

  /// Updates the parameters of `slice` with `scale` * gradient (the clipping) in step t = `step` +
  /// 1; `factor`: the schedule's. Threads may update different slices at the same time.
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
