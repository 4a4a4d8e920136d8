// Terms of single recurrent synapses in training: the cost of their wire, and their sign.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lmrnn/network.hpp"
#include "lmrnn/run_config.hpp"
#include "train/optimiser.hpp"

namespace lmrnn {

/// Both parts are empty, and without cost, in runs that do not ask for them.
class SynapseTerms {
 public:
  /// `config` has the penalty, `sheet` the distances, `architecture` the types of units.
  SynapseTerms(const RunConfig& config, const Sheet& sheet, const Architecture& architecture,
               const ParameterLayout& layout);

  /// wire_penalty * length^wire_power of the parameters of `slice`; empty if they are not recurrent
  /// weights or if wire costs nothing.
  std::span<const float> wire_costs(const ParameterSlice& slice) const noexcept;

  /// Dale's law by projection: sets recurrent weights of `slice` to 0 that do not have the sign of
  /// their source. (Song, Yang & Wang 2016 train weights that they rectify; there, a weight of the
  /// wrong sign no longer has a gradient.)
  void keep_signs(const ParameterSlice& slice, std::span<float> parameters) const noexcept;

 private:
  bool is_recurrent(const ParameterSlice& slice) const noexcept;

  std::size_t first_, n_;           ///< recurrent weights in the parameters
  std::vector<float> wire_costs_;   ///< (synapse)
  std::vector<std::int8_t> signs_;  ///< (synapse) 1 or -1, of the source
};

/// The sum over recurrent synapses of length^wire_power |w|, whether they are trained or not.
double wire_of(const Network& network, const RunConfig& config, const Sheet& sheet);

/// Throws UsageError, with `name` for the network, if a recurrent weight does not have the sign of
/// its source.
void require_signs(const Network& network, const std::string& name);

/// Bytes of the terms of `n_synapses` synapses.
double bytes_of_synapse_terms(const RunConfig& config, std::size_t n_synapses) noexcept;

/// Throws UsageError if `config` asks for a readout of excitatory units and units have no type.
void require_unit_types(const RunConfig& config);

}  // namespace lmrnn
