// The wirings, one function each; catalogue.cpp lists them.
#pragma once

#include "lmrnn/random.hpp"
#include "lmrnn/wiring.hpp"

namespace lmrnn {

// Each expects a config that make_mask has checked. Deterministic kinds ignore the seed.
Mask make_local(const WiringConfig& config, Seed seed);
Mask make_autapse(const WiringConfig& config, Seed seed);
Mask make_dense(const WiringConfig& config, Seed seed);
Mask make_random(const WiringConfig& config, Seed seed);
Mask make_blocks(const WiringConfig& config, Seed seed);
Mask make_rewired(const WiringConfig& config, Seed seed);
Mask make_exponential(const WiringConfig& config, Seed seed);
Mask make_from_file(const WiringConfig& config, Seed seed);

/// Whether the seed decides which units are inhibitory.
bool is_placed_at_random(const WiringConfig& config) noexcept;

/// `mask` without its diagonal.
Mask without_autapses(const Mask& mask);

/// What a random number of RandomPurpose::wiring is for; it stands in Key::batch. Never renumber:
/// masks are reproduced from their seeds.
enum class WiringDraw : std::uint32_t {
  shuffle = 1,
  rewired_synapses = 2,
  rewired_sources = 3,
  exponential = 4,
  input = 5,
  readout = 6,
  inhibitory_units = 7,
};

inline Key wiring_key(Seed seed, WiringDraw draw, std::size_t row = 0) noexcept {
  return {seed, RandomPurpose::wiring, Split::train, static_cast<std::uint32_t>(draw),
          static_cast<std::uint32_t>(row)};
}

}  // namespace lmrnn
