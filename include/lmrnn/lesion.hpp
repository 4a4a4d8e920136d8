// Lesions: copies of a network that lack some of its units or synapses.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lmrnn/network.hpp"

namespace lmrnn {

/// `network` with `units` silenced: the weights of their synapses onto other units, themselves and
/// the readout are zero. The units stay in the network, so indices keep their meaning. Throws
/// UsageError for an index out of range.
Network without_units(const Network& network, std::span<const std::uint32_t> units);

/// `network` with the recurrent weights of `synapses` (in the order of the mask) set to zero.
/// Throws UsageError for an index out of range.
Network without_synapses(const Network& network, std::span<const std::uint32_t> synapses);

/// Indices of the synapses that are not autapses.
std::vector<std::uint32_t> synapses_between_units(const Network& network);

/// `n` different units of 0 ... n_units - 1, every set equally likely, ascending: the control for a
/// lesion of `n` units. `draw`: number of the repetition. Throws UsageError for n > n_units.
std::vector<std::uint32_t> random_units(std::size_t n_units, std::size_t n, Seed seed,
                                        std::uint32_t draw);

}  // namespace lmrnn
