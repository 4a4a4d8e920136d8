// Training gains of synapses instead of their weights.
//
//   W_ij = g[group of (i, j)] W0_ij,      dL/dg_p = sum over (i, j) of group p of W0_ij dL/dW_ij
//
// W0: the weights that training starts from. All gains begin at 1. Sources: gains per pair of types
// of cells, Lappalainen et al. 2024 (the fly's visual system); gains per unit on a known
// connectome, Beiran & Litwin-Kumar 2024.
//
// The kernels have no gains: gradients of weights are added up to gradients of gains where those of
// blocks are added up, and weights are computed from gains where the optimiser would write weights.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lmrnn/network.hpp"
#include "lmrnn/run_config.hpp"
#include "train/optimiser.hpp"

namespace lmrnn {

/// The whole state of the gains of a run; a checkpoint stores it.
struct GainState {
  std::vector<float> initial;         ///< (synapse) W0
  std::vector<std::uint32_t> groups;  ///< (synapse) index of its gain
  /// (gain) types or units of its synapses; -1: of any.
  std::vector<std::int32_t> target, source;
  std::vector<float> values, first_moment, second_moment;  ///< (gain); no second moment for sgd

  bool empty() const noexcept { return values.empty(); }
};

/// The gains that `config` asks for, all 1, for the weights of `network`; empty if it asks for
/// none. Throws UsageError if cell types are missing, or if every weight is 0.
GainState initial_gains(const RunConfig& config, const Network& network);

/// Empty, and without cost, in runs without gains.
class Gains {
 public:
  /// `slices`: the trained parameters.
  Gains(const RunConfig& config, const Network& network, std::span<const ParameterSlice> slices,
        GainState state);

  bool empty() const noexcept { return state_.empty(); }
  /// Whether the parameters of `slice` are weights that gains determine.
  bool cover(const ParameterSlice& slice) const noexcept;

  /// Adds up the gradients of the weights in `slices` to those of the gains, in the order of the
  /// slices. Returns the sum of squares.
  double add_gradients(std::span<const ParameterSlice> slices, std::span<const float> gradient);
  /// One optimiser step of the gains that have a trained synapse; the others stay at 1. If units
  /// have types, negative gains become 0, so that weights keep their signs.
  void update(std::int64_t step, double factor, double scale) noexcept;
  /// W = g W0 for the weights of `slice`. Slices may be written at the same time.
  void write(const ParameterSlice& slice, std::span<float> parameters) const noexcept;

  /// The state, including the moments.
  GainState state() const;

 private:
  std::size_t first_, n_;  ///< recurrent weights in the parameters
  bool signed_units_;
  GainState state_;
  ParameterSlice slice_;  ///< all gains, as one slice for the optimiser
  Optimiser optimiser_;
  std::vector<std::uint8_t> trained_;  ///< (gain) whether it has a trained synapse
  std::vector<double> sums_;
  std::vector<float> gradient_;
};

/// Bytes of the gains of `n_synapses` synapses.
double bytes_of_gains(const RunConfig& config, std::size_t n_synapses) noexcept;

}  // namespace lmrnn
