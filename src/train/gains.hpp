// Gains of synapses as what is trained, instead of weights.
//
//   W_ij = g[group of (i, j)] W0_ij,      dL/dg_p = sum over (i, j) of group p of W0_ij dL/dW_ij
//
// W0: the weights that training starts from. All gains begin at 1. Sources: gains per pair of types
// of cells, Lappalainen et al. 2024 (the fly's visual system); gains per unit on a known
// connectome, Beiran & Litwin-Kumar 2024.
//
// Kernels know nothing of gains: gradients of weights are added up to those of gains where
// gradients of blocks are added up to the gradient, and weights are written from gains where the
// optimiser writes weights.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lmrnn/network.hpp"
#include "lmrnn/run_config.hpp"
#include "train/optimiser.hpp"

namespace lmrnn {

/// All there is to know of the gains of a run; what a checkpoint keeps.
struct GainState {
  std::vector<float> initial;         ///< (synapse) W0
  std::vector<std::uint32_t> groups;  ///< (synapse) the gain that it has
  /// (gain) types or units of its synapses; -1: of any.
  std::vector<std::int32_t> target, source;
  std::vector<float> values, first_moment, second_moment;  ///< (gain); no second moment for sgd

  bool empty() const noexcept { return values.empty(); }
};

/// The gains that `config` asks for, all 1, on the weights of `network`; empty if it asks for none.
/// Throws UsageError for types that are not there, and if every weight is 0.
GainState initial_gains(const RunConfig& config, const Network& network);

/// Empty, and costs nothing, in runs without gains.
class Gains {
 public:
  /// `slices`: what is trained.
  Gains(const RunConfig& config, const Network& network, std::span<const ParameterSlice> slices,
        GainState state);

  bool empty() const noexcept { return state_.empty(); }
  /// Whether the parameters of `slice` are weights that gains stand for.
  bool cover(const ParameterSlice& slice) const noexcept;

  /// Adds the gradients of the weights in `slices` up to those of the gains, in the order of the
  /// slices. Returns the sum of squares.
  double add_gradients(std::span<const ParameterSlice> slices, std::span<const float> gradient);
  /// One optimiser step of the gains that have a trained synapse; the others stay at 1. With types
  /// of units, gains below 0 become 0, which keeps the signs of their weights.
  void update(std::int64_t step, double factor, double scale) noexcept;
  /// W = g W0 for the weights of `slice`. Slices may be written at the same time.
  void write(const ParameterSlice& slice, std::span<float> parameters) const noexcept;

  /// With the moments.
  GainState state() const;

 private:
  std::size_t first_, n_;  ///< recurrent weights in the parameters
  bool signed_units_;
  GainState state_;
  ParameterSlice slice_;  ///< all gains, as the optimiser has them
  Optimiser optimiser_;
  std::vector<std::uint8_t> trained_;  ///< (gain) whether it has a trained synapse
  std::vector<double> sums_;
  std::vector<float> gradient_;
};

/// Bytes of the gains of `n_synapses` synapses.
double bytes_of_gains(const RunConfig& config, std::size_t n_synapses) noexcept;

}  // namespace lmrnn
